/** Changes of thresholds: what needs whom, and what is refused with which words. */

import { describe, expect, test } from "vitest";
import { certifyCounts } from "../../src/core/envelope/certificate.ts";
import { snapProposal } from "../../src/core/guard.ts";
import type { Revision } from "../../src/core/loosening.ts";
import { type Change, judgeRevision, type Ruling } from "../../src/core/revision.ts";
import { CLASSES, ENVELOPE } from "../support/guarded.ts";
import { NO_SIZES, someCounts, someFamily } from "./evidence.ts";

/**
 * All three classes are clean at 0.2. Beyond, "scratched" is not; short of it, at 0.1, too few parts pass to prove
 * anything: risk among what passes is not monotone in lambda, and neither is what is proven of it.
 */
const CERTIFICATE = certifyCounts(
  someFamily([0.1, 0.2, 0.3], 3, {
    limits: [
      [2, 2, 2],
      [2, -1, 2],
      [2, -1, -1],
    ],
    start: [1, 1, 1],
    classStart: [1, 1, 1],
    expectedPassRate: [1, 2, 3].map(() => [0.1, 0.2, 0.3]),
  }),
  someCounts([
    [
      [30, 0],
      [900, 0],
      [1500, 1],
    ],
    [
      [20, 0],
      [800, 0],
      [1000, 60],
    ],
    [
      [10, 0],
      [700, 0],
      [900, 1],
    ],
  ]),
  { alpha: 0.01, alphaClass: 0.02, eta: 0.05, revision: 1 },
  NO_SIZES,
);

const FIRST: Revision = {
  revision: 1,
  mode: "guarded",
  envelope: ENVELOPE,
  auditRate: 0.02,
  auditDeadlineSeconds: 3600,
  alpha: 0.01,
  alphaClass: 0.02,
  eta: 0.05,
  lambda: 0.2,
  classes: [0, 2],
  classLambdas: new Map(),
};

/** Asks for a change of `FIRST`, which is in force, by one person and with a green monitor. */
function ask(next: Partial<Revision>, is: Partial<Change> = {}): Ruling {
  const before = is.inForce === undefined ? { revision: FIRST, certified: true } : is.inForce;
  return judgeRevision({
    inForce: before,
    last: before.revision,
    beforeStop: before.revision.lambda === null ? FIRST : before.revision,
    next: { ...before.revision, revision: before.revision.revision + 1, ...next },
    claimsCertified: undefined,
    persons: ["aki"],
    signed: true,
    certificate: CERTIFICATE,
    envelope: ENVELOPE,
    classNames: CLASSES,
    monitor: "green",
    ...is,
  });
}

const TWO = { persons: ["aki", "ben"] };
const STOPPED = { inForce: { revision: { ...FIRST, revision: 4, lambda: null }, certified: true } };

function reasonsOf(ruling: Ruling): string {
  if (ruling.outcome !== "refused") throw new Error(`expected a refusal, got ${ruling.outcome}`);
  return ruling.reasons.join("\n");
}

