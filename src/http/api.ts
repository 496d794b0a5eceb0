/** The HTTP API under /api: its routes, and what each request passes before it comes to one. */

import cookie from "@fastify/cookie";
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import type { Clock, Log } from "../gateway/ports.ts";
import { EventsQuerySchema } from "./api-schemas.ts";
import { type AuditRoutesOptions, auditRoutes } from "./audit-routes.ts";
import type { Accounts } from "./auth/accounts.ts";
import { createLoginLimit } from "./auth/login-limit.ts";
import type { RandomBytes } from "./auth/password.ts";
import { createSessions } from "./auth/sessions.ts";
import { createSetup } from "./auth/setup.ts";
import { type CertificateRoutesOptions, certificateRoutes } from "./certificate-routes.ts";
import { type DecisionsRoutesOptions, decisionsRoutes } from "./decisions/routes.ts";
import { type Entry, entryRoute } from "./entry.ts";
import { ApiError } from "./errors.ts";
import { createEvents } from "./events.ts";
import { frameRoutes } from "./frame-routes.ts";
import { type FrameViewRoutesOptions, frameViewRoutes } from "./frame-view-routes.ts";
import { createGuard, type Guard, type GuardOptions } from "./guard.ts";
import { type HistoryRouteOptions, historyRoute } from "./history-route.ts";
import { type MonitorRouteOptions, monitorRoute } from "./monitor-route.ts";
import { type ReadingRoutesOptions, readingRoutes } from "./reading-routes.ts";
import { replies } from "./replies.ts";
import { type ReviewRoutesOptions, reviewRoutes } from "./review-routes.ts";
import { openSession, sessionRoutes } from "./session-routes.ts";
import { type ShadowRouteOptions, shadowRoute } from "./shadow-route.ts";
import { type ThresholdsRoutesOptions, thresholdsRoutes } from "./thresholds-routes.ts";

export interface ApiOptions
  extends ReviewRoutesOptions,
    ReadingRoutesOptions,
    DecisionsRoutesOptions,
    HistoryRouteOptions,
    CertificateRoutesOptions,
    FrameViewRoutesOptions,
    ShadowRouteOptions,
    AuditRoutesOptions,
    ThresholdsRoutesOptions,
    MonitorRouteOptions {
  readonly accounts: Accounts;
  /** Lets its holder in without a password; undefined but in a demo. */
  readonly entry: Entry | undefined;
  /** By which people reach the gateway, beside its own address. */
  readonly publicUrl: string | undefined;
  readonly sessionIdleMs: number;
  readonly sessionLifetimeMs: number;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
}

const OPENAPI = {
  openapi: "3.1.0",
  info: {
    title: "Sekisho",
    version: "1",
    description: "Reviews, decisions, stations and live events of a gateway. See docs/api.md.",
  },
  components: {
    securitySchemes: {
      token: { type: "http" as const, scheme: "bearer", description: "`Authorization: Bearer TOKEN`" },
      session: {
        type: "apiKey" as const,
        in: "cookie" as const,
        name: "sekisho",
        description: "Set by a login; `__Host-sekisho` under TLS.",
      },
    },
  },
  security: [{ token: [] }, { session: [] }],
};

const SESSIONS_MAX = 1000;
const SESSIONS_PER_USER_MAX = 20;

export interface ServedApi {
  readonly guard: Guard;
  /** Of the link by which the first user is made; undefined where somebody is known. */
  readonly setupToken: string | undefined;
}

