/** What the Thresholds page hands in, says of a point, and gives to be run at a terminal. */

import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Thresholds } from "../../src/thresholds/file.ts";
import type { CertificateRule } from "../../web/src/contract.ts";
import {
  approveCommand,
  proposeCommand,
  rollbackCommand,
  stopCommand,
} from "../../web/src/pages/thresholds/commands.ts";
import { indexInForce, nextDocument, outlookOf, type Passing } from "../../web/src/pages/thresholds/model.ts";

const RULES = [0.01, 0.05, 0.2].map(
  (lambda, i): CertificateRule => ({
    ...{ lambda, expectedPassRate: 0.3 * (i + 1), allowed: i < 2, set: ["good", "bent"], classLambdas: {} },
    station: { n: 1000, k: i, upperBound: 0.004 * (i + 1), method: "table" },
    classes: [],
  }),
);
const BASE: Thresholds = {
  ...{ schema: "sekisho.thresholds/1", station: "press", revision: 3, envelope: "e".repeat(64) },
  ...{ mode: "guarded", alpha: 0.01, alphaClass: 0.05, eta: 0.05, lambda: 0.05, classes: ["good", "bent"] },
  ...{ classLambdas: {}, reviewDeadlineSeconds: 900, proposedBy: "aki", approvedBy: "ben" },
  ...{ at: "2026-03-01T06:00:00.000Z", why: "before", rollbackOf: 1, certified: false },
};

const inForceAt = (lambda: number | null): Passing => ({
  lambda,
  classes: ["good", "bent"],
  classLambdas: {},
});

describe("a point of the grid", () => {
  test.each([
    [0, 0.05, "green", "tighter"],
    [1, 0.05, "green", "same"],
    [1, 0.01, "green", "looser"],
    [1, 0.01, "off", "looser"],
    [1, 0.01, "amber", "monitor"],
    [1, 0.01, "red", "monitor"],
    [1, null, "green", "looser"],
    [0, 0.05, "red", "tighter"],
    [2, 0.05, "green", "refused"],
    [2, 0.5, "green", "uncertified"],
    [2, null, "green", "refused"],
  ] as const)("%i where %s is in force and the monitor is %s: %s", (index, lambda, monitor, outlook) => {
    expect(outlookOf(RULES[index]!, inForceAt(lambda), monitor)).toBe(outlook);
  });

  test.each([
    ["a class more", { classes: ["good"] }, "looser"],
    ["a class less, at a looser lambda", { classes: ["good", "bent", "flat"], lambda: 0.01 }, "looser"],
    ["a class less, at a stricter lambda", { classes: ["good", "bent", "flat"], lambda: 0.2 }, "tighter"],
    ["a class that had a stricter lambda of its own", { classLambdas: { bent: 0.01 } }, "looser"],
    ["a lambda of a class that says nothing of its own", { classLambdas: { bent: 0.05 } }, "same"],
  ] as const)("lets pass %s: %s comes to %s", (_, inForce, outlook) => {
    const before = { ...inForceAt(0.05), ...inForce } as unknown as Passing;
    expect(outlookOf(RULES[1]!, before, "green")).toBe(outlook);
  });

  test("is in force where all is its own, or else where lambda is, or the next stricter", () => {
    const at = (lambda: number | null) => indexInForce({ rules: [...RULES], ...inForceAt(lambda) });
    expect([0.05, 0.06, 0.001, null].map(at)).toEqual([1, 1, -1, -1]);
    expect(indexInForce({ rules: [...RULES], lambda: 0.05, classes: ["good"], classLambdas: {} })).toBe(1);
  });
});

test("the next document has the wish, who and why, and nothing of the last one's signatures and origin", () => {
  const said = { by: "mei", why: "calmer", at: new Date("2026-03-02T06:00:00Z") };
  const next = nextDocument({ ...BASE, signatures: [] }, { lambda: 0.01 }, said, 4, true);
  expect(next).toEqual({
    ...{ ...BASE, lambda: 0.01, revision: 4, proposedBy: "mei", approvedBy: "mei", why: "calmer" },
    ...{ at: "2026-03-02T06:00:00.000Z", rollbackOf: undefined, certified: undefined },
  });
  expect(Object.keys(next)).not.toContain("signatures");
  expect(nextDocument(BASE, {}, said, 4, false).certified).toBe(false);
});

describe("a command for the terminal", () => {
  const wordsOf = (command: string): string[] =>
    spawnSync("sh", ["-c", `for word in ${command}; do printf '%s\\n' "$word"; done`], { encoding: "utf8" })
      .stdout.trimEnd()
      .split("\n");

  test("names station, wish and reason, and where key and token go", () => {
    expect(proposeCommand("press", BASE, { lambda: 0.01, why: "calmer" })).toBe(
      "sekisho thresholds propose press --lambda 0.01 --why calmer --key YOUR.key --token-file YOUR.token",
    );
    expect(approveCommand("press")).toBe(
      "sekisho thresholds approve press --key YOUR.key --token-file YOUR.token",
    );
    expect(rollbackCommand("press", 4, "x")).toMatch(/rollback press --to 4 --why x/);
  });

  test("drops and adds classes, sets lambdas of their own, and frees those that have one no more", () => {
    const base = { ...BASE, classes: ["good", "bent", "flat"], classLambdas: { bent: 0.01, flat: 0.02 } };
    const wish = { lambda: 0.2, classes: ["good", "bent", "torn"], classLambdas: { torn: 0.1 }, why: "x" };
    expect(proposeCommand("press", base, wish)).toMatch(
      "propose press --lambda 0.2 --drop-class flat --add-class torn --class-lambda torn=0.1 bent=0.2 --why x",
    );
  });

  test.each(['it\'s $(reboot) `now`; rm -rf / "x" \\', "煙が出た", "-n"])(
    "a shell takes the reason %s for one word",
    (why) => {
      const words = wordsOf(stopCommand("press", why));
      expect(words[words.indexOf("--why") + 1]).toBe(why);
      expect(words).toHaveLength(
        "sekisho thresholds stop press --why X --key Y --token-file Z".split(" ").length,
      );
    },
  );
});
