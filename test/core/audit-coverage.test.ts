/**
 * The estimates where audits are as they are in a plant: skewed probabilities, amber in mid-stream, answers that
 * come out of order, too late or never. Unbiased over many runs, and the bound above the risk at every look.
 */

import { describe, expect, test } from "vitest";
import type { PassedParts } from "../../src/core/audit.ts";
import {
  type AuditSequence,
  auditEvidence,
  auditReport,
  ETA_AUDIT,
  nextAuditSequence,
  startAuditSequence,
} from "../../src/core/audit-estimates.ts";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { betaBinomialSequence } from "../../src/core/statistics/beta-binomial.ts";
import { binomialUpperTail } from "../../src/core/statistics/binomial-interval.ts";

const RUNS = 1000;
const PARTS = 3000;
const ALPHA = 0.02;
/** In passed parts: an answer after this is too late. */
const DEADLINE = 150;
/** A deviation of the mean that chance brings about once in 16,000 worlds. */
const Z_MAX = 4;
/** As rarely, a bound that is broken in eta of all runs is broken in so many of these. */
const P_MIN = 1 / 16_000;

interface Kind {
  readonly share: number;
  readonly risk: number;
  /** Mean time to an answer, in passed parts: what is bad takes longer, and is late more often. */
  readonly delay: { readonly good: number; readonly bad: number };
}

interface World {
  readonly kinds: readonly Kind[];
  /** Part of the answers that never come. */
  readonly lost: number;
  /** The policy, from the kind of the part and the audits settled so far: fixed before the part's own outcome. */
  readonly policy: (kind: number, settled: AuditSequence) => { readonly pi: number; readonly piMin: number };
}

const QUICK = { good: 5, bad: 20 };
const worlds: Readonly<Record<string, World>> = {
  "one probability": {
    kinds: [{ share: 1, risk: 0.03, delay: QUICK }],
    lost: 0,
    policy: () => ({ pi: 0.1, piMin: 0.1 }),
  },
  "answers late and missing": {
    kinds: [{ share: 1, risk: 0.03, delay: { good: 30, bad: 80 } }],
    lost: 0.02,
    policy: () => ({ pi: 0.1, piMin: 0.1 }),
  },
  // The risky kind of part is audited a fifth as often.
  "skewed probabilities": {
    kinds: [
      { share: 0.7, risk: 0.005, delay: QUICK },
      { share: 0.3, risk: 0.1, delay: { good: 30, bad: 80 } },
    ],
    lost: 0.01,
    policy: (kind) => ({ pi: kind === 0 ? 0.5 : 0.1, piMin: 0.1 }),
  },
  // Four times the audits while the risk test's own evidence asks for them.
  "amber in mid-stream": {
    kinds: [{ share: 1, risk: 0.03, delay: { good: 10, bad: 40 } }],
    lost: 0.01,
    policy: (_, settled) => {
      const pi = auditEvidence(settled)! >= 1.2 ? 0.4 : 0.1;
      return { pi, piMin: pi };
    },
  },
};

/** The probability that an audit of this kind counts as bad: it is, or its answer is late or lost. */
function countedRisk({ risk, delay }: Kind, lost: number): number {
  const isLate = lost + (1 - lost) * Math.exp(-DEADLINE / delay.good);
  return risk + (1 - risk) * isLate;
}

/** Expected share of bad or unanswered ones among passed parts. */
function trueRisk({ kinds, lost }: World): number {
  return kinds.reduce((sum, kind) => sum + kind.share * countedRisk(kind, lost), 0);
}

interface Waiting {
  readonly parts: PassedParts;
  /** The part at whose time it is settled. */
  readonly settlesAt: number;
}

