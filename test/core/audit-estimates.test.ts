/** Estimates from audits: settled parts in, a report out; and what a faithful pass says of a right one. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PassedParts } from "../../src/core/audit.ts";
import {
  type AuditSequence,
  auditReport,
  ETA_AUDIT,
  nextAuditSequence,
  startAuditSequence,
} from "../../src/core/audit-estimates.ts";
import { wrongBound } from "../../src/core/audited-errors.ts";
import { certify } from "../../src/core/envelope/certificate.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { boundsAt } from "../../src/core/envelope/lookup.ts";
import { copiedErrorsAt, teacherReliability } from "../../src/core/envelope/teacher-reliability.ts";
import { finiteArgmax } from "../../src/core/envelope/unfaithful.ts";
import { betaBinomialSequence } from "../../src/core/statistics/beta-binomial.ts";
import { bettingUpperBound, EMPTY_TALLY, withTallied } from "../../src/core/statistics/betting.ts";
import { evidenceOf } from "../../src/core/statistics/restarts.ts";
import { nextRiskTest, startRiskTest } from "../../src/core/statistics/risk-test.ts";
import { anAuditedPart } from "./audited.ts";
import { FULL_OPTIONS, someEvidence } from "./evidence.ts";

const ALPHA = 0.01;
const POLICY = { pi: 0.1, piMin: 0.1 };

const notDrawn = (count: number, policy = POLICY): PassedParts => ({ isDrawn: false, count, ...policy });
const drawn = (finding: "good" | "bad" | "unanswered", policy = POLICY): PassedParts => ({
  ...{ isDrawn: true, id: "a-1", isAnswered: finding !== "unanswered", isBad: finding !== "good" },
  ...policy,
});
const sequenceOf = (parts: readonly PassedParts[], alpha: number | null = ALPHA): AuditSequence =>
  parts.reduce(nextAuditSequence, startAuditSequence(alpha === null ? null : { alpha, windowParts: 1 }));

describe("a report of audits", () => {
  test("knows nothing before the first part", () => {
    expect(auditReport(startAuditSequence({ alpha: ALPHA, windowParts: 1 }))).toEqual({
      parts: 0,
      drawn: 0,
      findings: { good: 0, bad: 0, unanswered: 0 },
      estimate: undefined,
      upperBound: 1,
      method: "beta-binomial",
      eta: ETA_AUDIT,
      evidence: 1,
    });
  });

  test("counts what stayed unanswered as bad, and says how many did", () => {
    const parts = [notDrawn(57), drawn("good"), drawn("unanswered"), drawn("bad"), notDrawn(40)];
    const { estimate, ...report } = auditReport(sequenceOf(parts));
    expect(report).toMatchObject({ parts: 100, drawn: 3, findings: { good: 1, bad: 1, unanswered: 1 } });
    expect(estimate?.risk).toBeCloseTo(2 / 0.1 / 100, 12);
    expect(report.upperBound).toBe(betaBinomialSequence(2, 3, 0.8 * ETA_AUDIT).upper);
  });

  test("bets from the first part on that had another probability, on all parts of the revision", () => {
    const amber = { pi: 0.4, piMin: 0.4 };
    const parts = [notDrawn(9), drawn("good"), notDrawn(1, amber), drawn("bad", amber)];
    const tally = [
      ...new Array(10).fill(anAuditedPart({ ...POLICY, drawn: false })),
      anAuditedPart({ ...amber, drawn: false }),
      anAuditedPart({ ...amber, unfaithful: 1 }),
    ].reduce((so, part) => withTallied(so, part), EMPTY_TALLY);
    expect(auditReport(sequenceOf(parts.slice(0, 2))).method).toBe("beta-binomial");
    const report = auditReport(sequenceOf(parts));
    expect(report.method).toBe("betting");
    expect(report.upperBound).toBeCloseTo(bettingUpperBound(tally, 0.2 * ETA_AUDIT), 12);
    // Back to the first probability: it has not been equal all the same.
    expect(auditReport(sequenceOf([...parts, notDrawn(5)])).method).toBe("betting");
  });

  test("has the risk test's evidence where an alpha is promised, and none elsewhere", () => {
    const parts = [notDrawn(30), drawn("bad"), notDrawn(3), drawn("unanswered")];
    let state = startRiskTest();
    for (let part = 1; part <= 35; part++) {
      const isDrawn = part === 31 || part === 35;
      state = nextRiskTest(state, anAuditedPart({ ...POLICY, drawn: isDrawn, unfaithful: 1 }), {
        alpha: ALPHA,
        windowParts: 1,
      });
    }
    expect(auditReport(sequenceOf(parts)).evidence).toBeCloseTo(evidenceOf(state), 12);
    expect(auditReport(sequenceOf(parts, null)).evidence).toBeUndefined();
  });

  test("is the same for a run as for its parts one by one, and after a rest as JSON", () => {
    const anyParts = fc.array(
      fc.oneof(
        fc.integer({ min: 1, max: 40 }).map((count) => notDrawn(count)),
        fc.constantFrom("good" as const, "bad" as const, "unanswered" as const).map((one) => drawn(one)),
        fc.constant(drawn("good", { pi: 0.4, piMin: 0.1 })),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(anyParts, (parts) => {
        const single = parts.flatMap((one) =>
          one.isDrawn ? [one] : new Array<PassedParts>(one.count).fill(notDrawn(1)),
        );
        const oneByOne = single.reduce<AuditSequence>(
          (so, next) => nextAuditSequence(JSON.parse(JSON.stringify(so)) as AuditSequence, next),
          startAuditSequence({ alpha: ALPHA, windowParts: 1 }),
        );
        const [a, b] = [auditReport(sequenceOf(parts)), auditReport(oneByOne)];
        expect(b).toEqual({
          ...a,
          estimate: a.estimate && {
            risk: expect.closeTo(a.estimate.risk, 10),
            designVariance: expect.closeTo(a.estimate.designVariance, 10),
          },
          evidence: expect.closeTo(a.evidence!, 8),
        });
      }),
      { numRuns: 60 },
    );
  });

  test("does not grow with the parts, and takes ten million of a run at once", () => {
    let sequence = sequenceOf([notDrawn(10_000_000), drawn("good")]);
    expect(sequence.totals.parts).toBe(10_000_001);
    const { length } = JSON.stringify(sequence);
    for (let i = 0; i < 5000; i++)
      sequence = nextAuditSequence(sequence, drawn(i % 7 === 0 ? "bad" : "good"));
    expect(JSON.stringify(sequence).length).toBeLessThan(length + 200);
  });

  test("refuses a policy that was not kept to, and stays as it was", () => {
    const sequence = sequenceOf([notDrawn(3)]);
    const before = JSON.stringify(sequence);
    for (const wrong of [
      drawn("good", { pi: 0.05, piMin: 0.1 }),
      notDrawn(1, { pi: 0, piMin: 0 }),
      notDrawn(0),
      notDrawn(1.5),
      notDrawn(Number.NaN),
    ]) {
      expect(() => nextAuditSequence(sequence, wrong)).toThrow(RangeError);
    }
    expect(JSON.stringify(sequence)).toBe(before);
  });
});

describe("the bound on wrong passes", () => {
  const unlabelled = someEvidence({ parts: 6000, teacherNoise: 0.3 });
  // Right, but for every fiftieth part.
  const label = Int16Array.from(unlabelled.label, (_, row) => {
    const said = finiteArgmax(unlabelled.teacherLogits, row, unlabelled.classes.length);
    return row % 50 === 0 ? (said + 1) % unlabelled.classes.length : said;
  });
  const evidence = { ...unlabelled, label };
  const fitted = fitEnvelope(evidence, { delta: 0.15, seed: 1 });
  const certificate = certify(evidence, fitted, FULL_OPTIONS);
  const chain = 0;
  const coarseIndex = certificate.coarse.length - 1;
  const passing = boundsAt(certificate, chain, coarseIndex).classes.filter(({ passes }) => passes);
  const audited = auditReport(sequenceOf([notDrawn(900), ...new Array(100).fill(drawn("good"))]));
  const reliability = teacherReliability(evidence, fitted, certificate, 0.05);

  test("adds what audits say of the unfaithful and labels of the copied", () => {
    const copied = copiedErrorsAt(reliability!, certificate, chain, coarseIndex);
    const bound = wrongBound(audited, reliability, certificate, passing);
    expect(bound).toMatchObject({ known: true, unfaithful: audited.upperBound });
    if (!bound.known) throw new Error("unknown");
    const worst = Math.max(...copied.classes.map((cell) => cell?.upperBound ?? 0));
    expect(bound.copied).toBe(Math.min(copied.station.upperBound, worst));
    expect(bound.upperBound).toBe(bound.unfaithful + bound.copied);
    expect(bound.eta).toBeCloseTo(ETA_AUDIT + reliability!.eta, 12);
  });

  test("is the worst class's where a class passes at a stricter lambda of its own", () => {
    const own = new Map([[0, 3]]);
    const narrowed = boundsAt(certificate, chain, coarseIndex, own).classes.filter(({ passes }) => passes);
    const bound = wrongBound(audited, reliability, certificate, narrowed);
    const worst = Math.max(
      ...narrowed.map((one) => reliability!.classCells[one.classIndex]![one.coarseIndex]!.upperBound),
    );
    expect(bound).toMatchObject({ known: true, copied: worst });
  });

  test("is unknown without labels, and where nothing passes", () => {
    const unknown = { known: false, words: "faithful, correctness unknown" };
    expect(wrongBound(audited, undefined, certificate, passing)).toEqual(unknown);
    expect(wrongBound(audited, reliability, certificate, [])).toEqual(unknown);
  });
});
