/** The HTTP side over a real desk and a real ledger, asked over real HTTP on a port of the system's. */

import { mkdtempSync } from "node:fs";
import { request as ask } from "node:http";
import { request as askOverTls } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sliceOf } from "../../src/commands/decision-slices.ts";
import { seededRandom } from "../../src/core/random.ts";
import type { ApiOptions } from "../../src/http/api.ts";
import type { StationView } from "../../src/http/api-schemas.ts";
import type { StationAuditsView } from "../../src/http/audit-schemas.ts";
import { createAccounts } from "../../src/http/auth/accounts.ts";
import { csrfTokenOf } from "../../src/http/auth/csrf.ts";
import { hashPassword } from "../../src/http/auth/password.ts";
import { newToken } from "../../src/http/auth/token.ts";
import { NOBODY, type Users, writeUsers } from "../../src/http/auth/users-file.ts";
import type { CertificateView } from "../../src/http/certificate-schemas.ts";
import type { HistoryView } from "../../src/http/history-route.ts";
import type { MonitorView } from "../../src/http/monitor-route.ts";
import { createHttp, type HttpOptions } from "../../src/http/server.ts";
import type { ShadowView } from "../../src/http/shadow-route.ts";
import type { ThresholdsStanding } from "../../src/http/thresholds-schemas.ts";
import { aDeskWorld, type DeskWorld } from "./desk.ts";

export const PASSWORD = "correct horse battery";
const SESSION_IDLE_MS = 3_600_000;
const SESSION_LIFETIME_MS = 12 * SESSION_IDLE_MS;

/** What is said of the audits of station press. */
export const STATION_AUDITS: StationAuditsView = {
  ...{ station: "press", revision: 3, alpha: 0.01, auditRate: 0.05 },
  questions: [
    {
      ...{ question: "teacher", parts: 1000, drawn: 52, waiting: 1, good: 50, bad: 1, unanswered: 1 },
      estimate: { risk: 0.04, standardError: 0.0276 },
      ...{ upperBound: 0.16, method: "beta-binomial", eta: 0.05, evidence: 1.4, unansweredCountsAs: "bad" },
    },
    {
      ...{ question: "person", parts: 0, drawn: 0, waiting: 9, good: 0, bad: 0, unanswered: 0 },
      ...{ estimate: null, upperBound: 1, method: "betting", eta: 0.05, evidence: null },
      unansweredCountsAs: "bad",
    },
  ],
  wrong: { known: true, upperBound: 0.17, unfaithful: 0.16, copied: 0.01, eta: 0.1 },
};

/** The same bytes in every run. */
export function someBytes(seed = 1): (count: number) => Uint8Array {
  const random = seededRandom(seed);
  return (count) => Uint8Array.from({ length: count }, () => Math.floor(random.next() * 256));
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON, unless it is text. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly bytes: Buffer;
  /** The body, where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of it.
  readonly json: any;
}

export interface HttpWorld extends DeskWorld {
  readonly origin: string;
  readonly usersFile: string;
  /** Secrets by the name of their role. */
  readonly tokens: Readonly<Record<"viewer" | "reviewer" | "engineer" | "expired", string>>;
  readonly users: Users;
  /** Of the link by which the first user is made. */
  readonly setupToken: string | undefined;
  /** Sends exactly this path. */
  ask(path: string, asked?: Asked): Promise<Answer>;
  /** With the token of a role. */
  askAs(role: "viewer" | "reviewer" | "engineer" | "expired", path: string, asked?: Asked): Promise<Answer>;
  /** Logs hanako in; the cookie that she is known by from then on. */
  logIn(headers?: Asked["headers"]): Promise<string>;
  /** What the console's own page sends with a change in this session. */
  ownPage(cookie: string): Readonly<Record<string, string>>;
  /** All that could have been changed: reviews, events of theirs, decisions, messages. */
  state(): unknown;
  end(): Promise<void>;
}

export interface HttpSketch {
  readonly http?: Partial<Omit<HttpOptions, "api">>;
  readonly api?: Partial<ApiOptions>;
  readonly console?: HttpOptions["console"];
  /** Nobody is known yet. */
  readonly isNew?: boolean;
}

let kept: Promise<string> | undefined;

