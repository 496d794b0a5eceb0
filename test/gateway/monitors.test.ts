/** The monitors of a gateway: what tightens holds at once, what loosens is on record first, and red outlives all. */

import { describe, expect, test } from "vitest";
import { driftTest } from "../../src/core/envelope/reference.ts";
import { extentOf } from "../../src/core/extent.ts";
import type { MonitorFault } from "../../src/core/monitor.ts";
import { seededRandom } from "../../src/core/random.ts";
import type { Committed } from "../../src/core/record.ts";
import { fixExceedanceTest, ladderOf } from "../../src/core/statistics/exceedance.ts";
import type { MonitorBook } from "../../src/gateway/monitor-ports.ts";
import { CLOCK_TOLERANCE_MS, createMonitors, type Watched } from "../../src/gateway/monitors.ts";
import type { ActRow } from "../../src/gateway/ports.ts";

const ENVELOPE = "a".repeat(64);
const NEXT_ENVELOPE = "b".repeat(64);
const ref = ladderOf(Float64Array.from({ length: 2000 }, (_, i) => i / 2000));
const tests = { drift: fixExceedanceTest([[ref, ref]], { etaRef: 0.01, etaMon: 0.04 }), riskAlarmAt: 25 };
const WATCHED: Watched = {
  ...{ station: "press", revision: 3, envelope: ENVELOPE, tests },
  window: { parts: 1, ms: 0, sourcesMax: 4 },
};

/** What outlives a process: acts and book, both as the ledger has them. */
function aDisk() {
  const acts: ActRow[] = [];
  const saved = new Map<string, { state: string; told: number }>();
  let lastDecisionAtMs: number | undefined;
  return {
    acts,
    isFull: false,
    told: [] as ActRow[],
    decidedAt(ms: number) {
      lastDecisionAtMs = ms;
    },
    book: {
      find: (station) => saved.get(station),
      save(rows) {
        for (const { station, state, told } of rows) saved.set(station, { state, told });
      },
      lastDecisionAtMs: () => lastDecisionAtMs,
    } satisfies MonitorBook,
    saved,
  };
}

function aGatewayOn(disk: ReturnType<typeof aDisk>, watched = WATCHED, nowMs = 1_000_000) {
  let monotonicMs = 0;
  const due: (() => void)[] = [];
  const nothing = (): void => {};
  const monitors = createMonitors({
    watched: [watched],
    book: disk.book,
    acts: {
      append(rows) {
        if (disk.isFull) throw new Error("the disk is full");
        const written = rows.map((row, i) => ({ ...row, seq: disk.acts.length + i + 1 }));
        disk.acts.push(...written);
        return written;
      },
      list: ({ kinds, limit }) =>
        disk.acts
          .filter(({ kind }) => kinds?.includes(kind))
          .slice(-limit)
          .reverse(),
    },
    clock: {
      nowMs: () => nowMs,
      monotonicMs: () => monotonicMs++,
      after(_, call) {
        due.push(call);
        return nothing;
      },
    },
    random: seededRandom(1),
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    tell(act, done) {
      disk.told.push(act);
      done();
    },
  });
  monitors.start();
  return { ...monitors, round: () => due.splice(0).forEach((call) => void call()) };
}

/** One judged frame of no part. */
function committed(score: number | null, decidedAtMs = 1_000_000, is: object = {}): Committed {
  const record = { ...{ station: "press", source: "cam", decision: "review", reason: "score" }, score };
  return {
    record: { ...record, novelty: score, decidedAtMs, ...is },
    isRedelivery: false,
  } as unknown as Committed;
}

const drift = (count: number): Committed[] => Array.from({ length: count }, () => committed(2));
const clearing = (sinceMs: number) => ({
  ...{ station: "press", redSince: new Date(sinceMs).toISOString(), persons: ["mori"], why: "cleaned" },
  ground: { kind: "audit", parts: 299, unfaithful: 0 } as const,
});
const IN_FORCE = { station: "press", envelope: ENVELOPE, alpha: 0.01, eta: 0.05 };

describe("a monitor that drifts", () => {
  test("turns amber and red, writes both as acts, and tells operators of each once", () => {
    const disk = aDisk();
    const gateway = aGatewayOn(disk);
    gateway.take(drift(100));
    gateway.round();
    expect(gateway.state("press")).toBe("red");
    expect(disk.acts.map(({ body }) => JSON.parse(body).state)).toEqual(["amber", "red"]);
    expect(disk.told).toEqual(disk.acts);
    expect(JSON.parse(disk.acts[1]!.body).words.ja).toMatch(/赤.*レンズ/);
  });

  test("is red at once where that cannot be written, and it is written later", () => {
    const disk = aDisk();
    const gateway = aGatewayOn(disk);
    disk.isFull = true;
    gateway.take(drift(100));
    expect([gateway.state("press"), disk.acts.length]).toEqual(["red", 0]);
    disk.isFull = false;
    gateway.round();
    expect(JSON.parse(disk.acts.at(-1)!.body)).toMatchObject({ state: "red", cause: { kind: "drift" } });
  });

  test("goes on from its evidence after a restart", () => {
    const disk = aDisk();
    const gateway = aGatewayOn(disk);
    gateway.take(drift(2));
    gateway.round();
    expect(aGatewayOn(disk).report("press").evidence).toEqual(gateway.report("press").evidence);
    expect(gateway.report("press").evidence!.drift).toBeGreaterThan(1);
  });

  test("is not fed with redeliveries, rejects, held frames and late ones", () => {
    const disk = aDisk();
    const gateway = aGatewayOn(disk);
    const before = gateway.report("press");
    const [one] = drift(1);
    gateway.take([
      { ...one!, isRedelivery: true },
      committed(2, 1_000_000, { decision: "reject" }),
      committed(2, 1_000_000, { decision: "held" }),
      committed(2, 1_000_000, { reason: "late-frame" }),
    ]);
    expect(gateway.report("press")).toEqual(before);
  });
});

