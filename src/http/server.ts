/** The HTTP side: metrics for Prometheus, and whether the gateway lives and judges. */

import Fastify, { type FastifyInstance } from "fastify";

export interface HttpOptions {
  readonly host: string;
  /** 0: one that the system gives. */
  readonly port: number;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  /** Why frames are not being judged at present, or undefined. */
  readonly trouble: () => string | undefined;
}

export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

export class AddressTaken extends Error {
  override readonly name = "AddressTaken";
}

/** @throws AddressTaken, saying which setting to change */
export async function startHttp({ host, port, metrics, trouble }: HttpOptions): Promise<HttpServer> {
  const server: FastifyInstance = Fastify({ logger: false, forceCloseConnections: true });
  server.get("/metrics", async (_, reply) => {
    const body = await metrics.metrics();
    return reply.header("content-type", metrics.contentType).send(body);
  });
  server.get("/healthz", async () => ({ ok: true }));
  server.get("/readyz", async (_, reply) => {
    const reason = trouble();
    return reason === undefined ? { ready: true } : reply.code(503).send({ ready: false, reason });
  });
  try {
    const url = await server.listen({ host, port });
    return { url, close: () => server.close() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new AddressTaken(`http: ${host}:${port} is taken by another program; set http.port to a free one`);
  }
}
