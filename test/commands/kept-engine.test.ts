import { describe, expect, test } from "vitest";
import { keepEngine } from "../../src/commands/kept-engine.ts";
import type { EngineProcess } from "../../src/engine/engine-process.ts";
import { EngineLost } from "../../src/gateway/ports.ts";
import { aClock, turn } from "../support/world.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Engines that end when told; each start is noted with its time. */
function aFactory() {
  const clock = aClock();
  const startedAtMs: number[] = [];
  const endings: (() => void)[] = [];
  let refusals = 0;
  let losses = 0;
  let closed = 0;
  let held: Promise<void> | undefined;
  const start = async (ended: () => void): Promise<EngineProcess> => {
    startedAtMs.push(clock.nowMs());
    if (refusals > 0) {
      refusals--;
      throw new Error("no memory");
    }
    await held;
    endings.push(ended);
    const number = endings.length;
    return {
      pid: number,
      async judge(frames) {
        if (losses-- > 0) throw new EngineLost("no answer");
        return frames.map(() => ({ kind: "reject", reason: "poison" as const }));
      },
      async close() {
        closed++;
        ended();
      },
    };
  };
  return {
    clock,
    startedAtMs,
    end: () => endings.at(-1)!(),
    refuseNext: (times: number) => {
      refusals = times;
    },
    loseBatches: () => {
      losses = 1;
    },
    /** The next start takes until the returned function is called. */
    holdStart(): () => void {
      let release: () => void = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    closed: () => closed,
    keep: () => keepEngine(start, clock, silent),
  };
}

const FRAME = { encoding: "raw", payload: new Uint8Array(1) } as const;

describe("a kept engine", () => {
  test("is started again when it ends, and frames wait for it", async () => {
    const factory = aFactory();
    const engine = await factory.keep();
    factory.end();
    expect(engine.isUp()).toBe(false);
    const answer = engine.judge([FRAME]);
    await factory.clock.pass(100);
    expect(await answer).toHaveLength(1);
    expect(engine.isUp()).toBe(true);
    expect(engine.starts()).toBe(2);
  });

  test("is started at once, and with doubling pauses while it ends without an answer or cannot be started", async () => {
    const factory = aFactory();
    await factory.keep();
    const origin = factory.clock.nowMs();
    factory.end();
    await factory.clock.pass(0);
    factory.end();
    factory.refuseNext(3);
    await factory.clock.pass(5000);
    expect(factory.startedAtMs.map((at) => at - origin)).toEqual([0, 0, 100, 300, 700, 1500]);
  });

  test("that has answered a batch is followed at once by the next, however often and soon it ends", async () => {
    const factory = aFactory();
    const engine = await factory.keep();
    const origin = factory.clock.nowMs();
    factory.end();
    await factory.clock.pass(0);
    factory.end();
    await factory.clock.pass(100);
    for (let life = 0; life < 30; life++) {
      await engine.judge([FRAME]);
      factory.end();
      await factory.clock.pass(0);
    }
    expect(factory.startedAtMs.map((at) => at - origin)).toEqual([0, 0, 100, ...Array(30).fill(100)]);
  });

  test("that crashes over its first batch is not started over and over at once", async () => {
    const factory = aFactory();
    const engine = await factory.keep();
    for (let life = 0; life < 4; life++) {
      factory.loseBatches();
      await expect(engine.judge([FRAME])).rejects.toThrow("no answer");
      factory.end();
      await factory.clock.pass(1000);
    }
    const pauses = factory.startedAtMs.slice(1).map((at, i) => at - 1000 * i - factory.startedAtMs[0]!);
    expect(pauses).toEqual([0, 100, 200, 400]);
  });

  test("is started at once again after a healthy life, though no frame came", async () => {
    const factory = aFactory();
    await factory.keep();
    const origin = factory.clock.nowMs();
    for (const life of [10, 10, 60_000]) {
      await factory.clock.pass(life);
      factory.end();
      await factory.clock.pass(100);
    }
    expect(factory.startedAtMs.map((at) => at - origin)).toEqual([0, 10, 220, 60_220]);
  });

  test("that cannot be started at first is an error of the start", async () => {
    const factory = aFactory();
    factory.refuseNext(1);
    await expect(factory.keep()).rejects.toThrow("no memory");
  });

  test("once closed is not started again, and frames that waited are told", async () => {
    const factory = aFactory();
    const engine = await factory.keep();
    factory.end();
    const waiting = engine.judge([FRAME]);
    const told = expect(waiting).rejects.toThrow("closed");
    await engine.close();
    await told;
    await factory.clock.pass(60_000);
    await turn();
    expect(engine.starts()).toBe(1);
  });

  test("that was lost but has not ended yet is asked nothing more", async () => {
    const factory = aFactory();
    const engine = await factory.keep();
    factory.loseBatches();
    await expect(engine.judge([FRAME])).rejects.toThrow("no answer");
    expect(engine.isUp()).toBe(false);
    const waiting = engine.judge([FRAME]);
    factory.end();
    await factory.clock.pass(100);
    expect(await waiting).toHaveLength(1);
  });

  test("closed while the next one starts closes that one too", async () => {
    const factory = aFactory();
    const engine = await factory.keep();
    factory.end();
    const release = factory.holdStart();
    await factory.clock.pass(100);
    const closing = engine.close();
    release();
    await closing;
    expect(factory.closed()).toBe(1);
    expect(engine.isUp()).toBe(false);
  });
});
