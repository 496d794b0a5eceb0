/** Logging in and out, and the first user of all. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../gateway/ports.ts";
import {
  type Login,
  LoginSchema,
  NothingSchema,
  OkSchema,
  type Session,
  SessionSchema,
  type SetupBody,
  SetupSchema,
  SetupStateSchema,
} from "./api-schemas.ts";
import { type Accounts, createPasswordCheck } from "./auth/accounts.ts";
import { csrfTokenOf } from "./auth/csrf.ts";
import type { LoginLimit } from "./auth/login-limit.ts";
import { hashPassword, type RandomBytes } from "./auth/password.ts";
import type { Sessions } from "./auth/sessions.ts";
import type { Setup, SetupError } from "./auth/setup.ts";
import type { User } from "./auth/users-file.ts";
import { ApiError } from "./errors.ts";
import { type Asker, cookieNameOf, sessionIdOf } from "./guard.ts";
import { replies } from "./replies.ts";

export interface SessionRoutesOptions {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly limit: LoginLimit;
  readonly setup: Setup;
  readonly random: RandomBytes;
  readonly log: Log;
}

export function sessionRoutes(server: FastifyInstance, options: SessionRoutesOptions): void {
  const { accounts, sessions, limit, random, log } = options;
  setupRoutes(server, options);
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
    log.info({ user: name, address: request.ip }, "logged in");
    return openSession(sessions, request, reply, user);
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
    async (request) => {
      const asker = request.asker!;
      return sessionView(asker, asker.by === "password" ? sessionIdOf(request) : undefined);
    },
  );
}

function setupRoutes(
  server: FastifyInstance,
  { accounts, sessions, setup, log }: SessionRoutesOptions,
): void {
  server.get(
    "/setup",
    {
      config: { needs: "anyone" },
      schema: {
        summary: "Whether the first user is still to be made",
        security: [],
        response: replies(SetupStateSchema),
      },
    },
    async () => {
      await accounts.look();
      return { needed: setup.isNeeded(), open: setup.isOpen() };
    },
  );

  server.post(
    "/setup",
    {
      config: { needs: "anyone" },
      schema: {
        summary: "Make the first user, an engineer, by the link that the daemon printed; opens a session",
        security: [],
        body: SetupSchema,
        response: replies(SessionSchema, 409, 422, 503),
      },
    },
    async (request, reply) => {
      const { token, user: name, password } = request.body as SetupBody;
      const made = await setup.redeem(token, name, password);
      if (!made.ok) {
        log.warn({ address: request.ip, error: made.error }, "the first user was not made");
        throw new ApiError(STATUS_OF_SETUP_ERROR[made.error], made.error, made.message);
      }
      log.info({ user: name, address: request.ip }, "the first user was made, an engineer");
      return openSession(sessions, request, reply, made.user);
    },
  );
}

const STATUS_OF_SETUP_ERROR: Readonly<Record<SetupError, number>> = {
  "setup-done": 409,
  "wrong-link": 403,
  "link-expired": 403,
  "weak-password": 422,
  unavailable: 503,
};

/** Another session than the one before: nobody who has put one there beforehand is in it. */
export function openSession(
  sessions: Sessions,
  request: FastifyRequest,
  reply: FastifyReply,
  { name, role, password }: User,
): Session {
  const before = sessionIdOf(request);
  if (before !== undefined) sessions.close(before);
  const { id, endsAtMs } = sessions.open(name, password);
  setCookie(request, reply, id);
  return sessionView({ name, role, by: "password", expiresMs: endsAtMs }, id);
}

function setCookie(request: FastifyRequest, reply: FastifyReply, id: string): void {
  reply.setCookie(cookieNameOf(request), id, {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure: request.protocol === "https",
  });
}

function sessionView({ name, role, by, expiresMs }: Asker, sessionId: string | undefined): Session {
  return {
    ...{ name, role, by },
    ...(expiresMs !== undefined && { expires: new Date(expiresMs).toISOString() }),
    ...(sessionId !== undefined && { csrf: csrfTokenOf(sessionId) }),
  };
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
