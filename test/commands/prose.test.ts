/** Text that fits the terminal it is printed on. */

import { describe, expect, test } from "vitest";
import type { CertifySummary, ClassSummary } from "../../src/commands/certify-report.ts";
import { tableOf } from "../../src/commands/certify-table.ts";
import {
  boundPercent,
  chosenPercent,
  grouped,
  layOut,
  paragraph,
  percent,
  rounded,
} from "../../src/commands/prose.ts";

describe("numbers", () => {
  test("are rounded to the side that is safe, in as many digits as say something", () => {
    expect(rounded(0.001622, 2, "up")).toBe("0.0017");
    expect(rounded(0.35999, 2, "down")).toBe("0.35");
    expect(rounded(0.11, 2, "up")).toBe("0.11");
    expect(rounded(0.29, 2, "down")).toBe("0.29");
    expect(rounded(0.996, 2, "up")).toBe("1");
    expect(rounded(38_123, 2, "up")).toBe("39000");
    expect([rounded(0, 2, "up"), rounded(Number.NaN, 2, "up")]).toEqual(["0", "0"]);
  });

  test("have their thousands apart, and rates as many decimals as were chosen", () => {
    expect([0, 999, 1000, 1_234_567].map(grouped)).toEqual(["0", "999", "1,000", "1,234,567"]);
    expect([0.05, 0.29, 0.005, 0.95].map(chosenPercent)).toEqual(["5%", "29%", "0.5%", "95%"]);
    expect(percent(0.00994)).toBe("0.99%");
    expect([0.008_041, 0.01, 0.29, 1].map(boundPercent)).toEqual(["0.81%", "1.00%", "29.00%", "100.00%"]);
  });
});

describe("columns", () => {
  test("put words left and numbers right, and leave out what is empty", () => {
    expect(
      layOut(
        [
          ["", "", "n", "rest"],
          ["a", "passes", "1,000", ""],
          ["bcd", "reviewed", "7", ""],
        ],
        80,
      ),
    ).toEqual(["                   n", "a    passes    1,000", "bcd  reviewed      7"]);
  });

  test("cut a name that is too long, and nothing else", () => {
    const [, row] = layOut(
      [
        ["", "n"],
        ["a-name-that-goes-on", "12,345"],
      ],
      20,
    );
    expect(row).toBe("a-name-that…  12,345");
  });

  test("paragraphs break between words and lose none", () => {
    const text = "one two three four five six seven";
    const lines = paragraph(text, 11);
    expect(lines.every((line) => line.length <= 11)).toBe(true);
    expect(lines.join(" ")).toBe(text);
    expect(paragraph("unbreakably", 4)).toEqual(["unbreakably"]);
  });
});

describe("the table of a certificate", () => {
  const row = (name: string, changes: Partial<ClassSummary> = {}): ClassSummary => ({
    class: name,
    passes: true,
    standing: "passes",
    lambda: 0.0123,
    n: 12_345,
    k: 123,
    upperBound: 0.0467,
    method: "table",
    cleanPartsNeeded: 0,
    partsToRecord: null,
    ...changes,
  });
  const station = { certified: true, n: 99_999, k: 11, upperBound: 0.01, method: "walk" } as const;
  const summary: CertifySummary = {
    delta: 0.1,
    deltaFloor: 0.02,
    deltaCeiling: 0.3,
    deltaSuggested: 0.12,
    alpha: 0.01,
    alphaClass: 0.05,
    eta: 0.05,
    revision: 1,
    etaOfRevision: 0.03,
    lambda: 0.0123,
    station: { ...station, standing: "passes", cleanPartsNeeded: 0, partsToRecord: null },
    parts: { fit: 1000, cal: 100_000, ref: 10 },
    classes: [
      row("good"),
      row("scratched-along-the-edge-of-the-left-hand-side-as-seen-from-above"),
      row("few", {
        passes: false,
        standing: "too-few-parts",
        cleanPartsNeeded: 84,
        partsToRecord: 4_210_000,
      }),
      row("bad", { passes: false, standing: "too-unfaithful", cleanPartsNeeded: 612 }),
      row("worse", { passes: false, standing: "too-unfaithful", cleanPartsNeeded: 612 }),
      row("apart", { passes: false, standing: "left-out" }),
    ],
    expectedPassRate: 0.5,
    neighbourhood: "recorded",
    labels: null,
  };

  test.each([80, 120])("fits %i columns", (columns) => {
    const lines = tableOf(summary, columns).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(lines).toContainEqual(expect.stringMatching(/^few .* 84 +4,300,000$/));
  });

  test("names the method that proved the station, and why classes are left to people", () => {
    const text = tableOf(summary, 120).replaceAll("\n", " ");
    expect(text).toMatch(/the station by its walk, classes by the table/);
    expect(text).toMatch(/bad, worse: at every lambda 5% or more of the parts were unfaithful/);
    expect(text).toMatch(/apart: the bound of its own holds/);
    const implied = { ...summary, station: { ...summary.station, method: "classes" as const } };
    expect(tableOf(implied, 120).replaceAll("\n", " ")).toMatch(/the station by its classes/);
  });

  test("of evidence that is labelled in part says what that assumes", () => {
    const station = { n: 900, k: 2, upperBound: 0.01, wrongUpperBound: 0.02 };
    const labels = {
      eta: 0.05,
      jointEta: 0.1,
      limit: 0.05,
      station,
      classes: [],
      confidenceFrom: [0],
      reliability: [],
    };
    const text = (cal: number): string =>
      tableOf({ ...summary, labels: { ...labels, labelled: { fit: 9, cal } } }, 100).replaceAll("\n", " ");
    expect(text(1000)).toMatch(
      /by 1,000 labelled parts .*the labelled ones were not picked for what they show/,
    );
    expect(text(summary.parts.cal)).not.toMatch(/picked/);
  });

  test("of evidence without copies says that the teacher's own swing is not known", () => {
    const frameOnly = { ...summary, neighbourhood: "frame-only" as const, deltaFloor: 0 };
    expect(tableOf(frameOnly, 200)).toMatch(/frame-only/);
    expect(tableOf(frameOnly, 200).replaceAll("\n", " ")).toMatch(/not known, since no copies were recorded/);
  });

  test.each([
    ["too-few-parts", 30_100, /about 31,000 parts in all would do for the station/],
    ["too-few-parts", null, /too few parts passed to say how many it takes/],
    ["too-unfaithful", null, /no number of parts will do/],
    ["left-out", null, /the station's bound holds, but that of no class does/],
    ["never-passed", null, /no part of cal passed the other checks/],
  ] as const)("of a station that is %s (%s) says what to do next", (standing, partsToRecord, expected) => {
    const refused = {
      ...summary,
      station: { ...summary.station, certified: false, standing, partsToRecord, cleanPartsNeeded: 9 },
    };
    const text = tableOf(refused, 100).replaceAll("\n", " ");
    expect(text).toMatch(/^not certified: everything goes to a person/);
    expect(text).toMatch(expected);
  });
});
