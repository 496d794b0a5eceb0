/** Replay on real ledgers that a gateway has written: what is in force comes to what is on record, row by row. */

import { describe, expect, test } from "vitest";
import { type Walked, walk } from "../../src/commands/replay/walk.ts";
import type { MonitorState, Prediction, Rule } from "../../src/core/judge.ts";
import { seededRandom } from "../../src/core/random.ts";
import type { EngineFrame, Outcome } from "../../src/gateway/ports.ts";
import type { StationOptions } from "../../src/gateway/station.ts";
import { openReplayRows } from "../../src/ledger/replay-rows.ts";
import { Database } from "../../src/sqlite/database.ts";
import { answered } from "../support/answered.ts";
import { aJudged, aPrediction, aRule } from "../support/builders.ts";
import { aLedgerFile, aRealLedger } from "../support/ledger.ts";
import { aClock, aWorld, type FakeLedger, turn } from "../support/world.ts";

const BUNDLE = "b".repeat(64);
const STRICT = aRule({ lambdaAmber: Float64Array.of(0.05, Number.NaN) });

function replayed(
  path: string,
  rule: Rule,
  is: { inForce?: Rule; sinceMs?: number; windowMs?: number } = {},
): Walked {
  const rows = openReplayRows(path);
  try {
    return walk(rows, {
      ...{ station: "press", bundle: BUNDLE, rule, inForce: is.inForce ?? rule },
      ...{ sinceMs: is.sinceMs ?? 0, untilMs: Number.POSITIVE_INFINITY, progress: () => {} },
      ...{ framesPerPartMax: 4, windowMs: is.windowMs ?? 10_000 },
    });
  } finally {
    rows.close();
  }
}

function rowsOf(path: string): { decision: string; reason: string; would: string | null }[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare("SELECT decision, reason, would FROM decisions ORDER BY id").all() as ReturnType<
      typeof rowsOf
    >;
  } finally {
    db.close();
  }
}

/** A gateway that judges what chance gives it, frames and parts of all kinds, into a real ledger. */
async function aLine(seed: number, station: Partial<StationOptions>, restart = false): Promise<string> {
  const path = aLedgerFile();
  const clock = aClock();
  const real = aRealLedger({ path, nowMs: clock.nowMs });
  const ledger = { ...real, records: [], alertsWritten: [], beforeAppend() {} } as unknown as FakeLedger;
  const random = seededRandom(seed);
  const draw = (...choices: readonly number[]): number =>
    choices[Math.floor(choices.length * random.next())]!;
  const judge = async (frames: readonly EngineFrame[]): Promise<readonly Outcome[]> =>
    frames.map((): Outcome => {
      if (random.next() < 0.05) return { kind: "reject", reason: "too-short" };
      const is: Partial<Prediction> = {
        classIndex: draw(0, 0, 0, 0, 0, 0, 1, -1),
        score: draw(0.1, 0.15, 0.2, 0.200001, 0.3, random.next(), Number.NaN),
        confidence: draw(0.9, 0.9, 0.9, 0.9, 0.5, 1),
        novelty: draw(1, 1, 1, 2, 2.1, Number.POSITIVE_INFINITY),
      };
      return { kind: "prediction", prediction: aPrediction(random.next() < 0.5 ? {} : is) };
    });
  const open = async () => {
    const world = await aWorld(station, undefined, { ledger, clock, trace: [] });
    world.judge = judge;
    return world;
  };
  let world = await open();
  let ticket = 0;
  const part = (): string | undefined =>
    draw(0, 1) === 0 ? undefined : `p${Math.floor(ticket / 6)}-${draw(0, 1)}`;
  for (let i = 0; i < 400; i++) {
    const partId = part();
    ticket++;
    world.deliver(ticket, {
      payload: Uint8Array.of(ticket & 255, ticket >> 8),
      ...{ partId, topic: `cam-${draw(1, 2)}` },
      frameId: draw(0, 0, 0, 0, 0, 1) === 0 ? `f${ticket}` : draw(0, 1) === 0 ? undefined : `f${ticket - 1}`,
      partCount: partId === undefined ? undefined : draw(0, 1, 2, 2, 3, 6) || undefined,
    });
    await turn();
    if (i % 23 === 0) await world.clock.pass(draw(500, 4000, 11_000));
    if (restart && i === 200) {
      await world.gateway.stop(1000).catch(() => {});
      world = await open();
    }
  }
  await world.clock.pass(20_000);
  real.close();
  return path;
}

