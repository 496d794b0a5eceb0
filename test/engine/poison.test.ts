/** A frame that kills whatever engine is at it, among innocent ones, with real engines that really die. */

import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../src/commands/clock.ts";
import { startPool } from "../../src/commands/engine-pool.ts";
import { keepEngine } from "../../src/commands/kept-engine.ts";
import { goldenPayload } from "../../src/core/golden.ts";
import { startEngine } from "../../src/engine/engine-process.ts";
import { aRule } from "../support/builders.ts";
import { aWorld } from "../support/world.ts";
import { aLoad, ENGINE_MODULE, GREY } from "./fixtures.ts";

const MARK = [255, 0, 255, 0];

/** A module that makes ONNX Runtime kill the process where the mark begins a row of its input. */
function killedByMark(): string {
  const source = `
    import { createRequire } from "node:module";
    const { InferenceSession } = createRequire(${JSON.stringify(ENGINE_MODULE.href)})("onnxruntime-node");
    const run = InferenceSession.prototype.run;
    InferenceSession.prototype.run = function (feeds, ...rest) {
      const { data, dims } = feeds.input;
      for (let row = 0; row < dims[0]; row++) {
        const at = row * dims[1];
        if (${JSON.stringify(MARK)}.every((byte, i) => data[at + i] === byte / 255)) process.kill(process.pid, "SIGKILL");
      }
      return run.call(this, feeds, ...rest);
    };`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

test.each([1, 2])("with %i engines, it alone is rejected as poison, after two deaths", async (count) => {
  const deaths: string[] = [];
  const names = Array.from({ length: count }, (_, i) => `press-${i + 1}`);
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const pool = await startPool(names, (name) =>
    keepEngine(
      (ended) =>
        startEngine({
          modulePath: ENGINE_MODULE,
          nodeArgs: ["--import", killedByMark()],
          load: aLoad(),
          startDeadlineMs: 30_000,
          onStderr: () => {},
          onExit({ signal, expected }) {
            if (!expected) deaths.push(`${name} ${signal}`);
            ended();
          },
        }),
      systemClock,
      silent,
    ),
  );
  onTestFinished(() => pool.close());
  const lambda = new Float64Array(4).fill(1);
  const world = await aWorld({
    engine: pool,
    classes: ["a", "b", "c", "d"],
    rule: aRule({ lambda, noveltyMax: new Float64Array(4).fill(9) }),
  });
  for (let ticket = 1; ticket <= 60; ticket++) {
    const payload = goldenPayload(GREY, { seed: 100 + ticket });
    if (ticket === 23) payload.set(MARK);
    world.deliver(ticket, { payload });
  }
  await vi.waitFor(() => expect(world.acknowledged).toHaveLength(60), { timeout: 30_000 });

  const poisoned = world.ledger.records.filter((record) => record.reason === "poison");
  expect(poisoned.map((record) => record.frame)).toEqual(["f23"]);
  expect(world.ledger.records.filter((record) => record.decision === "reject")).toHaveLength(1);
  expect(new Set(world.ledger.records.map((record) => record.frame)).size).toBe(60);
  expect(world.ledger.records).toHaveLength(60);
  expect(deaths).toHaveLength(2);
  expect(deaths.every((death) => death.endsWith("SIGKILL"))).toBe(true);
  await vi.waitFor(() => expect(pool.engines().every(({ isUp }) => isUp)).toBe(true), { timeout: 30_000 });
});
