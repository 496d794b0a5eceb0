/** Live events over real HTTP. */

import { get, IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { ReviewEvent } from "../../src/gateway/desk.ts";
import { without, writeUsers } from "../../src/http/auth/users-file.ts";
import { createEvents } from "../../src/http/events.ts";
import { anHttpWorld, type HttpWorld } from "../support/http.ts";
import { aClock } from "../support/world.ts";

const HOUR_MS = 3_600_000;
const open: { end(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.end();
});

async function aWorld(): Promise<HttpWorld> {
  const world = await anHttpWorld();
  open.push(world);
  return world;
}

interface Stream {
  readonly response: IncomingMessage;
  /** Resolves when this has come. */
  shows(text: string): Promise<string>;
  readonly ended: Promise<void>;
}

/** Listens with these headers until the test is over. */
function listen(world: HttpWorld, headers: Record<string, string>, path = "/api/events"): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = get(`${world.origin}${path}`, { agent: false, headers }, (response) => {
      let text = "";
      const looks = new Set<() => void>();
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        for (const look of looks) look();
      });
      response.on("error", () => {}); // Cut off, which is what is waited for.
      resolve({
        response,
        ended: new Promise((end) => response.once("close", end)),
        shows: (wanted) =>
          new Promise((found) => {
            const look = (): void => {
              if (text.includes(wanted)) found(text);
            };
            looks.add(look);
            look();
          }),
      });
    });
    request.on("error", reject);
    open.push({ end: () => void request.destroy() });
  });
}

const bearer = (world: HttpWorld) => ({ authorization: `Bearer ${world.tokens.viewer}` });
/** Messages of this kind in a stream. */
const bodies = (text: string, event: string) =>
  [...text.matchAll(new RegExp(`event: ${event}\ndata: (.*)\n\n`, "g"))].map(([, body]) => JSON.parse(body!));

test("a listener is told how the stations stand, then of each review as it opens, is claimed and closes", async () => {
  const world = await aWorld();
  const stream = await listen(world, bearer(world));
  expect(stream.response.headers["content-type"]).toContain("text/event-stream");
  await stream.shows('"openReviews":0');
  world.frames({ id: "a" });
  const act = (path: string, body: object) =>
    world.askAs("reviewer", `/api/reviews/r-a/${path}`, { method: "POST", body });
  await act("claim", { reviewRevision: 1 });
  await act("verdict", { reviewRevision: 2, verdict: "confirm" });
  const told = bodies(await stream.shows('"type":"close"'), "review");
  expect(told.map(({ type, reviewRevision }) => `${type} ${reviewRevision}`)).toEqual([
    "open 1",
    "update 2",
    "close 3",
  ]);
  expect(world.told[0]).toHaveProperty("frameInline");
  expect(told[0]).not.toHaveProperty("frameInline");
  expect(told[2]).toMatchObject({ reviewer: "machine-reviewer", vouched: true, verdict: "confirm" });
});

test("a station's status is told when it changes, and a heartbeat when nothing does", async () => {
  const world = await aWorld();
  const stream = await listen(world, bearer(world));
  await stream.shows('"openReviews":0');
  world.frames({ id: "a" });
  await world.clock.pass(1000);
  await stream.shows('"openReviews":1');
  await world.clock.pass(14_000);
  const text = await stream.shows(": still here");
  expect(bodies(text, "station")).toHaveLength(2);
});

test("a listener to one station hears of no other", async () => {
  const world = await aWorld();
  const other = await listen(world, bearer(world), "/api/events?station=lathe");
  const all = await listen(world, bearer(world));
  world.frames({ id: "a" });
  await all.shows('"type":"open"');
  await world.clock.pass(15_000);
  expect(await other.shows(": still here")).toBe(": listening\n\n: still here\n\n");
});

test("a listener whose session is over is cut off, and listening keeps no session alive", async () => {
  const world = await aWorld();
  const cookie = await world.logIn();
  const stream = await listen(world, { cookie });
  await stream.shows('"openReviews":0');
  await world.clock.pass(3_600_000);
  await stream.ended;
});

test("a listener who is taken out of the users file is cut off, though nobody asks for anything", async () => {
  const world = await aWorld();
  const stream = await listen(world, bearer(world));
  await stream.shows('"openReviews":0');
  let isOver = false;
  void stream.ended.then(() => {
    isOver = true;
  });
  await world.clock.pass(5000);
  expect(isOver).toBe(false);
  writeUsers(world.usersFile, without(world.users, "machine-viewer")!);
  while (!isOver) {
    await world.clock.pass(1000);
    await new Promise((resolve) => setTimeout(resolve)); // Lets the file be looked at, and the socket close.
  }
  expect(world.clock.nowMs()).toBeLessThan(2 * HOUR_MS); // Long before its token expires.
});

test("a listener that is gone before it is let in takes nobody's place", () => {
  const events = createEvents({
    desk: {
      watch: () => {
        throw new Error("nobody is there to be told");
      },
    },
    stations: () => [],
    clock: aClock(),
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const gone = new ServerResponse(new IncomingMessage(new Socket()));
  gone.destroy();
  events.join(gone, undefined, () => true);
  expect(events.count()).toBe(0);
});

test("the 65th listener is sent away, and is let in when another has left", async () => {
  const world = await aWorld();
  const streams = await Promise.all(Array.from({ length: 64 }, () => listen(world, bearer(world))));
  const before = world.state();
  const answer = await world.askAs("viewer", "/api/events");
  expect([answer.status, answer.json.error.code]).toEqual([503, "too-many-clients"]);
  expect(world.state()).toEqual(before);
  streams[0]!.response.destroy();
  await streams[0]!.ended;
  await expect.poll(async () => (await listen(world, bearer(world))).response.statusCode).toBe(200);
});

test("a listener that does not keep up is cut off at its bound; the others are not", () => {
  let tell: (event: ReviewEvent) => void = () => {};
  let watchers = 0;
  const events = createEvents({
    desk: {
      watch(listener) {
        watchers++;
        tell = listener;
        return () => void watchers--;
      },
    },
    stations: () => [],
    clock: aClock(),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    bufferBytesMax: 1000,
  });
  const aClient = (isSlow: boolean) => {
    const client = { writableLength: 0, isDestroyed: false };
    const out = {
      on() {},
      writeHead() {},
      write(text: string) {
        if (isSlow) client.writableLength += text.length;
      },
      destroy() {
        client.isDestroyed = true;
      },
      get writableLength() {
        return client.writableLength;
      },
    };
    events.join(out as unknown as ServerResponse, undefined, () => true);
    return client;
  };
  const slow = aClient(true);
  const quick = aClient(false);
  const event: ReviewEvent = {
    type: "close",
    station: "press",
    review: "r",
    reviewRevision: 2,
    body: JSON.stringify({ text: "x".repeat(200) }),
  };
  for (let n = 0; n < 10; n++) tell(event);
  expect([slow.isDestroyed, quick.isDestroyed]).toEqual([true, false]);
  expect(slow.writableLength).toBeLessThan(1300);
  expect(events.count()).toBe(1);
  events.close();
  expect(watchers).toBe(0);
});
