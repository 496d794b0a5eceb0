/** Drawing in the main path: what is drawn, what is on record before it, and what is kept for it. */

import { describe, expect, test } from "vitest";
import { AUDIT_COINS } from "../../src/commands/audit-coins.ts";
import { binomialInterval } from "../../src/core/statistics/binomial-interval.ts";
import { createAuditor } from "../../src/gateway/auditor.ts";
import type { ActRow, AuditCoins } from "../../src/gateway/ports.ts";
import type { StationOptions } from "../../src/gateway/station.ts";
import { aPrediction, aRule } from "../support/builders.ts";
import { aWorld, EVERY_FRAME, turn, type World } from "../support/world.ts";

/** Coins that a test says, by the frame's id; the seed is one of its number. */
function coinsOf(coinOf: (id: string) => number): AuditCoins {
  let seeds = 0;
  return {
    newSeed: () => ({ seed: `seed-${++seeds}`, commitment: `commitment-${seeds}` }),
    coinOf: (_, { id }) => ({ value: coinOf(id), rank: 0.5 }),
  };
}

type Act = Omit<ActRow, "seq">;

async function anAuditedWorld(
  is: Partial<StationOptions> & {
    coins?: AuditCoins;
    before?: World;
    appendActs?: (acts: readonly Act[]) => void;
  } = {},
) {
  const { coins = coinsOf((id) => (id === "f2" ? 0.05 : 0.5)), before, appendActs, ...station } = is;
  const acts: Act[] = [];
  let auditor: ReturnType<typeof createAuditor> | undefined;
  const world = await aWorld(
    { audits: { auditRate: 0.1, deadlineMs: 3_600_000 }, ...station },
    undefined,
    before,
    (ledger, clock) => {
      auditor = createAuditor({
        book: ledger.audits,
        acts: {
          append(given) {
            appendActs?.(given);
            acts.push(...given);
            world.trace.push("act");
            return [];
          },
        },
        ...{ coins, clock, log: { debug() {}, info() {}, warn() {}, error() {} } },
      });
      return auditor;
    },
  );
  return { world, auditor: auditor!, acts, audits: world.ledger.audits };
}

const bodies = (acts: readonly Act[]): { what: string; [member: string]: unknown }[] =>
  acts.map(({ body }) => JSON.parse(body));

describe("a part that passes", () => {
  test("is drawn by its coin, decided and published as before, and reviewed beside it", async () => {
    const { world, audits } = await anAuditedWorld();
    for (const ticket of [1, 2, 3]) world.deliver(ticket);
    await turn();
    expect(world.ledger.records.map(({ decision, reason }) => `${decision} ${reason}`)).toEqual(
      Array.from({ length: 3 }, () => "pass faithful"),
    );
    expect(audits.list({ limit: 9 })).toMatchObject([
      { frame: "f2", ordinal: 1, decision: 2, pi: 0.1, piMin: 0.1, revision: 1 },
    ]);
    expect(audits.settledAfter("press", 1, "teacher", 0, 9).cursor).toBe(1);
    const [alert] = world.ledger.alertsWritten.map((body) => JSON.parse(body));
    expect(alert).toMatchObject({
      reason: "audit",
      frame: "f2",
      class: null,
      confidence: null,
      priority: 0.5,
    });
    expect(world.trace.filter((one) => one.startsWith("publish decisions"))).toHaveLength(3);
    expect(audits.waitingForTeacher(0, 9)[0]!.frames).toEqual([
      { contentType: "application/octet-stream", payload: Uint8Array.of(2) },
    ]);
  });

  test("is not drawn where it does not pass: to a person, a reject, shadow", async () => {
    const always = coinsOf(() => 0);
    const shadow = await anAuditedWorld({ coins: always, rule: aRule({ mode: "shadow" }) });
    shadow.world.deliver(1);
    const reviewed = await anAuditedWorld({ coins: always });
    reviewed.world.judge = EVERY_FRAME(aPrediction({ score: 0.9 }));
    reviewed.world.deliver(1);
    const rejected = await anAuditedWorld({ coins: always, frameBytesMax: 0 });
    rejected.world.deliver(1);
    await turn();
    for (const { world, audits, acts } of [shadow, reviewed, rejected]) {
      expect(world.ledger.records).toHaveLength(1);
      expect(audits.passed).toEqual([]);
      expect(acts).toEqual([]);
    }
  });

  test("is not drawn where the station has no rate", async () => {
    const { world, audits, acts } = await anAuditedWorld({ coins: coinsOf(() => 0), audits: undefined });
    world.deliver(1);
    await turn();
    expect(audits.passed).toEqual([]);
    expect(acts).toEqual([]);
  });

  test("is not drawn again when its frame comes again", async () => {
    const { world, audits } = await anAuditedWorld();
    world.deliver(2);
    await turn();
    world.deliver(3, { frameId: "f2" });
    world.deliver(4, { frameId: "f2" });
    await turn();
    expect(audits.passed).toHaveLength(1);
    expect(world.ledger.alertsWritten).toHaveLength(1);
    expect(world.acknowledged).toEqual([2, 3, 4]);
  });
});