export async function anHttpWorld({
  http = {},
  api = {},
  isNew = false,
  console = undefined,
}: HttpSketch = {}): Promise<HttpWorld> {
  const desk = aDeskWorld();
  const random = someBytes();
  kept ??= hashPassword(PASSWORD, random);
  const made = Object.fromEntries(
    (["viewer", "reviewer", "engineer", "expired"] as const).map((name) => [name, newToken(random)]),
  );
  const users: Users = {
    users: [
      { name: "hanako", role: "reviewer", password: await kept },
      { name: "kenji", role: "viewer", password: await kept },
    ],
    tokens: Object.entries(made).map(([name, { sha256 }]) => ({
      name: `machine-${name}`,
      role: name === "expired" ? ("engineer" as const) : (name as "viewer"),
      sha256,
      expires: new Date(desk.clock.nowMs() + (name === "expired" ? -1 : 86_400_000)).toISOString(),
    })),
  };
  const usersFile = join(mkdtempSync(join(tmpdir(), "sekisho-http-")), "users.json");
  if (!isNew) writeUsers(usersFile, users);
  const log: HttpOptions["log"] = {
    debug() {},
    info() {},
    warn: (_, message) => void desk.logged.push(message),
    error: (fields, message) => void desk.logged.push(`${message} ${JSON.stringify(fields)}`),
  };
  const accounts = createAccounts({
    file: usersFile,
    users: isNew ? NOBODY : users,
    nowMs: desk.clock.nowMs,
    log,
  });
  const { server, setupToken } = await createHttp({
    host: "127.0.0.1",
    port: 0,
    tls: undefined,
    behindProxy: [],
    metrics: { contentType: "text/plain", metrics: async () => "sekisho_up 1\n" },
    trouble: () => undefined,
    log,
    console,
    ...http,
    api: {
      accounts,
      entry: undefined,
      publicUrl: undefined,
      sessionIdleMs: SESSION_IDLE_MS,
      sessionLifetimeMs: SESSION_LIFETIME_MS,
      desk: desk.desk,
      shownFrame: async () => ({ kind: "none", why: "no-station" }),
      audits: desk.ledger.audits,
      stationAudits: (station) => (station === STATION_AUDITS.station ? STATION_AUDITS : undefined),
      stations: () => [aStationView(desk)],
      history: async (station) => (station === "press" ? HISTORY : undefined),
      certificate: async (station) => (station === "press" ? CERTIFICATE : undefined),
      replay: async (station) => (station === "press" ? { kind: "busy" } : { kind: "no-station" }),
      shadow: (station) => (station === "press" ? SHADOW : undefined),
      clearMonitor: () => "the act clears another red",
      monitor: (station) => (station === "press" ? MONITOR : undefined),
      thresholdsOf: (station) => (station === "press" ? THRESHOLDS : undefined),
      lookBack: sliceOf(desk.ledger.lookBack),
      submitThresholds: (station) => ({ outcome: "refused", station, reasons: ["not here"] }),
      clock: desk.clock,
      random,
      log,
      ...api,
    },
  });
  const origin = await server.listen({ host: "127.0.0.1", port: 0 });
  const tokens = Object.fromEntries(
    Object.entries(made).map(([name, { token }]) => [name, token]),
  ) as HttpWorld["tokens"];

  const world: HttpWorld = {
    ...desk,
    origin,
    usersFile,
    tokens,
    users,
    setupToken,
    ownPage: (cookie) => ({ cookie, origin, "x-sekisho-csrf": csrfTokenOf(cookie.split("=")[1]!) }),
    ask: (path, asked) => send(origin, path, asked),
    askAs: (role, path, asked = {}) =>
      send(origin, path, {
        ...asked,
        headers: { authorization: `Bearer ${tokens[role]}`, ...asked.headers },
      }),
    async logIn(headers = {}) {
      const answer = await send(origin, "/api/login", {
        method: "POST",
        body: { user: "hanako", password: PASSWORD },
        headers,
      });
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
      return String(answer.headers["set-cookie"]).split(";", 1)[0]!;
    },
    state: () => ({
      head: desk.ledger.chainHead(),
      reviews: desk.desk.list({
        states: ["held", "open", "claimed", "resolved", "expired"],
        limit: 500,
      }),
      decisions: desk.ledger.decisionsAfter(0, 1000).length,
      told: desk.told.length,
    }),
    async end() {
      await server.close();
      desk.desk.close();
      desk.ledger.close();
    },
  };
  return world;
}

