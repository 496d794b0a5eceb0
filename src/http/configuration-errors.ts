/** What a gateway serves whose configuration is wrong: a page that lists every error, until it is right. */

import { createHash } from "node:crypto";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { ApiError, noSuchRoute, refuseUnreadable, SAFE_HEADERS, sendError } from "./errors.ts";
import { isLoopback } from "./peers.ts";
import { createWay, type WayOptions } from "./way.ts";

export interface ConfigurationError {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface ErrorsServerOptions extends WayOptions {
  readonly port: number;
  /** PEM. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly behindProxy: readonly string[];
  readonly errors: () => readonly ConfigurationError[];
}

const STYLE =
  "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}code{font-size:1.05em}li{margin:0 0 1rem}@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}}";
const STYLE_DIGEST = createHash("sha256").update(STYLE).digest("base64");
/** Loads the page anew when it would be another, also when a gateway answers in its place. */
const SCRIPT = `let seen;
setInterval(async () => {
  try {
    const answer = await fetch("/api/configuration-errors", { cache: "no-store" });
    const found = answer.status + (await answer.text());
    if (seen !== undefined && seen !== found) location.reload();
    seen = found;
  } catch {}
}, 2000);
`;
const POLICY = `default-src 'none'; script-src 'self'; style-src 'sha256-${STYLE_DIGEST}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The server, not yet listening. Nobody can log in yet, so details are for those at this machine only. */
export function createErrorsServer(options: ErrorsServerOptions): FastifyInstance {
  const { errors, tls, behindProxy } = options;
  const shared = {
    ...{ logger: false, forceCloseConnections: true, bodyLimit: 1024, requestTimeout: 10_000 },
    clientErrorHandler: refuseUnreadable,
    ...(behindProxy.length > 0 && { trustProxy: [...behindProxy] }),
  };
  const server =
    tls === undefined
      ? Fastify(shared)
      : (Fastify({ ...shared, https: { ...tls, minVersion: "TLSv1.2" } }) as unknown as FastifyInstance);
  const checkWay = createWay(options);
  server.addHook("onRequest", async (_, reply) => {
    reply.headers({ ...SAFE_HEADERS, "cache-control": "no-store" });
  });
  server.setErrorHandler((error, _, reply) =>
    sendError(
      reply,
      error instanceof ApiError ? error : new ApiError(400, "malformed", "the request cannot be read"),
    ),
  );
  server.setNotFoundHandler(noSuchRoute);
  const reason = "the configuration is wrong";
  server.get("/healthz", async () => ({ ok: true }));
  server.get("/readyz", async (_, reply) => reply.code(503).send({ ready: false, reason }));
  server.get("/api/configuration-errors", async (request) => {
    checkWay(request);
    const all = errors();
    return isNear(request) ? { count: all.length, errors: all } : { count: all.length };
  });
  server.get("/reload.js", async (request, reply) => {
    checkWay(request);
    return reply.type("text/javascript; charset=utf-8").send(SCRIPT);
  });
  server.get("/", async (request, reply) => {
    checkWay(request);
    const page = pageOf(errors(), isNear(request));
    return reply
      .code(503)
      .header("content-security-policy", POLICY)
      .type("text/html; charset=utf-8")
      .send(page);
  });
  return server;
}

/** Whether it comes from this machine, and through no proxy, named or not. */
function isNear({ ip, headers }: FastifyRequest): boolean {
  const isPassedOn = ["x-forwarded-for", "forwarded", "via", "x-real-ip"].some((name) => name in headers);
  return isLoopback(ip) && !isPassedOn;
}

function pageOf(errors: readonly ConfigurationError[], isComplete: boolean): string {
  const items = errors.map(
    ({ file, line, column, message }) =>
      `<li><code>${escaped(file)}:${line}:${column}</code><br>${escaped(message)}</li>`,
  );
  const body = isComplete
    ? `<ol>${items.join("\n")}</ol>`
    : `<p>${errors.length} errors. Open this page on the gateway itself, or run <code>sekisho check</code> there, to see them:
nobody can log in yet.</p>
<p lang="ja">誤りは ${errors.length} 件です。ログインできない状態のため、詳細はゲートウェイ本体でこのページを開くか、
<code>sekisho check</code> を実行してご確認ください。</p>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sekisho: the configuration is wrong</title>
<style>${STYLE}</style>
<h1>The configuration is wrong</h1>
<p>Sekisho judges no frames until this is put right. Save the file: it is read again by itself, and the gateway starts.</p>
<p lang="ja">設定に誤りがあるため、フレームの判定を始められません。ファイルを直して保存すると、自動的に読み直して起動します。</p>
${body}
<script src="/reload.js"></script>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}
