/** The HTTP side: metrics for Prometheus, whether the gateway lives and judges, the API, and the console. */

import Fastify, { type FastifyError, type FastifyInstance } from "fastify";
import type { Log } from "../gateway/ports.ts";
import { type ApiOptions, serveApi } from "./api.ts";
import type { ConsoleFile } from "./console/files.ts";
import { consoleRoutes } from "./console/routes.ts";
import { apiErrorOf, noSuchRoute, refuseUnreadable, SAFE_HEADERS, sendError } from "./errors.ts";
import { peersOf } from "./peers.ts";
import { checkStrictly } from "./validation.ts";

export interface HttpOptions {
  readonly host: string;
  /** 0: one that the system gives. */
  readonly port: number;
  /** PEM. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** Addresses of the proxies whose word is taken for who asks, and how. */
  readonly behindProxy: readonly string[];
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  /** Why frames are not being judged at present, or undefined. */
  readonly trouble: () => string | undefined;
  readonly api: ApiOptions;
  /** Undefined where the console has not been built. */
  readonly console: readonly ConsoleFile[] | undefined;
  readonly log: Log;
}

export interface HttpServer {
  readonly url: string;
  /** By which the first user is made, behind the address; undefined where somebody is known. */
  readonly setupPath: string | undefined;
  close(): Promise<void>;
}

export class AddressTaken extends Error {
  override readonly name = "AddressTaken";
}

const BODY_BYTES_MAX = 65_536;
const HEADER_BYTES_MAX = 16_384;
const REQUEST_MS = 10_000;
/** Without a byte in either direction; events have a heartbeat. */
const SILENCE_MS = 60_000;
const CONNECTIONS_MAX = 512;
/** Longer names there are none. */
const PARAM_CHARACTERS_MAX = 128;

/** @throws AddressTaken where it cannot listen, saying which setting to change */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port } = options;
  const { server, setupToken } = await createHttp(options);
  try {
    const url = await server.listen({ host, port });
    // Behind the #: no browser sends it to anybody.
    const setupPath = setupToken === undefined ? undefined : `/#/setup?token=${setupToken}`;
    return { url, setupPath, close: () => server.close() };
  } catch (error) {
    await server.close();
    const problem = inWords(error as NodeJS.ErrnoException, host, port);
    throw problem === undefined ? error : new AddressTaken(problem);
  }
}

function inWords({ code }: NodeJS.ErrnoException, host: string, port: number): string | undefined {
  switch (code) {
    case "EADDRINUSE":
      return `http: ${host}:${port} is taken by another program; set http.port to a free one`;
    case "EACCES":
      return `http: ${host}:${port} may not be listened on by this user; set http.port to one above 1023`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `http: ${host} is no address of this machine (${code}); set http.host to one that it has, or to 127.0.0.1`;
    default:
      return undefined;
  }
}

/** The server with its routes, not yet listening. */
export async function createHttp(
  options: HttpOptions,
): Promise<{ readonly server: FastifyInstance; readonly setupToken: string | undefined }> {
  const { metrics, trouble, api, host, tls, behindProxy, log } = options;
  const server = createServer(options);
  server.server.maxConnections = CONNECTIONS_MAX;
  checkStrictly(server);
  server.removeContentTypeParser("text/plain");
  server.setErrorHandler<FastifyError>((error, _, reply) => sendError(reply, apiErrorOf(error, log)));
  server.setNotFoundHandler(noSuchRoute);
  server.addHook("onRequest", async (_, reply) => {
    reply.headers(SAFE_HEADERS);
  });
  const isDirect = tls !== undefined || behindProxy.length === 0;
  const isPeer = isDirect ? () => true : peersOf(behindProxy);
  const { guard, setupToken } = await serveApi(server, { host, isPeer }, api);
  consoleRoutes(server, { files: options.console, checkWay: guard.checkWay });
  const hidden = { schema: { hide: true } };
  server.get("/metrics", hidden, async (_, reply) => {
    const body = await metrics.metrics();
    return reply.header("content-type", metrics.contentType).send(body);
  });
  server.get("/healthz", hidden, async () => ({ ok: true }));
  server.get("/readyz", hidden, async (_, reply) => {
    const reason = trouble();
    return reason === undefined ? { ready: true } : reply.code(503).send({ ready: false, reason });
  });
  return { server, setupToken };
}

function createServer({ tls, behindProxy, log }: HttpOptions): FastifyInstance {
  const limits = { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: REQUEST_MS };
  const shared = {
    logger: false,
    forceCloseConnections: true,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS,
    connectionTimeout: SILENCE_MS,
    routerOptions: { maxParamLength: PARAM_CHARACTERS_MAX },
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error: FastifyError, _: unknown, reply: Parameters<typeof sendError>[0]) => {
      sendError(reply, apiErrorOf(error, log));
    },
    ...(behindProxy.length > 0 && { trustProxy: [...behindProxy] }),
  };
  // Two kinds of server, of which the routes need not know.
  return tls === undefined
    ? Fastify({ ...shared, http: limits })
    : (Fastify({
        ...shared,
        https: { ...limits, cert: tls.cert, key: tls.key, minVersion: "TLSv1.2" },
      }) as unknown as FastifyInstance);
}