/** One part of a world: its place in the order of drawing, and when the outcome of its audit is known. */
function aPart(world: World, now: number, settled: AuditSequence, random: Random): Waiting {
  const kindAt = random.next();
  const index = kindAt < world.kinds[0]!.share ? 0 : 1;
  const kind = world.kinds[index]!;
  const policy = world.policy(index, settled);
  const isBad = random.next() < kind.risk;
  const isDrawn = random.next() < policy.pi;
  const isLost = random.next() < world.lost;
  const delay = -Math.log(1 - random.next()) * (isBad ? kind.delay.bad : kind.delay.good);
  if (!isDrawn) return { parts: { isDrawn: false, count: 1, ...policy }, settlesAt: now };
  const isAnswered = !isLost && delay <= DEADLINE;
  return {
    parts: { isDrawn: true, id: String(now), isAnswered, isBad: isBad || !isAnswered, ...policy },
    settlesAt: now + (isAnswered ? delay : DEADLINE),
  };
}

interface Run {
  readonly final: AuditSequence;
  /** The least by which the bound was above the risk, at any look. */
  readonly margin: number;
  readonly switched: boolean;
}

/** Audits of one revision: parts pass, answers come as they come, and are counted in the order of drawing. */
function run(world: World, random: Random): Run {
  const risk = trueRisk(world);
  let sequence = startAuditSequence({ alpha: ALPHA, windowParts: 1 });
  let margin = Number.POSITIVE_INFINITY;
  let isLow = true;
  const look = (): void => {
    margin = Math.min(margin, auditReport(sequence).upperBound - risk);
  };
  const queue: Waiting[] = [];
  let next = 0;
  for (let now = 0; next < queue.length || now < PARTS; now++) {
    if (now < PARTS) queue.push(aPart(world, now, sequence, random));
    while (queue[next] !== undefined && queue[next]!.settlesAt <= now) {
      const { parts } = queue[next++]!;
      const before = sequence;
      const after = nextAuditSequence(before, parts);
      // A bound is lowest right before what raises it, and where another sequence takes over.
      const raises = parts.isDrawn && parts.isBad;
      const takesOver = after.pi === "unequal" && before.pi !== "unequal";
      if (isLow && (raises || takesOver)) look();
      sequence = after;
      isLow = !raises;
      if (takesOver) look();
    }
  }
  look();
  return { final: sequence, margin, switched: sequence.pi === "unequal" };
}

describe.each(Object.entries(worlds))("over %s", (name, world) => {
  test("the estimate is unbiased, and the bound above the risk at every look", async ({ annotate }) => {
    const random = seededRandom(21);
    const risk = trueRisk(world);
    const runs = Array.from({ length: RUNS }, () => run(world, random));
    const estimates = runs.map(({ final }) => auditReport(final).estimate!.risk);
    const mean = estimates.reduce((sum, one) => sum + one, 0) / RUNS;
    const variance = estimates.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (RUNS - 1);
    const z = (mean - risk) / Math.sqrt(variance / RUNS);
    const broken = runs.filter(({ margin }) => !(margin >= 0)).length;
    const naive = runs.filter(({ final: { totals, findings } }) => {
      const { upper } = betaBinomialSequence(findings.bad, findings.good + findings.bad, ETA_AUDIT);
      return totals.parts > 0 && upper < risk;
    }).length;
    await annotate(
      `mean ${mean.toFixed(5)} for ${risk.toFixed(5)}, z ${z.toFixed(2)}; broken in ${broken} of ${RUNS} runs; ` +
        `answered ones alone, taken as they are, in ${naive}`,
    );
    expect(Math.abs(z)).toBeLessThan(Z_MAX);
    expect(binomialUpperTail(broken, RUNS, ETA_AUDIT)).toBeGreaterThan(P_MIN);
    // It is not merely wide: a bound that gave nothing away would break now and then.
    expect(broken).toBeGreaterThan(0);
    // The worlds are such that less care would show.
    if (name === "skewed probabilities") expect(naive).toBeGreaterThan(RUNS / 2);
    if (name === "amber in mid-stream")
      expect(runs.filter(({ switched }) => switched).length).toBeGreaterThan(RUNS / 4);
  });
});
