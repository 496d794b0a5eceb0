/** Bundles in shadow: they judge what the live one has decided, and nothing waits for them or suffers from them. */

import { describe, expect, test } from "vitest";
import { FAITHFUL } from "../../src/core/judge.ts";
import { differ, saidOf } from "../../src/core/shadow.ts";
import type { Delivery, EngineFrame, Outcome } from "../../src/gateway/ports.ts";
import { EngineLost } from "../../src/gateway/ports.ts";
import type { PairCount, ShadowMetrics } from "../../src/gateway/shadow-ports.ts";
import { createShadows, type InShadow } from "../../src/gateway/shadows.ts";
import { Database } from "../../src/sqlite/database.ts";
import { aPrediction, aRule } from "../support/builders.ts";
import { aLedgerFile, aRealLedger } from "../support/ledger.ts";
import { aClock, aWorld, turn, type World } from "../support/world.ts";

const SHADOW_BUNDLE = "c".repeat(64);

/** What a bundle makes of a frame stands in its payload: the live one's score second, the shadow's third. */
const scores =
  (at: 1 | 2) =>
  async (frames: readonly EngineFrame[]): Promise<readonly Outcome[]> =>
    frames.map(({ payload }) => ({
      kind: "prediction",
      prediction: aPrediction({ score: payload[at]! / 100 }),
    }));

async function aLineInShadow(is: Partial<InShadow> = {}) {
  const path = aLedgerFile();
  const ledger = aRealLedger({ path });
  const clock = aClock();
  const counted: string[] = [];
  const metrics: ShadowMetrics = {
    shadowJudged: () => void counted.push("judged"),
    shadowDifference: (_, live, shadow) => void counted.push(`${live} ${shadow}`),
    shadowDropped: (_, why, frames) => void counted.push(`${why} ${frames}`),
  };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const shadows = createShadows({ book: ledger.shadow, clock, metrics, log, batchMax: 4 });
  const world: World = await aWorld({}, undefined, undefined, undefined, shadows);
  world.judge = scores(1);
  shadows.put("press", {
    ...{ engine: { judge: scores(2) }, classes: ["good", "bad"], bundle: SHADOW_BUNDLE },
    rule: aRule({ revision: 3 }),
    ...is,
  });
  const send = async (ticket: number, live: number, shadow: number, more: Partial<Delivery> = {}) => {
    world.deliver(ticket, { payload: Uint8Array.of(ticket & 255, live, shadow), ...more });
    await turn();
  };
  return { world, shadows, counted, ledger, clock, send, standing: () => ledger.shadow.latest("press") };
}

describe("a bundle in shadow", () => {
  test("judges what the live one has decided, and what differs is counted with examples", async () => {
    const { send, counted, clock, standing, world } = await aLineInShadow();
    await send(1, 10, 10);
    await send(2, 10, 50);
    await send(3, 50, 10);
    await send(4, 50, 50);
    expect(world.ledger.records.map(({ decision }) => decision)).toEqual([
      "pass",
      "pass",
      "review",
      "review",
    ]);
    expect(counted).toEqual(["judged", "judged", "pass review", "judged", "review pass", "judged"]);
    await clock.pass(2000);
    const good = { className: "good" };
    expect(standing()).toMatchObject({
      comparison: {
        ...{ station: "press", liveBundle: "b".repeat(64), liveRevision: 1 },
        ...{ shadowBundle: SHADOW_BUNDLE, shadowRevision: 3 },
      },
      ...{ judged: 4, dropped: 0, lost: 0 },
      pairs: [
        [{ decision: "pass" }, { decision: "pass" }],
        [{ decision: "pass" }, { decision: "review" }],
        [{ decision: "review" }, { decision: "pass" }],
        [{ decision: "review" }, { decision: "review" }],
      ].map(([live, shadow]) => ({ live: { ...live, ...good }, shadow: { ...shadow, ...good }, frames: 1 })),
    });
    expect(standing()!.pairs[1]!.examples).toEqual([{ decision: 2, source: "cam-1", frame: "f2" }]);
  });

  test("is asked only behind the commit, the acknowledgement and the publishing, and not of a frame that comes again", async () => {
    const asked: string[][] = [];
    const { send, world, counted } = await aLineInShadow({
      engine: {
        async judge(frames) {
          asked.push([...world.trace]);
          return scores(2)(frames);
        },
      },
    });
    await send(1, 10, 10);
    expect(asked).toEqual([["commit f1", "acknowledge 1", "publish decisions f1"]]);
    await send(2, 10, 10, { frameId: "f1" });
    expect(counted).toEqual(["judged"]);
  });

  test("compares what a held frame and a live bundle in shadow mode would have come to", () => {
    const held = { kind: "held", reason: "part-open", would: FAITHFUL } as const;
    expect(saidOf(held, "good")).toEqual({ decision: "pass", className: "good" });
    const shadowed = {
      kind: "review",
      reason: "shadow",
      would: { kind: "review", reason: "novel" },
    } as const;
    expect(saidOf(shadowed, "good")).toEqual({ decision: "review", className: "good" });
    const pass = { decision: "pass", className: "good" } as const;
    expect(differ({ live: pass, shadow: { ...pass, className: "bad" } })).toBe(true);
    const review = { decision: "review", className: "good" } as const;
    expect(differ({ live: review, shadow: { ...review, className: "bad" } })).toBe(false);
  });

  test("that is slow holds up no frame: what it cannot take is dropped and counted", async () => {
    let release: () => void = () => {};
    const { send, world, counted, shadows, standing } = await aLineInShadow({
      engine: {
        judge: (frames) =>
          new Promise((resolve) => {
            release = () => resolve(scores(2)(frames));
          }),
      },
    });
    for (let ticket = 1; ticket <= 520; ticket++) await send(ticket, 10, 10);
    expect(world.acknowledged).toHaveLength(520);
    // One is with the engine, 512 wait.
    expect(counted).toEqual(Array.from({ length: 7 }, () => "busy 1"));
    release();
    await turn();
    expect(counted.filter((one) => one === "judged")).toHaveLength(1);
    shadows.close();
    expect(standing()).toMatchObject({ judged: 1, dropped: 7 });
  });

  test("that takes too many bytes is given no more of them", async () => {
    const { send, counted } = await aLineInShadow({ engine: { judge: () => new Promise(() => {}) } });
    const payload = new Uint8Array(999);
    await send(1, 10, 10);
    for (let ticket = 2; ticket <= 600; ticket++) await send(ticket, 10, 10, { payload });
    expect(counted.filter((one) => one === "busy 1").length).toBe(600 - 1 - 512);
  });

  test("whose engine ends loses its batch and nothing else, and is not given it again", async () => {
    let calls = 0;
    const { send, world, counted, clock, standing } = await aLineInShadow({
      engine: {
        async judge(frames) {
          if (calls++ === 0) throw new EngineLost("it ended");
          return scores(2)(frames);
        },
      },
    });
    await send(1, 10, 10);
    await send(2, 10, 10);
    expect(counted).toEqual(["engine-lost 1", "judged"]);
    expect(world.ledger.records.map(({ decision }) => decision)).toEqual(["pass", "pass"]);
    expect(world.gateway.trouble()).toBeUndefined();
    await clock.pass(2000);
    expect(standing()).toMatchObject({ judged: 1, lost: 1 });
  });

  test("whose findings cannot be noted keeps them until they can", async () => {
    const { send, clock, standing, ledger, world, shadows } = await aLineInShadow();
    const { note } = ledger.shadow;
    let isFull = true;
    ledger.shadow.note = (...found) => {
      if (isFull) throw new Error("the disk is full");
      note(...found);
    };
    await send(1, 10, 50);
    await clock.pass(2000);
    expect(standing()).toBeUndefined();
    expect(world.gateway.trouble()).toBeUndefined();
    isFull = false;
    await send(2, 10, 50);
    await clock.pass(2000);
    expect(standing()).toMatchObject({ judged: 2, pairs: [{ frames: 2 }] });
    shadows.close();
  });

  test("that is taken away is asked no more", async () => {
    const { send, shadows, counted } = await aLineInShadow();
    shadows.put("press", undefined);
    await send(1, 10, 10);
    expect(counted).toEqual([]);
  });
});

