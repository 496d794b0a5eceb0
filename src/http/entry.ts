/** A link that lets its holder in as one user without a password: for the demo, which nobody signs up for. */

import { timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { RandomBytes } from "./auth/password.ts";
import { digestOf } from "./auth/token.ts";

/** 128 random bits: a link fits on a line of a terminal, and is good once. */
const TOKEN_BYTES = 16;

export type Entry = ReturnType<typeof createEntry>;

export function createEntry(user: string, random: RandomBytes) {
  const another = (): string => Buffer.from(random(TOKEN_BYTES)).toString("base64url");
  let token = another();
  return {
    user,
    /** The path that is good now. */
    path: (): string => `/enter/${token}`,
    /** Whether this is the one; it is void from then on, and another is good. */
    take(given: string): boolean {
      const isRight = timingSafeEqual(digestOf(given), digestOf(token));
      if (isRight) token = another();
      return isRight;
    },
  };
}

/** Lets in who brings the right link, and leads everybody on to the console: a used link tells nothing. */
export function entryRoute(
  server: FastifyInstance,
  entry: Entry,
  checkWay: (request: FastifyRequest) => void,
  openSession: (request: FastifyRequest, reply: FastifyReply, user: string) => void,
): void {
  server.get("/enter/:token", { exposeHeadRoute: false, schema: { hide: true } }, (request, reply) => {
    checkWay(request);
    const { token } = request.params as { token: string };
    if (entry.take(token)) openSession(request, reply, entry.user);
    return reply.header("cache-control", "no-store").redirect("/", 303);
  });
}
