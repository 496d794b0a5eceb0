/** What the console is shown beside a review, over real HTTP: and of an audit nothing that would tell what the student said. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ShownFrame } from "../../src/http/frame-view-routes.ts";
import { anHttpWorld, type HttpWorld } from "../support/http.ts";

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
const SHOWN: Extract<ShownFrame, { kind: "shown" }> = {
  kind: "shown",
  frame: { picture: { width: 2, height: 2 }, png: PNG },
  classes: ["good", "bad"],
  confidence: [0.25, 0.75],
  neighbours: [
    {
      ...{ class: "bad", confidenceTeacher: 0.9, confidenceStudent: 0.8, distance: 1.5 },
      ...{ picture: { width: 1, height: 1 }, png: Uint8Array.of(1) },
    },
  ],
};

let world: HttpWorld;
let shown: ShownFrame = SHOWN;

const SAID = {
  className: "bad",
  prediction: { classIndex: 1, confidence: 0.75, score: 0.2, bandLow: 0.5, bandHigh: 0.875, novelty: 1 },
};

beforeAll(async () => {
  world = await anHttpWorld({ api: { shownFrame: async () => shown } });
  world.frames(
    { ...SAID, id: "a" },
    { ...SAID, id: "swapped", prediction: { ...SAID.prediction, confidence: 0.7 } },
  );
  world.frames({ ...SAID, id: "audit", identified: false, part: "p", frames: 1, pi: 0.05, priority: 0.5 });
});
afterAll(() => world.end());

const view = async (id: string) => (await world.askAs("viewer", `/api/reviews/${id}/view`)).json;

test("the frame, the student's whole answer, the band and frames like it", async () => {
  expect(await view("r-a")).toEqual({
    picture: { image: "frame-view.png", width: 2, height: 2 },
    student: [
      { class: "bad", confidence: 0.75 },
      { class: "good", confidence: 0.25 },
    ],
    band: [0.5, 0.875],
    topTwo: 0.5,
    neighbours: [
      {
        ...{ class: "bad", confidenceTeacher: 0.9, confidenceStudent: 0.8, distance: 1.5 },
        picture: { image: "neighbours/0", width: 1, height: 1 },
      },
    ],
  });
});

test("pictures come as PNGs that no page of elsewhere can take in", async () => {
  const answer = await world.askAs("viewer", "/api/reviews/r-a/frame-view.png");
  expect([...answer.bytes]).toEqual([...PNG]);
  expect(answer.headers).toMatchObject({
    "content-type": "image/png",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
  expect([...(await world.askAs("viewer", "/api/reviews/r-a/neighbours/0")).bytes]).toEqual([1]);
  for (const n of ["1", "-1", "x", "0.5", "16"])
    expect([400, 404]).toContain((await world.askAs("viewer", `/api/reviews/r-a/neighbours/${n}`)).status);
});

test("where another student is in force by now, only what was decided by is shown", async () => {
  const found = await view("r-swapped");
  expect(found).toMatchObject({ student: [{ class: "bad", confidence: 0.7 }], topTwo: null, neighbours: [] });
  expect((await world.askAs("viewer", "/api/reviews/r-swapped/neighbours/0")).status).toBe(404);
});

describe("of an audit that waits", () => {
  test("the frame is shown, and nothing of the student, the teacher or frames like it", async () => {
    expect(await view("r-audit")).toEqual({
      picture: { image: "frame-view.png", width: 2, height: 2 },
      ...{ student: [], band: null, topTwo: null, neighbours: [] },
    });
    expect((await world.askAs("viewer", "/api/reviews/r-audit/frame-view.png")).status).toBe(200);
    expect((await world.askAs("engineer", "/api/reviews/r-audit/neighbours/0")).status).toBe(404);
  });
});

test.each(["gone", "no-station", "unreadable", "busy"] as const)(
  "a frame that is %s is said to be",
  async (why) => {
    shown = { kind: "none", why };
    expect(await view("r-a")).toEqual({
      ...{ notShown: why, student: [{ class: "bad", confidence: 0.75 }], band: [0.5, 0.875] },
      ...{ topTwo: null, neighbours: [] },
    });
    const picture = await world.askAs("viewer", "/api/reviews/r-a/frame-view.png");
    expect(picture.status).toBe(why === "busy" ? 503 : 404);
    shown = SHOWN;
  },
);

test("nobody is shown anything without a session, and no review that there is not", async () => {
  for (const path of ["view", "frame-view.png", "neighbours/0"]) {
    expect((await world.ask(`/api/reviews/r-a/${path}`)).status).toBe(401);
    expect((await world.askAs("viewer", `/api/reviews/r-none/${path}`)).status).toBe(404);
  }
});
