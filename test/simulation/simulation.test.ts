/**
 * The gateway and its relay among random faults. Every run follows from its seed:
 * `SEKISHO_SIMULATION_SEED=n` runs that one alone, `SEKISHO_SIMULATION_SEEDS=n` the first n.
 */

import { describe, expect, test } from "vitest";
import { auditViolations } from "./audits.ts";
import { partViolations } from "./parts.ts";
import type { SensorMessage } from "./plant.ts";
import { simulate } from "./run.ts";
import { DEDUPE_WINDOW_MS, type World } from "./world.ts";

const SEEDS = Number(process.env.SEKISHO_SIMULATION_SEEDS ?? 200);
const ONLY = process.env.SEKISHO_SIMULATION_SEED;
const SEEDS_A_TEST = 25;

/** Each must come about in a set of seeds, or the simulation shows nothing about it. */
const EVENTS = [
  ...["deliver", "redeliver", "commit", "puback", "shed", "hold", "leave", "killed", "stop", "started"],
  ...[
    "disk-trouble",
    "disk-unreadable",
    "engine-crashed",
    "engine-killed",
    "judged-after-kills",
    "engine-hung",
    "intake-dropped",
    "intake-connected",
  ],
  ...["broker-down", "outlet-mute", "outlet-refusing", "publisher-lost", "publisher-connected", "clock-jump"],
  ...[
    "part-pass",
    "part-review",
    "part-cut",
    "late-frame",
    "audit-drawn",
    "audit-of-part",
    "known-frame",
    "seed-shown",
  ],
  ...["publish-lost", "publish-refused", "publish-unsendable", "session-forgotten", "session-older"],
];

describe("whatever happens, nothing is lost, and nothing decided twice", () => {
  const counts = new Map<string, number>();
  const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(ONLY)];
  const groups = Array.from({ length: Math.ceil(seeds.length / SEEDS_A_TEST) }, (_, i) =>
    seeds.slice(i * SEEDS_A_TEST, (i + 1) * SEEDS_A_TEST),
  );

  test.each(groups.map((group) => [group[0], group.at(-1), group] as const))(
    "seeds %i to %i",
    async (_first, _last, group) => {
      for (const seed of group) {
        const world = await simulate(seed);
        const violations = [...world.journal.violations, ...finalViolations(world)];
        for (const [kind, count] of world.journal.counts) counts.set(kind, (counts.get(kind) ?? 0) + count);
        if (violations.length > 0) throw new Error(report(seed, violations, world));
      }
    },
    600_000,
  );

  test.skipIf(ONLY !== undefined)("every fault and every way out of it came about", () => {
    expect(EVENTS.filter((kind) => !counts.has(kind))).toEqual([]);
    if (process.env.SEKISHO_SIMULATION_COUNTS === "1")
      process.stdout.write(`${JSON.stringify([...counts])}\n`);
  });
});

function report(seed: number, violations: readonly string[], { journal }: World): string {
  return [
    `seed ${seed}: ${violations.slice(0, 10).join("\n")}`,
    `run it again: SEKISHO_SIMULATION_SEED=${seed} npx vitest run test/simulation`,
    journal.tail(),
  ].join("\n");
}

function finalViolations(world: World): string[] {
  return [
    ...undecided(world),
    ...decidedTwice(world),
    ...unpublished(world),
    ...undelivered(world),
    ...partViolations(world),
    ...auditViolations(world),
  ];
}

/** What the broker kept has been decided, and so has all that it was told is safe. */
function undecided({ plant, disk, forgotten, onlyHere }: World): string[] {
  const uses = new Map<string, number>();
  const useOf = ({ topic, frameId }: SensorMessage): string => `${topic} ${frameId}`;
  for (const message of plant.sent) uses.set(useOf(message), (uses.get(useOf(message)) ?? 0) + 1);
  return (
    plant.sent
      // A later message of the same id may have taken its place.
      .filter((message) => !onlyHere.has(message.seq) || uses.get(useOf(message)) === 1)
      .filter(({ seq, topic, qos }) => qos === 1 && !topic.startsWith("nobody/") && !forgotten.has(seq))
      .filter(({ seq }) => !disk.decided.has(seq))
      .map(({ seq }) => `message ${seq} has no decision`)
  );
}

/** By the id that the plant gave, not by what the ledger makes of it. */
function decidedTwice({ plant, disk }: World): string[] {
  const earlier = new Map<string, number>();
  const twice: string[] = [];
  for (const { id, decidedAtMs } of disk.records) {
    const seq = disk.messageOf.get(id);
    const { topic, frameId } = plant.sent[seq ?? -1] ?? {};
    if (frameId === undefined) continue;
    const key = `${topic} ${frameId}`;
    const before = earlier.get(key);
    if (before !== undefined && before >= decidedAtMs - DEDUPE_WINDOW_MS)
      twice.push(`${key} was decided twice`);
    earlier.set(key, Math.max(before ?? 0, decidedAtMs));
  }
  return twice;
}

function unpublished({ disk, published }: World): string[] {
  return disk.records
    .filter(({ id, decision }) => published.decisions.has(id) === (decision === "held"))
    .map(({ id, decision }) => `row ${id}, ${decision}, must be published unless it is held, and only then`);
}

/** Each alert arrived, as the very words that were written, or without its frame where that was too large. */
function undelivered({ disk, published }: World): string[] {
  const announced = new Set([...disk.alerts.values()].map(({ decision }) => decision));
  const audited = disk.audits.reviewed;
  const problems = disk.records
    .filter(({ id, decision, reason }) =>
      // Of a late frame an alert may be there already; partViolations sees to that.
      reason === "late-frame" ? false : (decision === "review" || audited.has(id)) !== announced.has(id),
    )
    .map(
      ({ id, decision }) =>
        `decision ${id} is ${decision}; an alert there must be for a review or an audit, and only then`,
    );
  for (const [review, { body: written }] of disk.alerts) {
    const { frameInline: _, ...rest } = JSON.parse(written) as Record<string, unknown>;
    const bodies = published.alerts.get(review) ?? [];
    if (bodies.length === 0) problems.push(`the alert of review ${review} was not delivered`);
    if (bodies.some((body) => body !== written && body !== JSON.stringify(rest))) {
      problems.push(`the alert of review ${review} was delivered in other words`);
    }
  }
  for (const review of published.alerts.keys()) {
    if (!disk.alerts.has(review)) problems.push(`an alert of review ${review}, which is not in the ledger`);
  }
  return problems;
}