describe("a monitor that watches place", () => {
  const coordinate = { highest: [ref], lowest: [ref] };
  const reference = { score: ref, novelty: ref, place: coordinate };
  const placed = {
    ...WATCHED,
    tests: { drift: driftTest(reference, { etaRef: 0.01, etaMon: 0.04 }), riskAlarmAt: 25 },
  };
  const at = (place: number): Committed => ({ ...committed(0.5), extent: extentOf([place]) });

  test("turns red by parts that lie elsewhere, whatever their scores", () => {
    const gateway = aGatewayOn(aDisk(), placed);
    gateway.take(Array.from({ length: 200 }, () => at(2)));
    expect(gateway.state("press")).toBe("red");
  });

  test("does not draw a part that was open over a restart: some of it is forgotten, whatever it looked like", () => {
    const gateway = aGatewayOn(aDisk(), placed);
    gateway.take(Array.from({ length: 200 }, () => committed(0.5)));
    expect(gateway.report("press").evidence!.drift).toBe(1);
  });
});

describe("amber", () => {
  test("stays while its green cannot be written", () => {
    const disk = aDisk();
    const gateway = aGatewayOn(disk);
    gateway.observeRisk("press", 12, "3 of 20");
    gateway.observeRisk("press", 1, "3 of 90");
    disk.isFull = true;
    gateway.take(Array.from({ length: 250 }, () => committed(0)));
    expect(gateway.state("press")).toBe("amber");
    disk.isFull = false;
    gateway.take([committed(0)]);
    expect(gateway.state("press")).toBe("green");
    expect(disk.acts.map(({ body }) => JSON.parse(body).state)).toEqual(["amber", "green"]);
  });
});

describe("red", () => {
  const faults: readonly MonitorFault[] = ["defect", "digest", "ledger", "clock", "audits"];

  test.each(faults)("by %s outlives a lost process, a switched-off monitor and another envelope", (fault) => {
    const disk = aDisk();
    aGatewayOn(disk).fail("press", fault, "found by a test");
    const after = aGatewayOn(disk);
    expect(after.state("press")).toBe("red");
    expect(aGatewayOn(disk, { ...WATCHED, tests: undefined }).state("press")).toBe("red");
    after.changed({ ...WATCHED, envelope: NEXT_ENVELOPE });
    expect(after.state("press")).toBe("red");
    expect(aGatewayOn(disk, { ...WATCHED, envelope: NEXT_ENVELOPE }).state("press")).toBe("red");
  });

  test("is what the acts say, whatever is saved beside them", () => {
    const disk = aDisk();
    const gateway = aGatewayOn(disk);
    gateway.round();
    const green = new Map(disk.saved);
    gateway.fail("press", "digest", "found by a test");
    for (const [station, row] of green) disk.saved.set(station, row);
    expect(aGatewayOn(disk).state("press")).toBe("red");
  });

  test("comes of saved evidence that cannot be read, and is put on record", () => {
    const disk = aDisk();
    disk.saved.set("press", {
      state: `{"envelope":"${ENVELOPE}","drift":{"steps":-1,"capital":[]}}`,
      told: 0,
    });
    expect(aGatewayOn(disk).state("press")).toBe("red");
    expect(disk.acts).toHaveLength(1);
  });

  test.each([
    [CLOCK_TOLERANCE_MS, "green"],
    [CLOCK_TOLERANCE_MS + 1, "red"],
  ])("or not: a clock that is %d ms back at start, and between batches, is %s", (backMs, state) => {
    const disk = aDisk();
    disk.decidedAt(1_000_000 + backMs);
    expect(aGatewayOn(disk).state("press")).toBe(state);
    const running = aGatewayOn(aDisk());
    running.take([committed(0, 1_000_000), committed(0, 1_000_000 - backMs)]);
    expect(running.state("press")).toBe(state);
  });

  test("is cleared by an act that proves it, on record before it holds", () => {
    const disk = aDisk();
    const gateway = aGatewayOn(disk);
    gateway.fail("press", "digest", "found by a test");
    const act = clearing(gateway.report("press").sinceMs!);
    expect(gateway.clear("press", { ...act, redSince: "2020-01-01T00:00:00.000Z" }, IN_FORCE, {})).toMatch(
      /is red since/,
    );
    disk.isFull = true;
    expect(() => gateway.clear("press", act, IN_FORCE, {})).toThrow("full");
    expect(gateway.state("press")).toBe("red");
    disk.isFull = false;
    expect(gateway.clear("press", act, IN_FORCE, { signed: 1 })).toBeUndefined();
    expect(gateway.state("press")).toBe("green");
    expect(disk.acts.at(-1)).toMatchObject({ kind: "monitor-cleared" });
    expect(JSON.parse(disk.acts.at(-1)!.body).document).toEqual({ signed: 1 });
    expect(aGatewayOn(disk).state("press")).toBe("green");
  });
});

test("a station without drift statistics is off, and says so", () => {
  const gateway = aGatewayOn(aDisk(), { ...WATCHED, tests: undefined });
  gateway.take(drift(100));
  expect(gateway.report("press")).toMatchObject({
    state: "off",
    words: { en: expect.stringMatching(/off/) },
  });
});