describe("the book of comparisons", () => {
  const comparison = (shadowRevision: number) => ({
    ...{ station: "press", liveBundle: "b", liveRevision: 1, shadowBundle: "c", shadowRevision },
  });
  const pair = (className: string, frames = 1): PairCount => ({
    ...{ live: { decision: "pass", className }, shadow: { decision: "review", className }, frames },
    examples: Array.from({ length: 5 }, (_, i) => ({
      ...{ decision: i + 1, source: "cam-1", frame: `${className}-${i}` },
    })),
  });
  const counts = (...pairs: ReturnType<typeof pair>[]) => ({ judged: 1, dropped: 2, lost: 3, pairs });

  test("adds up over restarts, and keeps the first examples", () => {
    const path = aLedgerFile();
    for (const atMs of [1000, 2000]) {
      const ledger = aRealLedger({ path });
      ledger.shadow.note(comparison(1), counts(pair("good", 7)), atMs);
      ledger.close();
    }
    const ledger = aRealLedger({ path });
    expect(ledger.shadow.latest("press")).toMatchObject({
      ...{ beganAtMs: 1000, lastAtMs: 2000, judged: 2, dropped: 4, lost: 6 },
      pairs: [{ frames: 14 }],
    });
    expect(ledger.shadow.latest("press")!.pairs[0]!.examples).toHaveLength(5);
    expect(ledger.shadow.latest("other")).toBeUndefined();
    expect(ledger.verifyChain()).toBeUndefined();
    ledger.close();
  });

  test("is bounded: in comparisons of a station, and in pairs of each", () => {
    const ledger = aRealLedger();
    const many = Array.from({ length: 2500 }, (_, i) => pair(`class-${i}`));
    ledger.shadow.note(comparison(1), counts(...many), 1000);
    const { pairs } = ledger.shadow.latest("press")!;
    expect(pairs).toHaveLength(2001);
    expect(pairs[0]).toMatchObject({ frames: 500, live: { className: "(others)" } });
    for (let revision = 2; revision <= 30; revision++)
      ledger.shadow.note(comparison(revision), counts(pair("good")), 1000 * revision);
    expect(ledger.shadow.latest("press")!.comparison.shadowRevision).toBe(30);
    ledger.close();
  });

  test("forgets whole comparisons, the oldest first", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    for (let revision = 1; revision <= 25; revision++)
      ledger.shadow.note(comparison(revision), counts(pair("good")), 1000 * revision);
    ledger.close();
    const db = new Database(path, { readonly: true });
    expect(db.prepare("SELECT min(shadow_revision), count(*) FROM shadow_runs").raw().get()).toEqual([6, 20]);
    expect(db.prepare("SELECT count(DISTINCT run) FROM shadow_pairs").raw().get()).toEqual([20]);
    db.close();
  });
});
