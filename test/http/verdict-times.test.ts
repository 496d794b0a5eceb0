/** The median time of a verdict: of each person's own, without pauses, and of one day. */

import { expect, test } from "vitest";
import { createVerdictTimes } from "../../src/http/verdict-times.ts";
import { anHttpWorld } from "../support/http.ts";

const SECOND = 1000;
const DAY = 86_400_000;

test("is from a person's verdict to their next, pauses left out, and begins anew each day", () => {
  let now = 10 * DAY;
  const times = createVerdictTimes(() => now);
  expect(times.today()).toEqual({ verdicts: 0, medianSeconds: null });
  const answer = (person: string, afterMs: number): void => {
    now += afterMs;
    times.answered(person);
  };
  answer("hanako", 0);
  answer("taro", 1 * SECOND);
  answer("hanako", 2 * SECOND); // 3 s
  answer("taro", 4 * SECOND); // 6 s
  answer("hanako", 6 * SECOND); // 10 s
  answer("hanako", 121 * SECOND); // A pause.
  expect(times.today()).toEqual({ verdicts: 3, medianSeconds: 6 });
  now -= 30 * SECOND; // The clock is set back: no time is taken from that.
  times.answered("hanako");
  expect(times.today().verdicts).toBe(3);
  now += DAY;
  expect(times.today()).toEqual({ verdicts: 0, medianSeconds: null });
});

test("counts what is answered over HTTP, and not what is refused", async () => {
  const world = await anHttpWorld();
  world.frames({ id: "a" }, { id: "b", source: "cam-2" });
  const answer = (review: string, body: object) =>
    world.askAs("reviewer", `/api/reviews/${review}/verdict`, { method: "POST", body });
  expect((await answer("r-a", { reviewRevision: 1, verdict: "confirm" })).status).toBe(200);
  await world.clock.pass(4000);
  expect((await answer("r-b", { reviewRevision: 9, verdict: "confirm" })).status).toBe(409);
  const { reviewRevision } = (await world.askAs("viewer", "/api/reviews/r-b")).json;
  expect((await answer("r-b", { reviewRevision, verdict: "confirm" })).status).toBe(200);
  expect((await world.askAs("viewer", "/api/timing")).json).toEqual({ verdicts: 1, medianSeconds: 4 });
  await world.end();
});
