/** Certificates and changes for tests of the guard, and one look at a certificate's tables that asks nobody. */

import fc from "fast-check";
import { certifyCounts } from "../../src/core/envelope/certificate.ts";
import type { Certificate } from "../../src/core/envelope/types.ts";
import type { Revision } from "../../src/core/loosening.ts";
import { someCounts, someFamily } from "../core/evidence.ts";

export const CLASSES = ["good", "scratched", "bent"];
export const ENVELOPE = "e".repeat(64);

/** Certificates of three classes over few lambdas, made from counts that a cal might have had. */
export function someCertificates(): fc.Arbitrary<Certificate> {
  const points = 5;
  const cell = fc.tuple(fc.nat(1500), fc.constantFrom(0, 0, 0, 0, 0, 0.001, 0.004, 0.05, 0.3));
  const rate = fc.constantFrom(0.005, 0.01, 0.02, 0.05, 0.1, 0.3);
  return fc
    .record({
      cells: fc.array(fc.array(cell, { minLength: points, maxLength: points }), {
        minLength: 3,
        maxLength: 3,
      }),
      limits: fc.array(fc.array(fc.constantFrom(-1, 0, 1, 2, 3, 3, 3, 3), { minLength: 3, maxLength: 3 }), {
        minLength: 1,
        maxLength: 3,
      }),
      start: fc.nat(3),
      classStart: fc.nat(3),
      alpha: rate,
      alphaClass: rate,
      eta: fc.constantFrom(0.01, 0.05, 0.2),
      revision: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ cells, limits, start, classStart, ...options }) => {
      // One fine point more than coarse ones, so that an index into the one is none into the other.
      const family = someFamily([0.05, 0.1, 0.2, 0.3, 0.4], 3, {
        coarse: [0, 1, 3, 4],
        limits,
        start: limits.map(() => start),
        classStart: CLASSES.map(() => classStart),
        expectedPassRate: limits.map(() => [0.1, 0.2, 0.3, 0.4]),
      });
      const running = cells.map((row) => {
        let [n, k] = [0, 0];
        return row.map(([more, share]): [number, number] => {
          n += more;
          k += Math.floor(more * share);
          return [n, k];
        });
      });
      const sizes = { parts: { fit: 0, cal: 0, ref: 0 }, framesPerPartMax: 1 };
      return certifyCounts(family, someCounts(running), options, sizes);
    });
}

/** A revision over those classes, on the grid more often than not. */
export function someRevisions(): fc.Arbitrary<Omit<Revision, "revision">> {
  const score = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(0.05, 0.1, 0.3, 0.4) },
    { weight: 1, arbitrary: fc.constantFrom(0, 0.2, 0.35, 1) },
  );
  const rate = fc.constantFrom(0.005, 0.01, 0.02, 0.05, 0.1, 0.3);
  return fc
    .record({
      lambda: fc.option(score, { freq: 8, nil: null }),
      classes: fc.subarray([0, 1, 2], { minLength: 0 }),
      own: fc.array(
        fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: score }),
        { minLength: 3, maxLength: 3 },
      ),
      alpha: rate,
      alphaClass: rate,
      eta: fc.constantFrom(0.01, 0.05, 0.2, 0.2),
      mode: fc.constantFrom("guarded" as const, "guarded" as const, "shadow" as const),
      auditRate: fc.constantFrom(0, 0.01, 0.1),
      auditDeadlineSeconds: fc.constantFrom(60, 3600),
    })
    .map(({ own, ...rest }) => ({
      ...rest,
      envelope: ENVELOPE,
      classLambdas: new Map(own.flatMap((lambda, c) => (lambda === undefined ? [] : [[c, lambda] as const]))),
    }));
}

/**
 * One look: whether the certificate proves what the revision promises. Reads nothing but counts, bounds and how
 * far the walks came, and shares no line with the guard.
 */
export function tableSupports(certificate: Certificate, asked: Omit<Revision, "revision">): boolean {
  if (asked.lambda === null || asked.classes.length === 0) return true;
  if (asked.eta < certificate.etaTarget) return false;
  const grid = certificate.coarse.map((at) => certificate.lambdas[at]!);
  const stationAt = grid.indexOf(asked.lambda);
  if (stationAt < 0) return false;
  const at: number[] = [];
  for (let c = 0; c < CLASSES.length; c++) {
    const own = asked.classLambdas.get(c);
    const isIn = asked.classes.includes(c);
    if (own !== undefined && (!isIn || own > asked.lambda || !grid.includes(own))) return false;
    at.push(isIn ? grid.indexOf(own ?? asked.lambda) : -1);
  }
  const classBounds = at.flatMap((column, c) => {
    if (column < 0) return [];
    const fine = certificate.coarse[column]!;
    const isWalked = fine >= certificate.classStart[c]! && fine <= certificate.classWalk[c]!.certifiedTo;
    const table = certificate.classCells[c]![column]!.upperBound;
    return [isWalked ? Math.min(table, certificate.alphaClass) : table];
  });
  if (classBounds.some((bound) => bound > asked.alphaClass)) return false;
  const sets = certificate.limits.map((limits) => limits.map((limit) => Math.min(limit, stationAt)));
  if (!sets.some((set) => at.every((column, c) => column <= set[c]!))) return false;
  if (Math.max(...classBounds) <= asked.alpha) return true;
  return sets.some((set, m) => {
    if (!at.every((column, c) => column === set[c])) return false;
    const fine = certificate.coarse[stationAt]!;
    const { certifiedTo } = certificate.walk[m]!;
    const isWalked = fine >= certificate.start[m]! && fine <= certifiedTo;
    return (
      certificate.stationCells[m]![stationAt]!.upperBound <= asked.alpha ||
      (isWalked && certificate.alpha <= asked.alpha)
    );
  });
}

/** Whether, of two revisions, the second lets anything pass or promises less than the first; written anew. */
export function isLooser(was: Omit<Revision, "revision">, is: Omit<Revision, "revision">): boolean {
  const passes = (one: Omit<Revision, "revision">, c: number): number =>
    one.lambda === null || !one.classes.includes(c)
      ? Number.NEGATIVE_INFINITY
      : Math.min(one.lambda, one.classLambdas.get(c) ?? Number.POSITIVE_INFINITY);
  return (
    [0, 1, 2].some((c) => passes(is, c) > passes(was, c)) ||
    is.alpha > was.alpha ||
    is.alphaClass > was.alphaClass ||
    is.eta > was.eta ||
    is.auditRate < was.auditRate ||
    (was.auditRate > 0 && is.auditDeadlineSeconds > was.auditDeadlineSeconds) ||
    (was.mode === "shadow" && is.mode === "guarded")
  );
}