describe("a change of thresholds", () => {
  test.each<[string, Partial<Revision>]>([
    ["a class more", { classes: [0, 1, 2] }],
    ["a larger alpha", { alpha: 0.02 }],
    ["a larger alphaClass", { alphaClass: 0.05 }],
    ["a larger eta", { eta: 0.1 }],
    ["fewer audits", { auditRate: 0.01 }],
    ["audits that wait longer", { auditDeadlineSeconds: 7200 }],
    ["no audits", { auditRate: 0 }],
    ["a looser lambda", { lambda: 0.3 }],
  ])("that loosens (%s) waits for a second person, and for a green monitor", (_, next) => {
    const alone = ask(next);
    expect(alone.outcome).toBe("needs-second-person");
    if (alone.outcome === "needs-second-person") expect(alone.why).not.toEqual([]);
    expect(ask(next, TWO)).toMatchObject({ outcome: "accepted", certified: true });
    expect(ask(next, { ...TWO, monitor: "off" }).outcome).toBe("accepted");
    for (const monitor of ["amber", "red"] as const) {
      expect(reasonsOf(ask(next, { ...TWO, monitor }))).toMatch(`the monitor is ${monitor}`);
    }
    expect(ask(next, { persons: ["aki", "aki"] }).outcome).toBe("needs-second-person");
  });

  test("from shadow to guarded is a loosening, and back is none", () => {
    const inForce = { revision: { ...FIRST, mode: "shadow" as const }, certified: true };
    expect(ask({ mode: "guarded" }, { inForce }).outcome).toBe("needs-second-person");
    expect(ask({ mode: "shadow" }).outcome).toBe("accepted");
  });

  test.each<[string, Partial<Revision>]>([
    ["a class less", { classes: [0] }],
    ["a smaller alpha that is proven", { alpha: 0.009 }],
    ["more audits", { auditRate: 0.1 }],
    ["nothing at all", {}],
  ])("that tightens (%s) needs one person, whatever the monitor says", (_, next) => {
    for (const monitor of ["off", "green", "amber", "red"] as const) {
      expect(ask(next, { monitor })).toMatchObject({ outcome: "accepted", certified: true, loosens: [] });
    }
  });

  test("that tightens to where too little is proven is accepted, not certified, and promises no bound", () => {
    const ruling = ask({ lambda: 0.1 });
    expect(ruling).toMatchObject({
      outcome: "accepted",
      certified: false,
      bounds: { station: undefined, classes: [] },
    });
    if (ruling.outcome !== "accepted") return;
    expect([...ruling.lambda]).toEqual([0.1, Number.NaN, 0.1]);
    expect(ruling.reasons.join("\n")).toMatch(
      /station: bound .* above alpha 1\.00% \(0 unfaithful of 40 that/,
    );
    // The same from the other side: a looser rule may not come there.
    const inForce = { revision: { ...FIRST, lambda: 0.1, classes: [0] }, certified: true };
    expect(reasonsOf(ask({ lambda: 0.1, classes: [0, 2] }, { inForce, ...TWO }))).toMatch(/bound/);
  });

  test("that promises more than is proven is refused, however little it lets pass", () => {
    expect(reasonsOf(ask({ alpha: 0.0001 }, TWO))).toMatch(/above alpha 0\.0100%/);
    expect(reasonsOf(ask({ lambda: 0.1, alpha: 0.009 }, TWO))).toMatch(/above alpha 0\.900%/);
    expect(reasonsOf(ask({ eta: 0.01 }, TWO))).toMatch(/eta 0\.01 claims more/);
  });

  test("that the table does not support is refused with numbers, by two persons as by one", () => {
    const ruling = ask({ lambda: 0.3, classes: [0, 1, 2] }, TWO);
    expect(ruling.outcome).toBe("refused");
    if (ruling.outcome !== "refused") return;
    expect(ruling.shortfalls.map(({ class: name, n, k }) => [name, n, k])).toEqual([
      [null, 3400, 62],
      ["scratched", 1000, 60],
    ]);
    expect(ruling.shortfalls.every(({ cleanPartsNeeded }) => cleanPartsNeeded > 1000)).toBe(true);
  });

  test("that says of itself what is not so is refused", () => {
    expect(reasonsOf(ask({ lambda: 0.1 }, { claimsCertified: true }))).toMatch(
      /it says true, which is not so/,
    );
    expect(reasonsOf(ask({ classes: [0] }, { claimsCertified: false }))).toMatch(/it says false, which is/);
    expect(ask({ lambda: 0.1 }, { claimsCertified: false }).outcome).toBe("accepted");
  });

  test("counts up by exactly one, is for this envelope, and is signed", () => {
    expect(reasonsOf(ask({ revision: 1 }))).toBe("revision: 1 was accepted already, the next is 2, found 1");
    expect(reasonsOf(ask({ revision: 3 }))).toBe("revision: expected 2, the one after the last, found 3");
    expect(reasonsOf(ask({ envelope: "0".repeat(64) }))).toMatch(/^envelope: it is for 0000/);
    expect(reasonsOf(ask({}, { persons: [] }))).toBe("nobody signed it");
  });
});

describe("a stop", () => {
  test("needs one person, and is taken whatever the monitor says and whatever else stands in it", () => {
    for (const monitor of ["off", "green", "amber", "red"] as const) {
      const ruling = ask({ lambda: null, alpha: 0.5, auditRate: 0, eta: 0.001 }, { monitor });
      expect(ruling.outcome).toBe("accepted");
      if (ruling.outcome === "accepted") expect([...ruling.lambda].every(Number.isNaN)).toBe(true);
    }
    expect(reasonsOf(ask({ lambda: null }, { persons: [] }))).toBe("nobody signed it");
  });

  test("is lifted by two, with a green monitor", () => {
    expect(ask({ lambda: 0.2 }, STOPPED).outcome).toBe("needs-second-person");
    expect(ask({ lambda: 0.2 }, { ...STOPPED, ...TWO }).outcome).toBe("accepted");
    expect(reasonsOf(ask({ lambda: 0.2 }, { ...STOPPED, ...TWO, monitor: "amber" }))).toMatch(/amber/);
  });

  test("is lifted to no more than what was in force before", () => {
    const looser = ask({ lambda: 0.2, classes: [0, 1, 2] }, { ...STOPPED, ...TWO });
    expect(reasonsOf(looser)).toMatch(
      /no more than revision 1, in force before it: scratched passes up to 0\.2/,
    );
    expect(ask({ lambda: 0.2, classes: [0] }, { ...STOPPED, ...TWO }).outcome).toBe("accepted");
  });

  test("hides no larger alpha: what it says while nothing passes is not what it is lifted to", () => {
    const inForce = { revision: { ...STOPPED.inForce.revision, alpha: 0.5 }, certified: true };
    expect(reasonsOf(ask({ lambda: 0.2 }, { inForce, ...TWO }))).toMatch(/alpha 0\.5, was 0\.01/);
    expect(ask({ lambda: 0.2, alpha: 0.01 }, { inForce, ...TWO }).outcome).toBe("accepted");
  });

  test("is not lifted to where nothing is proven", () => {
    expect(reasonsOf(ask({ lambda: 0.1 }, { ...STOPPED, ...TWO }))).toMatch(/bound .* is above alpha/);
  });
});

describe("first thresholds", () => {
  const first = (is: Partial<Change>): Ruling =>
    judgeRevision({
      ...{
        inForce: undefined,
        last: undefined,
        beforeStop: undefined,
        next: FIRST,
        claimsCertified: undefined,
      },
      ...{ persons: ["aki", "ben"], signed: true, certificate: CERTIFICATE, envelope: ENVELOPE },
      ...{ classNames: CLASSES, monitor: "off", ...is },
    });

  test("are certified, and signed by two where keys vouch for them", () => {
    expect(first({}).outcome).toBe("accepted");
    expect(first({ persons: ["aki"] }).outcome).toBe("needs-second-person");
    expect(first({ persons: ["aki"], signed: false }).outcome).toBe("accepted");
    expect(reasonsOf(first({ next: { ...FIRST, lambda: 0.1 } }))).toMatch(/bound/);
  });

  test("may have any number where none is known, and the next one where one is", () => {
    expect(first({ next: { ...FIRST, revision: 7 } }).outcome).toBe("accepted");
    const last = { revision: 7, envelope: "a".repeat(64) };
    expect(first({ last, next: { ...FIRST, revision: 8 } }).outcome).toBe("accepted");
    expect(reasonsOf(first({ last, next: { ...FIRST, revision: 1 } }))).toMatch(/7 was accepted already/);
  });

  test("of another envelope do not wait for the monitor of the one before; of the same one they do", () => {
    const next = { ...FIRST, revision: 8 };
    const other = { revision: 7, envelope: "a".repeat(64) };
    expect(first({ last: other, next, monitor: "red" }).outcome).toBe("accepted");
    expect(reasonsOf(first({ last: { ...other, envelope: ENVELOPE }, next, monitor: "red" }))).toMatch(/red/);
  });
});

describe("snapping", () => {
  const wish = (lambda: number | null, own: readonly (readonly [number, number])[] = []) =>
    snapProposal({ ...FIRST, lambda, classLambdas: new Map(own) }, CERTIFICATE, CLASSES);

  test("brings each lambda to the next stricter point, never to a looser one", () => {
    expect(wish(0.29, [[2, 0.15]])).toMatchObject({
      proposal: { lambda: 0.2, classLambdas: new Map([[2, 0.1]]) },
      moved: [
        { class: null, from: 0.29, to: 0.2 },
        { class: "bent", from: 0.15, to: 0.1 },
      ],
    });
    expect(wish(0.2)).toMatchObject({ proposal: { lambda: 0.2 }, moved: [] });
    expect(wish(null)).toMatchObject({ proposal: { lambda: null }, moved: [] });
  });

  test("leaves out a lambda of a class that says nothing beside the station's", () => {
    expect(wish(0.1, [[2, 0.2]])).toMatchObject({ proposal: { lambda: 0.1, classLambdas: new Map() } });
  });

  test("says so where no point is as strict", () => {
    expect(wish(0.05)).toEqual({
      reasons: ["lambda 0.05: no grid point is as strict; the strictest is 0.1"],
    });
    expect(wish(Number.NaN)).toMatchObject({ reasons: [expect.stringMatching(/^lambda NaN/)] });
  });
});
