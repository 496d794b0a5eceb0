import { describe, expect, test } from "vitest";
import type { Certificate } from "../../src/core/envelope/types.ts";
import { type Proposal, supportOf } from "../../src/core/guard.ts";

const NAMES = ["good", "scratched", "bent"];

/**
 * Lambdas 0.1, 0.2, 0.3, all coarse. S_0 lets every class pass; in S_1 "scratched" passes up to 0.1 only and
 * "bent" not at all. The walk over S_1 came to 0.2; the tables are looser.
 */
const CERTIFICATE: Certificate = {
  lambdas: [0.1, 0.2, 0.3],
  coarse: [0, 1, 2],
  limits: [
    [2, 2, 2],
    [2, 0, -1],
  ],
  start: [0, 0],
  classStart: [0, 0, 0],
  expectedPassRate: [
    [0.1, 0.2, 0.3],
    [0.1, 0.2, 0.3],
  ],
  revision: 1,
  eta: 0.03,
  etaTarget: 0.05,
  alpha: 0.01,
  alphaClass: 0.05,
  walk: [
    { certifiedTo: -1, eta: 0.01, last: null },
    { certifiedTo: 1, eta: 0.01, last: null },
  ],
  // The walk of "bent" came nowhere, as its table says; those of the others prove no more than their tables.
  classWalk: [-1, -1, -1].map((certifiedTo) => ({ certifiedTo, eta: 0.001, last: null })),
  stationCells: [
    [cell(900, 9, 0.03), cell(1200, 20, 0.04), cell(1500, 60, 0.07)],
    [cell(800, 1, 0.009), cell(1000, 2, 0.012), cell(1100, 9, 0.02)],
  ],
  stationCellEta: 0.0001,
  classCells: [
    [cell(600, 0, 0.01), cell(800, 1, 0.02), cell(900, 5, 0.03)],
    [cell(200, 1, 0.045), cell(300, 9, 0.09), cell(400, 30, 0.2)],
    [cell(100, 8, 0.3), cell(100, 10, 0.35), cell(200, 25, 0.4)],
  ],
  classCellEta: 0.0001,
  chosen: { chain: 1, lambdaIndex: 1, lambda: 0.2, expectedPassRate: 0.2 },
  parts: { fit: 1000, cal: 2000, ref: 100 },
  framesPerPartMax: 1,
};

function cell(n: number, k: number, upperBound: number) {
  return { n, k, upperBound };
}

function ask(is: Partial<Omit<Proposal, "classLambdas">> & { own?: Record<number, number> } = {}) {
  const { own = { 1: 0.1 }, ...rest } = is;
  const proposal: Proposal = {
    alpha: 0.01,
    alphaClass: 0.05,
    eta: 0.05,
    lambda: 0.2,
    classes: [0, 1],
    classLambdas: new Map(Object.entries(own).map(([c, lambda]) => [Number(c), lambda])),
    ...rest,
  };
  return supportOf(proposal, CERTIFICATE, NAMES);
}

function reasons(is: Parameters<typeof ask>[0]): string {
  const support = ask(is);
  if (support.supported) throw new Error("expected a refusal");
  return support.reasons.join("\n");
}