const MONITOR: MonitorView = {
  ...{ station: "press", state: "red", since: "2026-11-25T08:00:00.000Z" },
  evidence: { drift: 31.5, risk: 1 },
  words: { en: "press's monitor is red.", ja: "press の監視は赤。" },
};

const THRESHOLDS: ThresholdsStanding = {
  ...{ station: "press", envelope: "e".repeat(64), revision: 1, nextRevision: 2 },
  base: { station: "press", revision: 1, lambda: 0.05 },
  pending: null,
  signers: ["aki", "ben"],
  log: [
    { seq: 2, kind: "refused", revision: null, at: "2026-11-25T08:00:00.000Z", via: "file", reasons: ["no"] },
    {
      ...{ seq: 1, kind: "revision", revision: 1, at: "2026-11-25T07:00:00.000Z", via: "file" },
      ...{ persons: ["aki"], certified: true, loosens: [], document: { revision: 1 } },
    },
  ],
};

const CERTIFICATE: CertificateView = {
  ...{ station: "press", revision: 1, mode: "guarded", lambda: 0.1, classes: ["good"], classLambdas: {} },
  ...{ certified: true, upperBound: 0.01, expectedPassRate: 0.5, alpha: 0.01, alphaClass: 0.05, eta: 0.05 },
  ...{ delta: 0.1, envelope: "e".repeat(64), allClasses: ["good", "bad"], rules: [] },
};

const HISTORY: HistoryView = {
  ...{ station: "press", step: 1, complete: true },
  points: [
    {
      ...{ at: "2026-03-01T06:00:00.000Z", frames: 9, pass: 6, review: 3, reject: 0 },
      ...{ byReason: { score: 3 }, byClass: { good: 3 } },
    },
  ],
  monitor: [{ at: "2026-03-01T06:00:00.000Z", state: "green", evidence: { drift: 1, risk: 1 } }],
};

const SHADOW: ShadowView = {
  ...{ station: "press", state: "running" },
  comparison: {
    ...{ liveBundle: "b".repeat(64), liveRevision: 1, shadowBundle: "c".repeat(64), shadowRevision: 1 },
    ...{ from: "2026-03-01T06:00:00.000Z", to: "2026-03-01T07:00:00.000Z" },
    ...{ judged: 3, dropped: 1, lost: 0, differing: 1 },
    pairs: [
      {
        live: { decision: "pass", class: "good" },
        shadow: { decision: "review", class: null },
        frames: 1,
      },
    ],
  },
};

function aStationView({ desk }: DeskWorld): StationView {
  const { open, held, overdue } = desk.standing("press");
  return {
    station: "press",
    mode: "guarded",
    monitor: "off",
    revision: 1,
    certified: true,
    signed: false,
    openReviews: open,
    heldReviews: held,
    overdueReviews: overdue,
    bundle: "press",
    bundleVersion: "1",
    classes: ["good", "bad"],
    frame: { kind: "image", type: "u8", shape: [2, 2, 1] },
  };
}

/** As it stands: no client mends a path, a header or a body on its way. */
export function send(
  origin: string,
  path: string,
  { method, headers = {}, body }: Asked = {},
  tls?: { readonly ca: Buffer; readonly servername: string },
): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = (tls === undefined ? ask : askOverTls)(
      {
        ...{ host: hostname, port, path, ...tls },
        method: method ?? "GET",
        agent: false,
        headers: Object.fromEntries(
          Object.entries({
            ...(text !== undefined && {
              "content-type": "application/json",
              "content-length": String(Buffer.byteLength(text)),
            }),
            ...headers,
          }).filter((entry): entry is [string, string] => entry[1] !== undefined),
        ),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const found = bytes.toString();
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text: found,
            bytes,
            json: String(response.headers["content-type"]).startsWith("application/json")
              ? JSON.parse(found)
              : undefined,
          });
        });
      },
    );
    request.on("error", reject);
    request.end(text);
  });
}
