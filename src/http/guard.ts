/** Who may ask for what: every request of the API passes here before anything of it is read. */

import type { FastifyRequest } from "fastify";
import type { Accounts } from "./auth/accounts.ts";
import { CSRF_HEADER, isCsrfTokenOf } from "./auth/csrf.ts";
import type { Sessions } from "./auth/sessions.ts";
import { mayAct, type Role } from "./auth/users-file.ts";
import { ApiError, wrongContentType } from "./errors.ts";
import { createWay, type WayOptions } from "./way.ts";

/** Who asks, and how that is known. */
export interface Asker {
  readonly name: string;
  readonly role: Role;
  readonly by: "password" | "token";
  readonly expiresMs: number | undefined;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Null where anyone may ask. */
    asker: Asker | null;
  }
  interface FastifyContextConfig {
    /** What it takes to ask; `anyone` where neither session nor token is needed, `nobody` where all are refused. */
    readonly needs?: Role | "anyone" | "nobody";
  }
}

export interface GuardOptions extends WayOptions {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
}

export type Guard = ReturnType<typeof createGuard>;

export function createGuard({ accounts, sessions, host, publicUrl, isPeer }: GuardOptions) {
  const checkWay = createWay({ host, publicUrl, isPeer });
  const publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;

  function isOwnOrigin(request: FastifyRequest, origin: string): boolean {
    return origin === publicOrigin || origin === `${request.protocol}://${request.host}`;
  }

  /** @param isCookieSent the browser sends it whoever made the request: it must prove to be our own page's */
  function checkOrigin(request: FastifyRequest, isCookieSent: boolean): void {
    const { origin, "sec-fetch-site": site } = request.headers;
    const isForeign =
      origin !== undefined
        ? !isOwnOrigin(request, origin)
        : isCookieSent
          ? site !== "same-origin"
          : site !== undefined && site !== "same-origin" && site !== "none";
    if (!isForeign) return;
    const message =
      "expected the request to come from the gateway's own page: its own Origin, or Sec-Fetch-Site: same-origin; programs use a token";
    throw new ApiError(403, "foreign-origin", message);
  }

  /** Beside where it is from: what a browser says of that is not all that stands between a page and an act. */
  function checkCsrf(request: FastifyRequest): void {
    if (isCsrfTokenOf(sessionIdOf(request) ?? "", request.headers[CSRF_HEADER])) return;
    const message =
      "expected the header X-Sekisho-Csrf with the session's csrf, as GET /api/session gives it; programs use a token";
    throw new ApiError(403, "csrf-token", message);
  }

  /** What is read by cookie is read by the gateway's own page, or asked for by hand: another port is the same site. */
  function checkReader({ headers }: FastifyRequest): void {
    const { "sec-fetch-site": site } = headers;
    if (site === undefined || site === "same-origin" || site === "none") return;
    throw new ApiError(403, "foreign-origin", "expected the gateway's own page to ask; programs use a token");
  }

  function askerOf(request: FastifyRequest, known: Accounts): Asker | undefined {
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const secret = /^Bearer ([A-Za-z0-9_-]{1,256})$/i.exec(authorization)?.[1];
      const token = secret === undefined ? undefined : known.tokenOf(secret);
      if (token === undefined) return undefined;
      const { name, role, expires } = token;
      return { name, role, by: "token", expiresMs: expires === undefined ? undefined : Date.parse(expires) };
    }
    const id = sessionIdOf(request);
    const session = id === undefined ? undefined : sessions.use(id);
    if (session === undefined) return undefined;
    const user = known.userOf(session.name);
    if (user?.password !== session.password) {
      sessions.close(id!);
      return undefined;
    }
    return { name: user.name, role: user.role, by: "password", expiresMs: session.endsAtMs };
  }

  return {
    checkWay,

    /** @throws ApiError where it may not */
    async admit(request: FastifyRequest): Promise<void> {
      checkWay(request);
      const { needs = "engineer" } = request.routeOptions.config;
      if (request.is404 || needs === "nobody") return; // Refused after this, whoever asks.
      await accounts.look();
      const changes = request.method !== "GET" && request.method !== "HEAD";
      if (needs === "anyone") checkOrigin(request, false);
      else {
        const asker = askerOf(request, accounts);
        if (asker === undefined) throw unauthenticated();
        if (asker.by === "password") {
          if (changes) {
            checkOrigin(request, true);
            checkCsrf(request);
          } else checkReader(request);
        }
        if (!mayAct(asker.role, needs)) {
          throw new ApiError(403, "forbidden", `this takes a ${needs}; ${asker.name} is a ${asker.role}`);
        }
        request.asker = asker;
      }
      // The only type that no page can send elsewhere without being asked for first.
      if (changes && request.mediaType !== "application/json") throw wrongContentType();
    },

    /** Whether one who was admitted would be still; what goes on by itself keeps no session alive. */
    isStillAdmitted(request: FastifyRequest): boolean {
      if (request.asker === null) return false;
      void accounts.look(); // For the next time: it may be that nobody else asks.
      if (request.asker.by === "token") return askerOf(request, accounts) !== undefined;
      const session = sessions.look(sessionIdOf(request) ?? "");
      return session !== undefined && accounts.userOf(session.name)?.password === session.password;
    },
  };
}

function unauthenticated(): ApiError {
  return new ApiError(401, "unauthenticated", "log in, or send a token that is in force", {
    "www-authenticate": 'Bearer realm="sekisho"',
  });
}

/** Under TLS the browser itself holds the cookie to this host, and to TLS. */
export function cookieNameOf({ protocol }: FastifyRequest): string {
  return protocol === "https" ? "__Host-sekisho" : "sekisho";
}

export function sessionIdOf(request: FastifyRequest): string | undefined {
  return request.cookies[cookieNameOf(request)];
}
