/** Frames that engines end with, among innocent ones: with real engines that really die. */

import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../src/commands/clock.ts";
import { startPool } from "../../src/commands/engine-pool.ts";
import { keepEngine } from "../../src/commands/kept-engine.ts";
import { goldenPayload } from "../../src/core/golden.ts";
import { type EngineExit, startEngine } from "../../src/engine/engine-process.ts";
import { aRule } from "../support/builders.ts";
import { aWorld } from "../support/world.ts";
import { aLoad, ENGINE_MODULE, GREY } from "./fixtures.ts";

const MARK = [255, 0, 255, 0];

/** A module that has ONNX Runtime do this where the mark begins a row of its input. */
function atTheMark(statement: string): string {
  const source = `
    import { createRequire } from "node:module";
    const { InferenceSession } = createRequire(${JSON.stringify(ENGINE_MODULE.href)})("onnxruntime-node");
    const run = InferenceSession.prototype.run;
    InferenceSession.prototype.run = function (feeds, ...rest) {
      const { data, dims } = feeds.input;
      for (let row = 0; row < dims[0]; row++) {
        const at = row * dims[1];
        if (${JSON.stringify(MARK)}.every((byte, i) => data[at + i] === byte / 255)) { ${statement} }
      }
      return run.call(this, feeds, ...rest);
    };`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

interface PressOptions {
  readonly engines: number;
  /** What engine number n, counted from 1, does at the mark. */
  readonly statement: (start: number) => string;
  /** An engine's words, and how to kill it from outside. */
  readonly onLine?: (line: string, kill: () => void) => void;
}

/** A gateway over real engines, and how they ended. */
async function aPress({ engines, statement, onLine = () => {} }: PressOptions) {
  const exits: EngineExit[] = [];
  let starts = 0;
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const start = async (ended: () => void) => {
    let kill = (): void => {};
    const engine = await startEngine({
      modulePath: ENGINE_MODULE,
      nodeArgs: ["--import", atTheMark(statement(++starts))],
      load: aLoad(),
      startDeadlineMs: 30_000,
      onStderr: (line) => onLine(line, kill),
      onExit(exit) {
        if (!exit.expected) exits.push(exit);
        ended();
      },
    });
    kill = () => void process.kill(engine.pid, "SIGKILL");
    return engine;
  };
  const names = Array.from({ length: engines }, (_, i) => `press-${i + 1}`);
  const pool = await startPool(names, () => keepEngine(start, systemClock, silent));
  onTestFinished(() => pool.close());
  const world = await aWorld({
    engine: pool,
    classes: ["a", "b", "c", "d"],
    rule: aRule({ lambda: new Float64Array(4).fill(1), noveltyMax: new Float64Array(4).fill(9) }),
  });
  return { world, pool, exits };
}

/** Sixty frames, of which the 23rd bears the mark, all decided once. */
async function judgeSixty({ world }: Awaited<ReturnType<typeof aPress>>): Promise<void> {
  for (let ticket = 1; ticket <= 60; ticket++) {
    const payload = goldenPayload(GREY, { seed: 100 + ticket });
    if (ticket === 23) payload.set(MARK);
    world.deliver(ticket, { payload });
  }
  await vi.waitFor(() => expect(world.acknowledged).toHaveLength(60), { timeout: 30_000 });
  expect(new Set(world.ledger.records.map((record) => record.frame)).size).toBe(60);
  expect(world.ledger.records).toHaveLength(60);
}

test.each([1, 2])(
  "with %i engines, the one that crashes them is rejected as poison, after two deaths",
  async (engines) => {
    const press = await aPress({ engines, statement: () => 'process.kill(process.pid, "SIGSEGV");' });
    await judgeSixty(press);

    const rejected = press.world.ledger.records.filter((record) => record.decision === "reject");
    expect(rejected.map(({ frame, reason }) => [frame, reason])).toEqual([["f23", "poison"]]);
    expect(press.exits.map(({ signal }) => signal)).toEqual(["SIGSEGV", "SIGSEGV"]);
    await vi.waitFor(() => expect(press.pool.engines().every(({ isUp }) => isUp)).toBe(true), {
      timeout: 30_000,
    });
  },
);

test("a frame during which an engine is killed from outside, again and again, is judged in the end", async () => {
  const KILLS = 4;
  const press = await aPress({
    engines: 1,
    // Waits at the mark until somebody kills it.
    statement: (start) =>
      start > KILLS
        ? ""
        : 'process.stderr.write("at the mark\\n"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
    onLine(line, kill) {
      if (line === "at the mark") kill();
    },
  });
  await judgeSixty(press);

  expect(press.exits.map(({ signal }) => signal)).toEqual(Array(KILLS).fill("SIGKILL"));
  expect(press.world.ledger.records.filter((record) => record.decision === "reject")).toEqual([]);
});
