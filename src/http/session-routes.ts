/** Logging in and out. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../gateway/ports.ts";
import {
  type Login,
  LoginSchema,
  NothingSchema,
  OkSchema,
  type Session,
  SessionSchema,
} from "./api-schemas.ts";
import { type Accounts, createPasswordCheck } from "./auth/accounts.ts";
import type { LoginLimit } from "./auth/login-limit.ts";
import { hashPassword, type RandomBytes } from "./auth/password.ts";
import type { Sessions } from "./auth/sessions.ts";
import { ApiError } from "./errors.ts";
import { type Asker, cookieNameOf, sessionIdOf } from "./guard.ts";
import { replies } from "./replies.ts";

export interface SessionRoutesOptions {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly limit: LoginLimit;
  readonly random: RandomBytes;
  readonly log: Log;
}

export function sessionRoutes(server: FastifyInstance, options: SessionRoutesOptions): void {
  const { accounts, sessions, limit, random, log } = options;
  const passwords = createPasswordCheck();
  // Of nobody: an unknown name takes as long as a known one.
  const nobodys = hashPassword(Buffer.from(random(32)).toString("hex"), random);
  nobodys.catch(() => {}); // Who logs in is told.

  async function logIn(request: FastifyRequest, reply: FastifyReply): Promise<Session> {
    const { user: name, password } = request.body as Login;
    const waitMs = limit.take(name, request.ip);
    if (waitMs > 0) throw tooMany(waitMs);
    if (passwords.isFull()) throw new ApiError(503, "unavailable", "many log in at this moment; try again");
    const user = accounts.userOf(name);
    const isRight = await passwords.isRight(password, user?.password ?? (await nobodys));
    if (user === undefined || !isRight) {
      log.warn({ user: name, address: request.ip }, "a login was refused");
      throw new ApiError(401, "wrong-password", "there is no such user, or this is not their password");
    }
    limit.giveBack(name, request.ip);
    const before = sessionIdOf(request);
    if (before !== undefined) sessions.close(before);
    const { id, endsAtMs } = sessions.open(user.name, user.password);
    setCookie(request, reply, id);
    log.info({ user: name, address: request.ip }, "logged in");
    return sessionView({ name: user.name, role: user.role, by: "password", expiresMs: endsAtMs });
  }

  server.post(
    "/login",
    {
      config: { needs: "anyone" },
      schema: {
        summary: "Log in; the session comes as a cookie",
        security: [],
        body: LoginSchema,
        response: replies(SessionSchema, 401, 429, 503),
      },
    },
    logIn,
  );

  server.post(
    "/logout",
    {
      config: { needs: "viewer" },
      schema: { summary: "End the session", body: NothingSchema, response: replies(OkSchema) },
    },
    async (request, reply) => {
      const id = sessionIdOf(request);
      if (id !== undefined) sessions.close(id);
      reply.clearCookie(cookieNameOf(request), { path: "/", secure: request.protocol === "https" });
      return { ok: true };
    },
  );

  server.get(
    "/session",
    {
      config: { needs: "viewer" },
      schema: { summary: "Who asks, and with which role", response: replies(SessionSchema) },
    },
    async (request) => sessionView(request.asker!),
  );
}

function setCookie(request: FastifyRequest, reply: FastifyReply, id: string): void {
  reply.setCookie(cookieNameOf(request), id, {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure: request.protocol === "https",
  });
}

function sessionView({ name, role, by, expiresMs }: Asker): Session {
  return { name, role, by, ...(expiresMs !== undefined && { expires: new Date(expiresMs).toISOString() }) };
}

function tooMany(waitMs: number): ApiError {
  const seconds = Math.ceil(waitMs / 1000);
  return new ApiError(
    429,
    "too-many-tries",
    `too many passwords were tried for this user or from this address; try again in ${seconds} s`,
    { "retry-after": String(seconds) },
  );
}
