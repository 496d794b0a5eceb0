import { describe, expect, test } from "vitest";
import { shareOf, startPool } from "../../src/commands/engine-pool.ts";
import type { KeptEngine } from "../../src/commands/kept-engine.ts";
import type { EngineProcess } from "../../src/engine/engine-process.ts";
import { EngineLost, type Outcome } from "../../src/gateway/ports.ts";
import { turn } from "../support/world.ts";

const FRAME = { encoding: "raw", payload: new Uint8Array(1) } as const;
const POISON: Outcome = { kind: "reject", reason: "poison" };

/** Kept engines that answer when told, each of which notes what it was given. */
function aFactory() {
  const kept = new Map<string, { isUp: boolean; answers: (() => void)[]; closed: number; up: () => void }>();
  const keep = async (name: string): Promise<KeptEngine> => {
    if (name === "broken") throw new Error("no memory");
    const ups: { resolve(engine: EngineProcess): void; reject(error: Error): void }[] = [];
    const self = {
      isUp: true,
      answers: [] as (() => void)[],
      closed: 0,
      up() {
        self.isUp = true;
        for (const { resolve } of ups.splice(0)) resolve({} as EngineProcess);
      },
    };
    kept.set(name, self);
    return {
      isUp: () => self.isUp,
      starts: () => 1,
      whenUp: () => new Promise((resolve, reject) => ups.push({ resolve, reject })),
      judge: (frames) => new Promise((resolve) => self.answers.push(() => resolve(frames.map(() => POISON)))),
      async close() {
        self.closed++;
        for (const { reject } of ups.splice(0)) reject(new EngineLost("closed", "none"));
      },
    };
  };
  return { keep, of: (name: string) => kept.get(name)! };
}

describe("a pool of engines", () => {
  test("gives a batch to the engine that has least to do", async () => {
    const { keep, of } = aFactory();
    const pool = await startPool(["a", "b", "c"], keep);
    const given = (): number[] => ["a", "b", "c"].map((name) => of(name).answers.length);
    for (let i = 0; i < 4; i++) void pool.judge([FRAME]);
    expect(given()).toEqual([2, 1, 1]);
    of("c").answers[0]!();
    await turn();
    void pool.judge([FRAME]);
    expect(given()).toEqual([2, 1, 2]);
    expect(pool.processes).toBe(3);
  });

  test("passes over engines that are down", async () => {
    const { keep, of } = aFactory();
    const pool = await startPool(["a", "b"], keep);
    of("a").isUp = false;
    for (let i = 0; i < 3; i++) void pool.judge([FRAME]);
    expect(of("b").answers).toHaveLength(3);
    expect(pool.engines()).toEqual([
      { engine: "a", isUp: false },
      { engine: "b", isUp: true },
    ]);
  });

  test("with none up, waits for whichever comes first", async () => {
    const { keep, of } = aFactory();
    const pool = await startPool(["a", "b"], keep);
    of("a").isUp = false;
    of("b").isUp = false;
    const judging = pool.judge([FRAME]);
    await turn();
    of("b").up();
    await turn();
    of("b").answers[0]!();
    expect(await judging).toEqual([POISON]);
  });

  test("closed while none is up tells who waits, under no suspicion", async () => {
    const { keep, of } = aFactory();
    const pool = await startPool(["a", "b"], keep);
    of("a").isUp = false;
    of("b").isUp = false;
    const told = expect(pool.judge([FRAME])).rejects.toMatchObject({ name: "EngineLost", suspicion: "none" });
    await pool.close();
    await told;
  });

  test("of which one cannot be started closes the others", async () => {
    const { keep, of } = aFactory();
    await expect(startPool(["a", "broken", "b"], keep)).rejects.toThrow("no memory");
    expect([of("a").closed, of("b").closed]).toEqual([1, 1]);
  });
});

test.each([
  [1, 1, [1]],
  [3, 1, [3]],
  [4, 3, [2, 1, 1]],
  [1, 3, [1, 1, 1]],
  [0, 2, [1, 1]],
  [7, 2, [4, 3]],
])("%i engines for %i stations are shared out as %j", (count, stations, shares) => {
  expect(Array.from({ length: stations }, (_, i) => shareOf(count, stations, i))).toEqual(shares);
});
