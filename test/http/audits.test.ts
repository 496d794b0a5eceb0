/** Audits over HTTP: what they come to, which there are, and that nobody learns from them what the teacher thinks. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anHttpWorld, type HttpWorld, STATION_AUDITS } from "../support/http.ts";

let world: HttpWorld;
beforeAll(async () => {
  world = await anHttpWorld();
  for (const id of ["a", "b", "c"]) world.frames({ id, source: id, pi: 0.05, priority: 0.5 });
});
afterAll(() => world.end());

describe("audits", () => {
  test("are summed up for a station", async () => {
    const { status, json } = await world.askAs("viewer", "/api/stations/press/audits");
    expect(status).toBe(200);
    expect(json).toEqual(STATION_AUDITS);
    expect((await world.askAs("viewer", "/api/stations/none/audits")).status).toBe(404);
    expect((await world.ask("/api/stations/press/audits")).status).toBe(401);
  });

  test("are listed a page at a time, newest first", async () => {
    const first = await world.askAs("viewer", "/api/audits?station=press&limit=2");
    expect(first.json.audits.map(({ id }: { id: string }) => id)).toEqual(["r-c", "r-b"]);
    expect(first.json.audits[0]).toMatchObject({
      station: "press",
      pi: 0.05,
      teacher: "waiting",
      person: "waiting",
    });
    const next = await world.askAs("viewer", `/api/audits?station=press&limit=2&before=${first.json.next}`);
    expect(next.json.audits.map(({ id }: { id: string }) => id)).toEqual(["r-a"]);
    expect(next.json.next).toBeUndefined();
    expect((await world.askAs("viewer", "/api/audits?limit=0")).status).toBe(400);
    expect((await world.askAs("viewer", "/api/audits?station=none")).json).toEqual({ audits: [] });
  });

  test("do not tell whether the teacher agreed before the person has answered", async () => {
    const nowMs = world.clock.nowMs();
    world.ledger.audits.answer("r-a", "teacher", true, nowMs, "");
    const one = async () =>
      (await world.askAs("reviewer", "/api/audits")).json.audits.find(
        ({ id }: { id: string }) => id === "r-a",
      );
    expect(await one()).toMatchObject({
      teacher: "answered",
      unfaithful: null,
      person: "waiting",
      wrong: null,
    });
    world.ledger.audits.answer("r-a", "person", false, nowMs, "");
    expect(await one()).toMatchObject({
      teacher: "answered",
      unfaithful: true,
      person: "answered",
      wrong: false,
    });
  });
});
