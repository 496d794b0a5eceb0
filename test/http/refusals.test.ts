/** What the HTTP API refuses: each case says status and code, and leaves everything as it was. */

import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type Asked, anHttpWorld, type HttpWorld, PASSWORD } from "../support/http.ts";

type Refused = readonly [
  what: string,
  status: number,
  code: string,
  ask: (world: HttpWorld) => Promise<Answer>,
];

let world: HttpWorld;
let cookie: string;

beforeAll(async () => {
  world = await anHttpWorld();
  world.frames(
    { id: "open" },
    { id: "held" },
    { id: "taken", source: "cam-2" },
    { id: "done", source: "cam-3" },
  );
  for (const [review, path, body] of [
    ["r-taken", "claim", { reviewRevision: 1 }],
    ["r-done", "verdict", { reviewRevision: 1, verdict: "confirm" }],
  ] as const) {
    const answer = await world.askAs("engineer", `/api/reviews/${review}/${path}`, { method: "POST", body });
    expect(answer.status).toBe(200);
  }
  cookie = await world.logIn();
});
afterAll(() => world.end());

const CONFIRM = { reviewRevision: 1, verdict: "confirm" };
const VERDICT = "/api/reviews/r-open/verdict";

const post = (body: unknown, headers: Asked["headers"] = {}): Asked => ({ method: "POST", body, headers });
/** The verdict that would be taken, but for what is said of it. */
const byReviewer = (path: string, body: unknown, headers?: Asked["headers"]) => (w: HttpWorld) =>
  w.askAs("reviewer", path, post(body, headers));
const byCookie =
  (headers: Asked["headers"], body: unknown = CONFIRM) =>
  (w: HttpWorld) =>
    w.ask(VERDICT, post(body, { ...w.ownPage(cookie), ...headers }));
const look = (path: string) => (w: HttpWorld) => w.askAs("viewer", path);

const WHO: readonly Refused[] = [
  ["a list without a session", 401, "unauthenticated", (w) => w.ask("/api/reviews")],
  ["a frame without a session", 401, "unauthenticated", (w) => w.ask("/api/reviews/r-open/frame")],
  ["decisions without a session", 401, "unauthenticated", (w) => w.ask("/api/decisions")],
  ["events without a session", 401, "unauthenticated", (w) => w.ask("/api/events")],
  ["the API's description without a session", 401, "unauthenticated", (w) => w.ask("/api/openapi.json")],
  ["a verdict without a session", 401, "unauthenticated", (w) => w.ask(VERDICT, post(CONFIRM))],
  ["a session that nobody opened", 401, "unauthenticated", byCookie({ cookie: `sekisho=${"A".repeat(43)}` })],
  [
    "a session by the cookie's name under TLS",
    401,
    "unauthenticated",
    (w) =>
      w.ask(
        VERDICT,
        post(CONFIRM, { cookie: cookie.replace("sekisho=", "__Host-sekisho="), origin: w.origin }),
      ),
  ],
  [
    "a token that nobody made",
    401,
    "unauthenticated",
    byReviewer(VERDICT, CONFIRM, { authorization: "Bearer sekisho_x" }),
  ],
  ["a token that has expired", 401, "unauthenticated", (w) => w.askAs("expired", VERDICT, post(CONFIRM))],
  [
    "the digest of a token for the token",
    401,
    "unauthenticated",
    (w) => w.ask("/api/session", { headers: { authorization: `Bearer ${w.users.tokens[2]!.sha256}` } }),
  ],
  [
    "another scheme than Bearer",
    401,
    "unauthenticated",
    (w) => w.ask("/api/session", { headers: { authorization: `Basic ${btoa(`hanako:${PASSWORD}`)}` } }),
  ],
  [
    "a wrong token beside a right cookie",
    401,
    "unauthenticated",
    byCookie({ authorization: "Bearer wrong" }),
  ],
  ["a token in the query", 401, "unauthenticated", (w) => w.ask(`/api/reviews?token=${w.tokens.engineer}`)],
  ["a verdict of a viewer", 403, "forbidden", (w) => w.askAs("viewer", VERDICT, post(CONFIRM))],
  [
    "a claim of a viewer",
    403,
    "forbidden",
    (w) => w.askAs("viewer", "/api/reviews/r-open/claim", post({ reviewRevision: 1 })),
  ],
  [
    "a release of a viewer",
    403,
    "forbidden",
    (w) => w.askAs("viewer", "/api/reviews/r-taken/release", post({ reviewRevision: 2 })),
  ],
  [
    "a wrong password",
    401,
    "wrong-password",
    (w) => w.ask("/api/login", post({ user: "hanako", password: "x" })),
  ],
  [
    "a user that there is not",
    401,
    "wrong-password",
    (w) => w.ask("/api/login", post({ user: "nobody", password: PASSWORD })),
  ],
];