/** Puts the API under /api. */
export async function serveApi(
  server: FastifyInstance,
  { host, isPeer }: Pick<GuardOptions, "host" | "isPeer">,
  options: ApiOptions,
): Promise<ServedApi> {
  const { accounts, clock, random, log, publicUrl, sessionIdleMs, sessionLifetimeMs } = options;
  const sessions = createSessions({
    nowMs: clock.nowMs,
    random,
    idleMs: sessionIdleMs,
    lifetimeMs: sessionLifetimeMs,
    sessionsMax: SESSIONS_MAX,
    perUserMax: SESSIONS_PER_USER_MAX,
  });
  const guard = createGuard({ accounts, sessions, host, publicUrl, isPeer });
  const setup = createSetup({ accounts, monotonicMs: clock.monotonicMs, random });
  await server.register(cookie);
  await server.register(swagger, { openapi: OPENAPI });
  await server.register(
    async (api) => {
      api.decorateRequest("asker", null);
      api.addHook("onRequest", async (request, reply) => {
        reply.header("cache-control", "no-store");
        await guard.admit(request);
      });
      const refuseOthers = refuseOtherMethods(api);
      const limit = createLoginLimit(clock.nowMs, random);
      sessionRoutes(api, { accounts, sessions, limit, setup, random, log });
      readingRoutes(api, options);
      decisionsRoutes(api, guard, clock.monotonicMs, options);
      historyRoute(api, options);
      certificateRoutes(api, options);
      shadowRoute(api, options);
      auditRoutes(api, options);
      monitorRoute(api, options);
      reviewRoutes(api, options);
      frameRoutes(api, options);
      frameViewRoutes(api, options);
      thresholdsRoutes(api, options);
      eventRoute(api, guard, options);
      api.get(
        "/openapi.json",
        { config: { needs: "viewer" }, schema: { summary: "This description", hide: true } },
        async () => server.swagger(),
      );
      api.setNotFoundHandler((request) => {
        throw new ApiError(404, "not-found", `nothing is at this path, for ${request.method}`);
      });
      refuseOthers();
    },
    { prefix: "/api" },
  );
  if (options.entry !== undefined) {
    entryRoute(server, options.entry, guard.checkWay, (request, reply, name) => {
      const user = accounts.userOf(name);
      if (user !== undefined) openSession(sessions, request, reply, user);
    });
  }
  return { guard, setupToken: setup.token };
}

function eventRoute(api: FastifyInstance, guard: Guard, { desk, stations, clock, log }: ApiOptions): void {
  const events = createEvents({ desk, stations, clock, log });
  api.addHook("preClose", async () => events.close());
  api.get(
    "/events",
    {
      exposeHeadRoute: false,
      config: { needs: "viewer" },
      schema: {
        summary:
          "Server-sent events: `review` as published over MQTT but for the frame, `station` as it stands",
        querystring: EventsQuerySchema,
        response: {
          ...replies(EventsQuerySchema, 503),
          200: {
            description: "Goes on until either side ends it.",
            content: { "text/event-stream": { schema: { type: "string" } } },
          },
        },
      },
    },
    (request, reply) => {
      if (events.isFull()) {
        throw new ApiError(503, "too-many-clients", "as many listen as may; try again later", {
          "retry-after": "10",
        });
      }
      const { station } = request.query as { station?: string };
      reply.hijack();
      events.join(reply.raw, station, () => guard.isStillAdmitted(request));
    },
  );
}

/**
 * Answers at each path what methods there are, where it is asked for another.
 * @returns to be called when all routes are there
 */
function refuseOtherMethods(api: FastifyInstance): () => void {
  const methodsOf = new Map<string, Set<string>>();
  let isDone = false;
  api.addHook("onRoute", ({ url, method }) => {
    if (isDone) return;
    const methods = methodsOf.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    methodsOf.set(url, methods);
  });
  return () => {
    isDone = true;
    for (const [url, methods] of methodsOf) {
      const others = api.supportedMethods.filter((one) => !methods.has(one));
      const allow = [...methods].join(", ");
      api.route({
        url: url.slice("/api".length),
        method: others,
        schema: { hide: true },
        config: { needs: "nobody" },
        onRequest: async () => {
          throw new ApiError(405, "method-not-allowed", `expected one of ${allow}`, { allow });
        },
        handler: async () => {},
      });
    }
  };
}