describe("what is in force, replayed", () => {
  test.each<[string, number, Partial<StationOptions>]>([
    ["guarded", 1, {}],
    ["guarded, another line", 2, {}],
    ["in shadow", 3, { rule: aRule({ mode: "shadow" }) }],
    ["where few parts may be open", 4, { parts: { windowMs: 10_000, openMax: 2 } }],
    ["where parts are not put together", 5, { parts: undefined }],
    ["where nothing passes", 6, { rule: aRule({ lambda: Float64Array.of(Number.NaN, Number.NaN) }) }],
    ["where everything is stopped", 7, { rule: aRule({ stopped: true }) }],
  ])("comes to what is on record, for every frame and part: %s", async (_, seed, station) => {
    const path = await aLine(seed, station);
    const recorded = rowsOf(path);
    const judged = recorded.filter(({ decision }) => decision !== "reject");
    const { agreement, leftOut, all, moved, inShadow } = replayed(path, station.rule ?? aRule());
    expect(agreement).toEqual({ rows: judged.length, differing: 0, examples: [] });
    expect(leftOut).toEqual({ rejects: recorded.length - judged.length, otherBundle: 0, incomplete: 0 });
    expect(all.now).toBe(all.would);
    expect(moved).toEqual({ passToReview: 0, reviewToPass: 0, otherReason: 0 });
    expect(inShadow > 0).toBe(station.rule?.mode === "shadow");
    const late = judged.filter(
      ({ reason, would }) => reason === "late-frame" || would === "review:late-frame",
    ).length;
    const held = judged.filter(({ decision }) => decision === "held").length;
    expect(all.decided).toBe(judged.length - held - late);
    expect(all.decided).toBeGreaterThan(150);
    if (station.parts !== undefined || !("parts" in station)) expect(held).toBeGreaterThan(50);
  });

  test("in a part of the time comes to the same, also of parts that began before it", async () => {
    const path = await aLine(8, {});
    const whole = replayed(path, aRule());
    const half = replayed(path, aRule(), { sinceMs: (whole.firstMs + whole.lastMs) / 2 });
    expect(half.agreement).toMatchObject({ differing: 0 });
    expect(half.leftOut.incomplete).toBe(0);
    expect(half.all.decided).toBeGreaterThan(0);
    expect(half.all.decided).toBeLessThan(whole.all.decided);
  });
});

describe("another rule", () => {
  const at = (id: string, score: number, is: object = {}) => ({ ...aJudged({ id, score }), ...is });
  const inLedger = (...batch: readonly ReturnType<typeof at>[]): string => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    ledger.append(batch);
    ledger.close();
    return path;
  };

  test("is shown by what would move, of which class and for which reason", () => {
    const reviewed = { decision: { kind: "review", reason: "score" } } as const;
    const path = inLedger(at("a", 0.1), at("b", 0.18), at("c", 0.3, reviewed), at("d", 0.6, reviewed));
    const stricter = replayed(path, aRule({ lambda: Float64Array.of(0.15, Number.NaN) }), {
      inForce: aRule(),
    });
    expect(stricter.all).toEqual({ decided: 4, now: 2, would: 3 });
    expect(stricter.moved).toEqual({ passToReview: 1, reviewToPass: 0, otherReason: 0 });
    expect([...stricter.classes]).toEqual([["good", { decided: 4, now: 2, would: 3 }]]);
    expect([...stricter.reasons]).toEqual([["score", { now: 2, would: 3 }]]);
    const looser = replayed(path, aRule({ lambda: Float64Array.of(0.4, Number.NaN) }), { inForce: aRule() });
    expect(looser.moved).toEqual({ passToReview: 0, reviewToPass: 1, otherReason: 0 });
    const none = replayed(path, aRule({ lambda: Float64Array.of(Number.NaN, Number.NaN) }), {
      inForce: aRule(),
    });
    expect(none.moved).toEqual({ passToReview: 2, reviewToPass: 0, otherReason: 2 });
  });

  test("says nothing of what another bundle judged", () => {
    const path = inLedger(at("a", 0.1), at("b", 0.1, { bundle: "c".repeat(64) }));
    const { all, leftOut } = replayed(path, aRule());
    expect(all.decided).toBe(1);
    expect(leftOut.otherBundle).toBe(1);
  });

  test("is weighed by what people have said, if somebody vouches for them", () => {
    const path = aLedgerFile();
    const ledger = aRealLedger({ path });
    const payload = Uint8Array.of(1);
    answered(ledger, [
      { id: "right", payload },
      { id: "wrong", payload, verdict: "correct", class: "bad" },
      { id: "unvouched", payload, verdict: "correct", class: "bad", vouched: false },
      { id: "unusable", payload, verdict: "unusable" },
      { id: "unanswered", payload, verdict: undefined },
    ]);
    ledger.close();
    const { known } = replayed(path, aRule());
    expect(known.wrong).toEqual({ found: 1, passedNow: 0, wouldPass: 1, caught: 0, missed: 1 });
    expect(known.right).toMatchObject({ found: 1, missed: 1 });
    expect(known.unfaithful.found).toBe(0);
  });

  test.each<[MonitorState, Partial<Rule>, number]>([
    ["red", { lambda: Float64Array.of(1, Number.NaN) }, 1],
    ["amber", { lambda: Float64Array.of(1, Number.NaN), lambdaAmber: Float64Array.of(0.05, Number.NaN) }, 1],
    ["amber", { lambda: Float64Array.of(1, Number.NaN), lambdaAmber: Float64Array.of(0.5, Number.NaN) }, 0],
  ])("meets the monitor as it stood: %s %#", (monitor, is, would) => {
    const made = { kind: "review", reason: monitor === "red" ? "monitor-red" : "score" } as const;
    const path = inLedger(at("a", 0.1, { decision: made, lambda: monitor === "red" ? 0.2 : 0.05 }));
    expect(replayed(path, STRICT).agreement.differing).toBe(0);
    expect(replayed(path, { ...STRICT, ...is }, { inForce: STRICT }).all.would).toBe(would);
  });
});