const WHERE_FROM: readonly Refused[] = [
  [
    "a verdict by cookie from a foreign page",
    403,
    "foreign-origin",
    byCookie({ origin: "http://evil.example" }),
  ],
  [
    "one from the same host at another port",
    403,
    "foreign-origin",
    byCookie({ origin: "http://127.0.0.1:1" }),
  ],
  [
    "one from the same host over another scheme",
    403,
    "foreign-origin",
    (w) => w.ask(VERDICT, post(CONFIRM, { cookie, origin: w.origin.replace("http:", "https:") })),
  ],
  ["one from a page without an origin of its own", 403, "foreign-origin", byCookie({ origin: "null" })],
  ["one that does not say where it is from", 403, "foreign-origin", byCookie({ origin: undefined })],
  [
    "one from a page of the same site",
    403,
    "foreign-origin",
    byCookie({ origin: undefined, "sec-fetch-site": "same-site" }),
  ],
  [
    "one whose origin is foreign, whatever else it says",
    403,
    "foreign-origin",
    byCookie({ origin: "http://evil.example", "sec-fetch-site": "same-origin" }),
  ],
  [
    "a logout from a foreign page",
    403,
    "foreign-origin",
    (w) => w.ask("/api/logout", post({}, { cookie, origin: "http://evil.example" })),
  ],
  [
    "a login from a foreign page",
    403,
    "foreign-origin",
    (w) =>
      w.ask("/api/login", post({ user: "hanako", password: PASSWORD }, { origin: "http://evil.example" })),
  ],
  [
    "a login from a page of another site",
    403,
    "foreign-origin",
    (w) =>
      w.ask("/api/login", post({ user: "hanako", password: PASSWORD }, { "sec-fetch-site": "cross-site" })),
  ],
  ["one without the session's token", 403, "csrf-token", byCookie({ "x-sekisho-csrf": undefined })],
  [
    "one with the token of another session",
    403,
    "csrf-token",
    (w) => byCookie({ "x-sekisho-csrf": w.ownPage(`sekisho=${"A".repeat(43)}`)["x-sekisho-csrf"]! })(w),
  ],
  [
    "one with a longer token",
    403,
    "csrf-token",
    (w) => byCookie({ "x-sekisho-csrf": `${w.ownPage(cookie)["x-sekisho-csrf"]}=` })(w),
  ],
  [
    "one with its session's id for the token",
    403,
    "csrf-token",
    (w) => byCookie({ "x-sekisho-csrf": cookie.split("=")[1]! })(w),
  ],
  [
    "a logout without the session's token",
    403,
    "csrf-token",
    (w) => w.ask("/api/logout", post({}, { cookie, origin: w.origin })),
  ],
  ...["same-site", "cross-site"].map(
    (site): Refused => [
      `a look by cookie that a ${site} page has the browser take`,
      403,
      "foreign-origin",
      (w) => w.ask("/api/reviews/r-open/frame", { headers: { cookie, "sec-fetch-site": site } }),
    ],
  ),
  [
    "the first user, where there are some",
    409,
    "setup-done",
    (w) => w.ask("/api/setup", post({ token: "A".repeat(43), user: "eve", password: PASSWORD })),
  ],
  ["a name that was made to point here", 403, "foreign-host", byCookie({ host: "evil.example" })],
  ["a name that only begins like ours", 403, "foreign-host", byCookie({ host: "localhost.evil.example" })],
  [
    "a host that hides another behind an @",
    403,
    "foreign-host",
    byCookie({ host: "localhost@evil.example" }),
  ],
  ["an address that is not this one", 403, "foreign-host", byCookie({ host: "192.0.2.1" })],
  [
    "a host that only a proxy may name",
    403,
    "foreign-host",
    byCookie({ host: "evil.example", "x-forwarded-host": "localhost" }),
  ],
  [
    "a preflight from a foreign page",
    405,
    "method-not-allowed",
    (w) =>
      w.ask(VERDICT, {
        method: "OPTIONS",
        headers: { origin: "http://evil.example", "access-control-request-method": "POST" },
      }),
  ],
];