describe("a policy", () => {
  test("is on record before the first part is drawn by it, with its seed's commitment and not the seed", async () => {
    const { world, acts, audits } = await anAuditedWorld();
    world.deliver(1);
    await turn();
    expect(world.trace.slice(0, 2)).toEqual(["act", "commit f1"]);
    expect(acts).toMatchObject([{ station: "press", kind: "audit-policy", revision: 1 }]);
    expect(bodies(acts)).toMatchObject([
      {
        ...{ what: "begins", auditRate: 0.1, piMin: 0.1, amberFactor: 4, deadlineSeconds: 3600 },
        ...{ commitment: "commitment-1", bundle: "b".repeat(64) },
      },
    ]);
    expect(acts[0]!.body).not.toContain("seed-1");
    expect(audits.seeds()).toHaveLength(1);
    world.deliver(2);
    await turn();
    expect(acts).toHaveLength(1);
  });

  test("that cannot be put on record draws nothing: frames wait unacknowledged", async () => {
    let isFull = true;
    const { world, audits } = await anAuditedWorld({
      appendActs() {
        if (isFull) throw new Error("the disk is full");
      },
    });
    world.deliver(2);
    await turn();
    expect(world.acknowledged).toEqual([]);
    expect(audits.passed).toEqual([]);
    isFull = false;
    await world.clock.pass(1000);
    expect(world.acknowledged).toEqual([2]);
    expect(audits.list({ limit: 9 })).toMatchObject([{ frame: "f2" }]);
  });

  test("ends with what was in force, and its seed is shown a while later; the next has a seed of its own", async () => {
    const { world, auditor, acts } = await anAuditedWorld();
    auditor.start();
    world.deliver(1);
    await turn();
    const inForce = {
      classes: ["good", "bad"],
      bundle: "b".repeat(64),
      reviewDeadlineMs: 1,
      framesPerPartMax: 4,
    };
    const engine = { judge: EVERY_FRAME(aPrediction()) };
    const audits = { auditRate: 0.2, deadlineMs: 1000 };
    world.gateway.putInForce("press", { ...inForce, engine, audits, rule: aRule({ revision: 2 }) });
    world.deliver(3);
    await turn();
    await world.clock.pass(59_000);
    expect(bodies(acts).map(({ what, commitment }) => [what, commitment])).toEqual([
      ["begins", "commitment-1"],
      ["begins", "commitment-2"],
    ]);
    await world.clock.pass(2000);
    expect(bodies(acts).at(-1)).toEqual({ what: "ended", commitment: "commitment-1", seed: "seed-1" });
    expect(world.ledger.audits.seeds()).toMatchObject([{ seed: "seed-2", revision: 2 }]);
    auditor.close();
  });

  test("whose daemon ended in between is shown at the next start", async () => {
    const first = await anAuditedWorld();
    first.world.deliver(1);
    await turn();
    const second = await anAuditedWorld({ before: first.world });
    second.auditor.start();
    expect(bodies(second.acts)).toEqual([{ what: "ended", commitment: "commitment-1", seed: "seed-1" }]);
    expect(second.audits.seeds()).toEqual([]);
    second.auditor.close();
  });

  test("draws at its rate, by coins that the seed gives back from the rows alone", async () => {
    const PARTS = 4000;
    const { world, audits, acts, auditor } = await anAuditedWorld({
      coins: AUDIT_COINS,
      audits: { auditRate: 0.05, deadlineMs: 1000 },
    });
    for (let n = 1; n <= PARTS; n++) world.deliver(n, { payload: Uint8Array.of(1) });
    await turn();
    await world.clock.pass(0);
    while (world.gateway.backlog() > 0) await turn();
    await turn();
    expect(world.ledger.records).toHaveLength(PARTS);
    const drawn = audits.passed.filter(({ audit }) => audit !== undefined);
    const { low, high } = binomialInterval(drawn.length, PARTS, 1e-6);
    expect(low).toBeLessThanOrEqual(0.05);
    expect(high).toBeGreaterThanOrEqual(0.05);
    const { seed } = audits.seeds()[0]!;
    expect(bodies(acts)[0]!.commitment).toBe(audits.seeds()[0]!.commitment);
    const again = world.ledger.records.filter(({ frame, source, station }) => {
      const subject = { station, source, id: frame, part: undefined, receivedAtMs: 1_000_000 };
      return AUDIT_COINS.coinOf(seed, subject).value < 0.05;
    });
    expect(again.map(({ id }) => id)).toEqual(drawn.map(({ decision }) => decision));
    auditor.close();
  });
});

