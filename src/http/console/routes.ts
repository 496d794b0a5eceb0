/** The console over HTTP: each file of it is a route of its own, under headers that let a browser do no more than it needs. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "../errors.ts";
import type { ConsoleFile } from "./files.ts";

export interface ConsoleRoutesOptions {
  /** Undefined where it has not been built. */
  readonly files: readonly ConsoleFile[] | undefined;
  /** @throws ApiError where the page may not be given out: a stranger could have changed it on its way. */
  readonly checkWay: (request: FastifyRequest) => void;
}

/**
 * No script but the gateway's own files, nothing from elsewhere, no form, no frame; and no text that becomes markup or
 * script in any other way, where a browser knows trusted types.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const PAGE_HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "origin-agent-cluster": "?1",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "x-frame-options": "DENY",
} as const;

const YEAR_SECONDS = 31_536_000;

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sekisho</title>
<h1>Sekisho is running, without its console</h1>
<p>The console's pages are not in this installation. In a checkout, <code>npm run build</code> makes them;
then start the gateway again. The API, metrics and health are served all the same.</p>
<p lang="ja">この環境にはコンソールの画面が入っていません。<code>npm run build</code> を実行し、ゲートウェイを再起動してください。</p>
</html>
`;

export function consoleRoutes(server: FastifyInstance, { files, checkWay }: ConsoleRoutesOptions): void {
  const hidden = { schema: { hide: true } };
  /** A person reads what is refused here, and not a program. */
  const orSay = (request: FastifyRequest, reply: FastifyReply, give: () => FastifyReply): FastifyReply => {
    try {
      checkWay(request);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return reply.code(error.status).type("text/plain; charset=utf-8").send(`${error.message}\n`);
    }
    return give();
  };
  if (files === undefined) {
    server.get("/", hidden, (request, reply) =>
      orSay(request, reply, () =>
        reply.code(503).header("cache-control", "no-store").type("text/html; charset=utf-8").send(NOT_BUILT),
      ),
    );
    return;
  }
  for (const file of files) {
    const path = file.path === "/index.html" ? "/" : file.path;
    server.get(path, hidden, (request, reply) => orSay(request, reply, () => sendFile(request, reply, file)));
  }
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: ConsoleFile): FastifyReply {
  const { path, contentType, isImmutable, etag, bytes, zipped } = file;
  // The page names its files by their digests: an old one would ask for files that are gone.
  const isPage = path === "/index.html";
  const caching = isPage ? "no-store" : isImmutable ? `max-age=${YEAR_SECONDS}, immutable` : "no-cache";
  reply.headers({ ...PAGE_HEADERS, "cache-control": caching, etag, vary: "accept-encoding" });
  if (!isPage && request.headers["if-none-match"] === etag) return reply.code(304).send();
  reply.type(contentType);
  if (zipped === undefined || !takesGzip(request)) return reply.send(bytes);
  return reply.header("content-encoding", "gzip").send(zipped);
}

function takesGzip({ headers }: FastifyRequest): boolean {
  return /(?:^|,)\s*gzip\s*(?:,|;\s*q=(?:1|0\.\d*[1-9])|$)/.test(
    headers["accept-encoding"]?.toString() ?? "",
  );
}