const HOW: readonly Refused[] = [
  ["a body that is no JSON", 400, "malformed", byReviewer(VERDICT, "{")],
  ["no body", 400, "malformed", byReviewer(VERDICT, "")],
  ["a list for a body", 400, "malformed", byReviewer(VERDICT, [CONFIRM])],
  [
    "a body that would change all objects",
    400,
    "malformed",
    byReviewer(VERDICT, '{"reviewRevision":1,"verdict":"confirm","__proto__":{"x":1}}'),
  ],
  [
    "a body of more than 64 kB",
    413,
    "too-large",
    byReviewer(VERDICT, { ...CONFIRM, transaction: "x".repeat(70_000) }),
  ],
  [
    "a form",
    415,
    "wrong-content-type",
    byReviewer(VERDICT, "verdict=confirm", { "content-type": "application/x-www-form-urlencoded" }),
  ],
  ["JSON that is called text", 415, "wrong-content-type", byCookie({ "content-type": "text/plain" })],
  [
    "JSON without its type",
    415,
    "wrong-content-type",
    byReviewer(VERDICT, CONFIRM, { "content-type": undefined }),
  ],
  ["an unknown member", 400, "malformed", byReviewer(VERDICT, { ...CONFIRM, reviewer: "somebody-else" })],
  ["a revision in quotes", 400, "malformed", byReviewer(VERDICT, { ...CONFIRM, reviewRevision: "1" })],
  ["no revision", 400, "malformed", byReviewer(VERDICT, { verdict: "confirm" })],
  ["revision 0", 400, "malformed", byReviewer(VERDICT, { ...CONFIRM, reviewRevision: 0 })],
  [
    "a revision beyond all numbers",
    400,
    "malformed",
    byReviewer(VERDICT, '{"reviewRevision":1e999,"verdict":"confirm"}'),
  ],
  ["an unknown verdict", 400, "malformed", byReviewer(VERDICT, { ...CONFIRM, verdict: "maybe" })],
  [
    "a class of more than 256 characters",
    400,
    "malformed",
    byReviewer(VERDICT, { ...CONFIRM, verdict: "correct", class: "x".repeat(257) }),
  ],
  ["an unknown member of a claim", 400, "malformed", byReviewer("/api/reviews/r-open/claim", CONFIRM)],
  [
    "an unknown member of a login",
    400,
    "malformed",
    (w) => w.ask("/api/login", post({ user: "hanako", password: PASSWORD, role: "engineer" })),
  ],
  [
    "a password of more than 1,024 characters",
    400,
    "malformed",
    (w) => w.ask("/api/login", post({ user: "hanako", password: "x".repeat(1025) })),
  ],
  ["an unknown member of a query", 400, "malformed", look("/api/reviews?sort=age")],
  ["a member of a query given twice", 400, "malformed", look("/api/reviews?station=a&station=b")],
  ["a limit of 0", 400, "malformed", look("/api/reviews?limit=0")],
  ["a limit of 501", 400, "malformed", look("/api/decisions?limit=501")],
  ["a limit that is no number", 400, "malformed", look("/api/decisions?limit=1%20OR%201")],
  ["an unknown state", 400, "malformed", look("/api/reviews?state=open,lost")],
  ["an unknown decision", 400, "malformed", look("/api/decisions?decision=maybe")],
  [
    "DELETE of a review",
    405,
    "method-not-allowed",
    (w) => w.askAs("engineer", "/api/reviews/r-open", { method: "DELETE" }),
  ],
  ["GET of a verdict", 405, "method-not-allowed", look(VERDICT)],
  [
    "another method in a header",
    405,
    "method-not-allowed",
    (w) => w.askAs("engineer", VERDICT, { headers: { "x-http-method-override": "POST" } }),
  ],
];

const PATHS: readonly Refused[] = [
  ["a path that climbs", 404, "not-found", look("/api/reviews/../../etc/passwd")],
  ["a path that climbs encoded", 400, "malformed", look("/api/reviews/..%2f..%2fetc%2fpasswd")],
  ["a path that climbs to the metrics", 404, "not-found", look("/api/../metrics")],
  ["an encoded slash in an id", 400, "malformed", look("/api/reviews/r-open%2fframe")],
  ["an encoded backslash", 400, "malformed", look("/api/reviews/..%5cr-open")],
  ["a NUL in an id", 400, "malformed", look("/api/reviews/r-open%00")],
  ["a NUL in a station", 400, "malformed", look("/api/stations/press%00")],
  ["an id that ends in a line", 400, "malformed", look("/api/reviews/r-open%0d%0aset-cookie:x")],
  ["a broken escape", 400, "malformed", look("/api/reviews/%zz")],
  ["an id of 129 characters", 404, "not-found", look(`/api/reviews/${"r".repeat(129)}`)],
  ["an id with a quote", 400, "malformed", look("/api/reviews/r-open'--")],
  ["two slashes", 404, "not-found", look("//api/reviews/r-open")],
  ["another case", 404, "not-found", look("/API/reviews/r-open")],
  ["a slash at the end", 404, "not-found", look("/api/reviews/r-open/frame/")],
  ["a path that there is not", 404, "not-found", look("/api/users")],
];

