/** The guard held against one look at the tables: over random certificates, proposals, and sequences of changes. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Certificate } from "../../src/core/envelope/types.ts";
import type { MonitorState } from "../../src/core/judge.ts";
import type { Revision } from "../../src/core/loosening.ts";
import { type Change, judgeRevision, type Ruling } from "../../src/core/revision.ts";
import {
  CLASSES,
  ENVELOPE,
  isLooser,
  someCertificates,
  someRevisions,
  tableSupports,
} from "../support/guarded.ts";

/** Printed by fast-check where it fails, with what to run again. */
const seed = Number(process.env.SEKISHO_GUARD_SEED ?? 20261125);
const numRuns = Number(process.env.SEKISHO_GUARD_RUNS ?? 10_000);

const somePersons = fc.constantFrom<readonly string[]>(
  [],
  ["a"],
  ["a"],
  ["a", "a"],
  ["a", "b"],
  ["b", "a", "c"],
);
const someStates = fc.constantFrom<MonitorState>("off", "green", "green", "amber", "red");

function ask(certificate: Certificate, is: Pick<Change, "next" | "persons"> & Partial<Change>): Ruling {
  return judgeRevision({
    inForce: undefined,
    last: undefined,
    beforeStop: undefined,
    claimsCertified: undefined,
    signed: true,
    certificate,
    envelope: ENVELOPE,
    classNames: CLASSES,
    monitor: "green",
    ...is,
  });
}

describe("the guard against one look at the tables", () => {
  test("first thresholds are accepted exactly when the table supports them", () => {
    let supported = 0;
    fc.assert(
      fc.property(someCertificates(), someRevisions(), (certificate, wished) => {
        const ruling = ask(certificate, { next: { ...wished, revision: 1 }, persons: ["a", "b"] });
        const isSupported = tableSupports(certificate, wished);
        if (isSupported && wished.lambda !== null && wished.classes.length > 0) supported++;
        expect(ruling.outcome).toBe(isSupported ? "accepted" : "refused");
        if (ruling.outcome === "accepted") expect(ruling.certified).toBe(true);
      }),
      { seed, numRuns },
    );
    // Neither answer may be the rare one, or this would say little.
    expect(supported).toBeGreaterThan(numRuns / 50);
  });

  test("what a refusal says of clean parts is what the table would then prove", () => {
    fc.assert(
      fc.property(someCertificates(), someRevisions(), (certificate, wished) => {
        const ruling = ask(certificate, { next: { ...wished, revision: 1 }, persons: ["a", "b"] });
        if (ruling.outcome !== "refused") return;
        for (const { class: name, n, k, upperBound, limit, cleanPartsNeeded } of ruling.shortfalls) {
          expect(upperBound).toBeGreaterThan(limit);
          expect(cleanPartsNeeded).toBeGreaterThanOrEqual(1);
          expect(ruling.reasons.some((reason) => reason.includes(`${k} unfaithful of ${n} `))).toBe(true);
          expect(limit).toBe(name === null ? wished.alpha : wished.alphaClass);
        }
      }),
      { seed, numRuns: numRuns / 10 },
    );
  });

  test("no sequence of accepted changes comes where it may not be", () => {
    const step = fc.record({ wished: someRevisions(), persons: somePersons, monitor: someStates });
    const seen = { accepted: 0, uncertified: 0, loosened: 0, waiting: 0, lifted: 0 };
    fc.assert(
      fc.property(
        someCertificates(),
        fc.array(step, { minLength: 4, maxLength: 30 }),
        fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
        (certificate, steps, near) => {
          let inForce: Change["inForce"];
          let beforeStop: Revision | undefined;
          for (const [i, { wished, persons, monitor }] of steps.entries()) {
            const was = inForce?.revision;
            // Half of the time a change of one thing, as people make them, rather than of all at once; and from a
            // stop back to what was before it.
            const base = was?.lambda === null && beforeStop !== undefined ? beforeStop : was;
            const next: Revision = {
              ...(base !== undefined && near[i] ? { ...base, ...oneOf(wished, i) } : wished),
              revision: (was?.revision ?? 0) + 1,
            };
            const ruling = ask(certificate, { inForce, last: was, beforeStop, next, persons, monitor });
            const distinct = new Set(persons).size;
            const isStop = next.lambda === null;
            const isLoosening = was !== undefined && !isStop && isLooser(was, next);
            if (isStop) expect(ruling.outcome).toBe(distinct > 0 ? "accepted" : "refused");
            if (ruling.outcome === "needs-second-person") seen.waiting++;
            if (ruling.outcome !== "accepted") continue;
            seen.accepted++;
            expect(distinct).toBeGreaterThanOrEqual(1);
            if (was === undefined && !isStop) expect(distinct).toBeGreaterThanOrEqual(2);
            if (isLoosening) {
              seen.loosened++;
              expect(distinct).toBeGreaterThanOrEqual(2);
              expect(["green", "off"]).toContain(monitor);
              expect(ruling.certified).toBe(true);
              if (was.lambda === null && beforeStop !== undefined) {
                seen.lifted++;
                expect(isLooser(beforeStop, next)).toBe(false);
              }
            }
            expect(ruling.certified).toBe(tableSupports(certificate, next));
            if (!ruling.certified) {
              seen.uncertified++;
              expect(was !== undefined && !isLooser(was, next)).toBe(true);
              expect([next.alpha, next.alphaClass, next.eta]).toEqual([
                was!.alpha,
                was!.alphaClass,
                was!.eta,
              ]);
              expect(ruling.bounds).toEqual({ station: undefined, classes: [] });
            }
            inForce = { revision: next, certified: ruling.certified };
            if (ruling.certified && !isStop) beforeStop = next;
          }
        },
      ),
      { seed, numRuns: numRuns / 4 },
    );
    for (const [what, count] of Object.entries(seen)) expect([what, count]).not.toEqual([what, 0]);
  });
});

/** One member of a revision, to be changed alone. */
function oneOf(wished: Omit<Revision, "revision">, i: number): Partial<Revision> {
  const { lambda, classes, classLambdas, alpha, alphaClass, mode, auditRate, auditDeadlineSeconds } = wished;
  const members = [
    { lambda },
    { classes },
    { classLambdas },
    { alpha },
    { alphaClass },
    { mode },
    { auditRate },
    { auditDeadlineSeconds },
  ];
  return members[i % members.length]!;
}