describe("a part of several frames", () => {
  const frame = (part: string, n: number, of = 2) => ({
    frameId: `${part}-${n}`,
    partId: part,
    partCount: of,
    payload: Uint8Array.of(n, n),
  });
  const byFirst = coinsOf((id) => (id === "p-1" || id === "q-1" ? 0.05 : 0.5));

  test("is drawn once, by the coin of its first frame, with all its frames", async () => {
    const { world, audits } = await anAuditedWorld({ coins: byFirst });
    world.deliver(1, frame("p", 1));
    await turn();
    world.deliver(2, frame("other", 1));
    await turn();
    world.deliver(3, frame("p", 2));
    world.deliver(4, frame("other", 2));
    await turn();
    expect(audits.passed.map(({ audit }) => audit !== undefined)).toEqual([true, false]);
    expect(audits.waitingForTeacher(0, 9)).toMatchObject([{ part: "p", ordinal: 0 }]);
    expect(audits.waitingForTeacher(0, 9)[0]!.frames.map(({ payload }) => payload[0])).toEqual([1, 2]);
    const [alert] = world.ledger.alertsWritten.map((body) => JSON.parse(body));
    expect(alert).toMatchObject({ reason: "audit", part: "p", frames: 2, class: null, score: null });
  });

  test("that does not pass is not drawn, and neither are its frames", async () => {
    const { world, audits } = await anAuditedWorld({ coins: coinsOf(() => 0) });
    world.deliver(1, frame("p", 1));
    await turn();
    await world.clock.pass(10_001);
    expect(world.ledger.records.map(({ decision }) => decision)).toEqual(["held", "review"]);
    expect(audits.passed).toEqual([]);
  });

  test("that was open over a restart passes without being drawn or counted: its first frames are gone", async () => {
    const first = await anAuditedWorld({ coins: coinsOf(() => 0) });
    first.world.deliver(1, frame("p", 1));
    await turn();
    const second = await anAuditedWorld({ coins: coinsOf(() => 0), before: first.world });
    second.world.deliver(2, frame("p", 2));
    second.world.deliver(3, frame("q", 1, 1));
    await turn();
    const passes = second.world.ledger.records.filter(({ decision }) => decision === "pass");
    expect(passes.map(({ part }) => part)).toEqual(["p", "q"]);
    expect(second.audits.list({ limit: 9 }).map(({ part }) => part)).toEqual(["q"]);
    expect(second.audits.passed).toHaveLength(1);
  });
});