const DESK: readonly Refused[] = [
  ["a review that there is not", 404, "unknown-review", byReviewer("/api/reviews/r-none/verdict", CONFIRM)],
  ["the sight of one that there is not", 404, "unknown-review", look("/api/reviews/r-none")],
  ["the frame of one that there is not", 404, "unknown-review", look("/api/reviews/r-none/frame")],
  ["a station that there is not", 404, "not-found", look("/api/stations/lathe")],
  [
    "a revision that is not yet",
    409,
    "stale-revision",
    byReviewer(VERDICT, { ...CONFIRM, reviewRevision: 7 }),
  ],
  [
    "a verdict on a closed review",
    409,
    "closed",
    byReviewer("/api/reviews/r-done/verdict", { reviewRevision: 2, verdict: "unusable" }),
  ],
  ["another's verdict replayed", 409, "closed", byReviewer("/api/reviews/r-done/verdict", CONFIRM)],
  [
    "a verdict on what another has claimed",
    409,
    "claimed-by-other",
    byReviewer("/api/reviews/r-taken/verdict", { ...CONFIRM, reviewRevision: 2 }),
  ],
  [
    "the release of another's claim",
    409,
    "claimed-by-other",
    byReviewer("/api/reviews/r-taken/release", { reviewRevision: 2 }),
  ],
  [
    "an unknown class",
    422,
    "unknown-class",
    byReviewer(VERDICT, { ...CONFIRM, verdict: "correct", class: "ugly" }),
  ],
  ["correct without a class", 422, "class-missing", byReviewer(VERDICT, { ...CONFIRM, verdict: "correct" })],
  [
    "unusable with a class",
    422,
    "class-not-expected",
    byReviewer(VERDICT, { ...CONFIRM, verdict: "unusable", class: "good" }),
  ],
];

describe.each([
  ["by who asks", WHO],
  ["by where it is from", WHERE_FROM],
  ["by how it asks", HOW],
  ["by its path", PATHS],
  ["by the desk", DESK],
])("refused %s", (_, cases) => {
  test.each(cases)("%s: %i %s", async (_, status, code, ask) => {
    const before = world.state();
    const answer = await ask(world);
    expect([answer.status, answer.json?.error?.code], answer.text).toEqual([status, code]);
    expect(Object.keys(answer.json)).toEqual(["error"]);
    expect(Object.keys(answer.json.error)).toEqual(["code", "message"]);
    expect(answer.headers["set-cookie"]).toBeUndefined();
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(world.state()).toEqual(before);
  });
});

test("nothing of all that was a defect, and the verdict that was refused so often is taken when it is right", async () => {
  expect(world.logged.filter((line) => line.includes("failed"))).toEqual([]);
  const answer = await byCookie({})(world);
  expect(answer.json).toEqual({ review: "r-open", reviewRevision: 2, state: "resolved" });
});

test("a ledger that cannot be written is 503, and nothing is done", async () => {
  const full = await anHttpWorld();
  full.frames({ id: "a" });
  const { change } = full.ledger.reviews;
  full.ledger.reviews.change = () => {
    throw new Error("the disk is full");
  };
  const before = full.state();
  const asked = post(CONFIRM);
  const answer = await full.askAs("reviewer", "/api/reviews/r-a/verdict", asked);
  expect([answer.status, answer.json.error.code, answer.headers["retry-after"]]).toEqual([
    503,
    "unavailable",
    "1",
  ]);
  expect(full.state()).toEqual(before);
  full.ledger.reviews.change = change;
  expect((await full.askAs("reviewer", "/api/reviews/r-a/verdict", asked)).status).toBe(200);
  await full.end();
});

describe("what is no request that could be read is refused in the same shape, and the connection ended:", () => {
  const head = "POST /api/reviews/r-held/claim HTTP/1.1\r\nhost: 127.0.0.1\r\n";
  test.each([
    ["no HTTP at all", "\x16\x03\x01\r\n\r\n", "400 Bad Request", "malformed"],
    [
      "a body of two lengths",
      `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      "400 Bad Request",
      "malformed",
    ],
    ["a line end within a header", `${head}cookie: a\rb: c\r\n\r\n`, "400 Bad Request", "malformed"],
    [
      "headers of more than 16 kB",
      `${head}cookie: ${"x".repeat(20_000)}\r\n\r\n`,
      "431 Request Header Fields Too Large",
      "too-large",
    ],
  ])("%s", async (_, text, status, code) => {
    const before = world.state();
    const [first, ...rest] = (await sendRaw(text)).split("\r\n");
    expect(first).toBe(`HTTP/1.1 ${status}`);
    expect(rest).toContain("x-content-type-options: nosniff");
    expect(JSON.parse(rest.at(-1)!)).toEqual({ error: { code, message: expect.any(String) } });
    expect(world.state()).toEqual(before);
  });
});

/** Sends these bytes; what comes until the connection ends. */
function sendRaw(text: string): Promise<string> {
  const { port } = new URL(world.origin);
  return new Promise((resolve) => {
    let found = "";
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(text));
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      found += chunk;
    });
    socket.on("error", () => {}); // Its close follows.
    socket.on("close", () => resolve(found));
  });
}