describe("the guard", () => {
  test("accepts the rule that the walk certified, at the alpha it walked with and no less", () => {
    const support = ask();
    expect(support).toMatchObject({
      supported: true,
      station: { upperBound: 0.01, method: "walk", n: 1000, k: 2 },
    });
    if (support.supported) expect([...support.lambda]).toEqual([0.2, 0.1, Number.NaN]);
    expect(reasons({ alpha: 0.009 })).toMatch(
      /station: bound 1\.00% is above alpha 0\.900% \(2 unfaithful of 1000/,
    );
  });

  test("accepts a table bound where the walk did not come that far", () => {
    expect(ask({ lambda: 0.3, alpha: 0.02 })).toMatchObject({
      supported: true,
      station: { upperBound: 0.02, method: "table" },
    });
    expect(reasons({ lambda: 0.3, alpha: 0.01 })).toMatch(/station: bound 2\.00%/);
  });

  test("reports less than alpha where the table proves it", () => {
    expect(ask({ lambda: 0.1, own: {} })).toMatchObject({
      supported: true,
      station: { upperBound: 0.009, method: "table" },
    });
  });

  test("refuses a class above alphaClass by name, with its numbers", () => {
    expect(reasons({ alphaClass: 0.04 })).toBe(
      "scratched: bound 4.50% is above alphaClass 4.00% (1 unfaithful of 200 that passed; 89 more, all faithful, would suffice)",
    );
    expect(reasons({ classes: [0, 1, 2], own: {}, alpha: 0.5 })).toMatch(
      /scratched: bound 9\.00%[\s\S]*bent: bound 35\.0%/,
    );
  });

  test("never borrows the bound of a rule for a looser one", () => {
    // At 0.2 for both classes only S_0 is that loose, and its walk certified nothing.
    expect(reasons({ own: {}, alphaClass: 0.5 })).toMatch(/station: bound 9\.00% is above alpha/);
  });

  test("gives a rule that is stricter for one class what the class bounds imply", () => {
    expect(ask({ own: { 0: 0.1, 1: 0.1 }, alpha: 0.05 })).toMatchObject({
      supported: true,
      station: { upperBound: 0.045, method: "classes", n: 800, k: 1 },
    });
    expect(ask({ classes: [0], own: {}, alpha: 0.05 })).toMatchObject({
      station: { upperBound: 0.02, method: "classes" },
    });
  });

  test("takes lambdas of the grid only, and names the next stricter one", () => {
    expect(reasons({ lambda: 0.25 })).toBe("lambda 0.25 is not on the grid; the next stricter is 0.2");
    expect(reasons({ lambda: 0.05, own: {} })).toBe("lambda 0.05 is not on the grid; none is stricter");
    expect(reasons({ own: { 1: 0.15 } })).toBe(
      "scratched: lambda 0.15 is not on the grid; the next stricter is 0.1",
    );
    expect(reasons({ lambda: Number.NaN, own: {} })).toMatch(/not on the grid/);
  });

  test("says which class no rule lets pass that far", () => {
    const narrow: Certificate = {
      ...CERTIFICATE,
      limits: [
        [2, 1, -1],
        [2, 0, -1],
      ],
    };
    const proposal: Proposal = {
      alpha: 0.5,
      alphaClass: 0.5,
      eta: 0.05,
      lambda: 0.3,
      classes: [0, 1, 2],
      classLambdas: new Map(),
    };
    expect(supportOf(proposal, narrow, NAMES)).toMatchObject({
      supported: false,
      reasons: [
        "scratched: is to pass up to lambda 0.3, the certificate lets it pass up to 0.2",
        "bent: is to pass up to lambda 0.3, the certificate lets it pass never",
      ],
    });
  });

  test("refuses a class that is looser than its station", () => {
    expect(reasons({ lambda: 0.1, own: { 1: 0.2 } })).toBe(
      "scratched: its lambda 0.2 is looser than the station's 0.1",
    );
  });

  test("refuses an eta that claims more than was certified, and a lambda of a class that may not pass", () => {
    expect(reasons({ eta: 0.01 })).toMatch(/eta 0\.01 claims more than the certificate's/);
    expect(ask({ eta: 0.1 })).toMatchObject({ supported: true });
    expect(reasons({ own: { 1: 0.1, 2: 0.1 } })).toBe(
      "bent: has a lambda of its own but is not among the classes",
    );
  });

  test("always lets everything be reviewed, and promises nothing then", () => {
    for (const is of [{ lambda: null }, { classes: [] }]) {
      const support = ask(is);
      expect(support).toMatchObject({ supported: true, station: undefined, classes: [] });
      if (support.supported) expect([...support.lambda]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    }
  });
});
