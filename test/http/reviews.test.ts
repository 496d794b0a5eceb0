/** Reviews, frames and decisions over real HTTP, as they are meant to be used. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../../src/http/png.ts";
import { appendMany } from "../support/decisions.ts";
import { type Answer, anHttpWorld, type HttpWorld } from "../support/http.ts";

let world: HttpWorld;
beforeAll(async () => {
  world = await anHttpWorld();
});
afterAll(() => world.end());

const act = (path: string, body: object): Promise<Answer> =>
  world.askAs("reviewer", `/api/reviews/${path}`, { method: "POST", body });
const ids = (answer: Answer): string[] => answer.json.reviews.map(({ review }: { review: string }) => review);

describe("a review", () => {
  test("is claimed, given back, claimed again and answered; the ledger has who it was", async () => {
    world.frames({ id: "life", source: "life" });
    expect((await act("r-life/claim", { reviewRevision: 1 })).json).toEqual({
      review: "r-life",
      reviewRevision: 2,
      state: "claimed",
    });
    expect((await act("r-life/release", { reviewRevision: 2 })).json.state).toBe("open");
    expect((await act("r-life/claim", { reviewRevision: 3 })).json.reviewRevision).toBe(4);
    const verdict = { reviewRevision: 4, verdict: "correct", class: "bad", transaction: "t-1" };
    const answered = { review: "r-life", reviewRevision: 5, state: "resolved", transaction: "t-1" };
    expect((await act("r-life/verdict", verdict)).json).toEqual(answered);
    expect((await world.askAs("viewer", "/api/reviews/r-life")).json).toMatchObject({
      state: "resolved",
      verdict: "correct",
      verdictClass: "bad",
      reviewer: "machine-reviewer",
      vouched: true,
    });
    expect(world.desk.show("r-life")).toMatchObject({ reviewer: "machine-reviewer", vouched: true });
    expect(world.ledger.verifyChain()).toBeUndefined();
  });

  test("that is answered again the same way by the same is answered the same, and written once", async () => {
    world.frames({ id: "twice", source: "twice" });
    const verdict = { reviewRevision: 1, verdict: "confirm" };
    const first = await act("r-twice/verdict", verdict);
    const before = world.state();
    expect((await act("r-twice/verdict", verdict)).json).toEqual(first.json);
    expect(world.state()).toEqual(before);
  });

  test("that two answer at once has one answer", async () => {
    world.frames({ id: "race", source: "race" });
    const answers = await Promise.all(
      (["reviewer", "engineer"] as const).map((role) =>
        world.askAs(role, "/api/reviews/r-race/verdict", {
          method: "POST",
          body: { reviewRevision: 1, verdict: "unusable" },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)!.json.error.code).toBe("closed");
  });

  test("shows its frame's very bytes, to be saved and not to be run, and how they are to be read", async () => {
    world.frames({ id: "seen", source: "seen" });
    const frame = await world.askAs("viewer", "/api/reviews/r-seen/frame");
    expect(frame.text).toBe("\0\0\0\0");
    expect(frame.headers).toMatchObject({
      "content-type": "image/png",
      "content-disposition": 'attachment; filename="r-seen"',
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
    });
    expect((await world.askAs("viewer", "/api/reviews/r-seen/frame-spec")).json).toEqual({
      contentType: "image/png",
      bytes: 4,
      frame: { kind: "image", type: "u8", shape: [2, 2, 1] },
    });
  });
});

test("the bare pixels of an image come as a PNG as well", async () => {
  world.frames({ id: "bare", source: "bare", contentType: "application/octet-stream" });
  const png = await world.askAs("viewer", "/api/reviews/r-bare/frame.png");
  expect(png.headers).toMatchObject({
    "content-type": "image/png",
    "content-disposition": 'attachment; filename="r-bare.png"',
    "content-security-policy": "sandbox; default-src 'none'",
  });
  expect(png.bytes).toEqual(
    encodePng(new Uint8Array(4), { kind: "image", width: 2, height: 2, channels: 1 }),
  );
});

test.each([
  ["of a type that a sensor named", "image/png"],
  ["of JSON", "application/json"],
])("no PNG is made of bytes %s", async (_, contentType) => {
  const id = contentType.replace("/", "-");
  world.frames({ id, source: id, contentType });
  const { status, json } = await world.askAs("viewer", `/api/reviews/r-${id}/frame.png`);
  expect([status, json.error.code]).toEqual([422, "no-bare-image"]);
});

test("reviews come by priority, page by page, of one source or of all, in the states asked for", async () => {
  for (let n = 0; n < 5; n++) world.frames({ id: `p-${n}`, source: "paged", priority: n });
  await act("r-p-4/verdict", { reviewRevision: 1, verdict: "confirm" });
  const list = (query: string) => world.askAs("viewer", `/api/reviews?source=paged&${query}`);
  expect(ids(await list(""))).toEqual(["r-p-3", "r-p-2", "r-p-1", "r-p-0"]);
  expect(ids(await list("state=resolved"))).toEqual(["r-p-4"]);
  expect(ids(await list("state=resolved,held,open&limit=2"))).toEqual(["r-p-4", "r-p-3"]);
  const seen: string[] = [];
  for (let after = ""; ; ) {
    const page = await list(`limit=3${after}`);
    seen.push(...ids(page));
    if (page.json.next === undefined) break;
    after = `&after=${page.json.next}`;
  }
  expect(seen).toEqual(["r-p-3", "r-p-2", "r-p-1", "r-p-0"]);
});

describe("decisions", () => {
  test("come newest first, page by page, each once, whatever few of many are asked for", async () => {
    appendMany(world.ledger, 5000, (n) => (n % 1000 === 7 ? "rare" : "common"));
    const all: { id: number; source: string }[] = [];
    let pages = 0;
    for (let before = ""; ; pages++) {
      const { json } = await world.askAs("viewer", `/api/decisions?source=rare&limit=2${before}`);
      all.push(...json.decisions);
      if (json.next === undefined) break;
      before = `&before=${json.next}`;
    }
    const expected = world.ledger.decisionsAfter(0, 10_000).filter(({ source }) => source === "rare");
    expect(all.map(({ id }) => id)).toEqual(expected.map(({ id }) => id).reverse());
    expect(expected).toHaveLength(5);
    expect(pages).toBeGreaterThan(1);
  });

  test("are told apart by what was decided", async () => {
    const { json } = await world.askAs("viewer", "/api/decisions?decision=pass&source=common&limit=3");
    expect(json.decisions.map(({ decision }: { decision: string }) => decision)).toEqual([
      "pass",
      "pass",
      "pass",
    ]);
    expect((await world.askAs("viewer", "/api/decisions?station=lathe")).json.decisions).toEqual([]);
  });
});
