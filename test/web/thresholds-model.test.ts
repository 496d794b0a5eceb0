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
import { indexInForce, nextDocument, outlookOf, shortfallsOf } from "../../web/src/pages/thresholds/model.ts";

const RULES = [0.01, 0.05, 0.2].map(
  (lambda, i): CertificateRule => ({
    ...{ lambda, expectedPassRate: 0.3 * (i + 1), allowed: i < 2 },
    station: { n: 1000, k: i, upperBound: 0.004 * (i + 1), method: "table" },
    classes: [
      { class: "good", n: 900, k: 0, upperBound: 0.01 },
      { class: "bent", n: 100, k: i, upperBound: 0.03 * (i + 1) },
    ],
  }),
);
const BASE: Thresholds = {
  ...{ schema: "sekisho.thresholds/1", station: "press", revision: 3, envelope: "e".repeat(64) },
  ...{ mode: "guarded", alpha: 0.01, alphaClass: 0.05, eta: 0.05, lambda: 0.05, classes: ["good", "bent"] },
  ...{ classLambdas: {}, reviewDeadlineSeconds: 900, proposedBy: "aki", approvedBy: "ben" },
  ...{ at: "2026-03-01T06:00:00.000Z", why: "before", rollbackOf: 1, certified: false },
};

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
    expect(outlookOf(RULES[index]!, { lambda }, monitor)).toBe(outlook);
  });

  test("is in force where lambda is its own, or the next stricter", () => {
    expect([0.05, 0.06, 0.001, null].map((lambda) => indexInForce(RULES, lambda))).toEqual([1, 1, -1, -1]);
  });

  test("falls short of each bound that is above what is allowed, the worst class first", () => {
    expect(shortfallsOf(RULES[2]!, { alpha: 0.01, alphaClass: 0.05 })).toMatchObject([
      { class: null, upperBound: 0.012, limit: 0.01, n: 1000, k: 2 },
      { class: "bent", upperBound: 0.09, limit: 0.05, n: 100, k: 2 },
    ]);
    expect(shortfallsOf(RULES[0]!, { alpha: 0.01, alphaClass: 0.05 })).toEqual([]);
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
    expect(proposeCommand("press", { lambda: 0.05, why: "calmer" })).toBe(
      "sekisho thresholds propose press --lambda 0.05 --why calmer --key YOUR.key --token-file YOUR.token",
    );
    expect(approveCommand("press")).toBe(
      "sekisho thresholds approve press --key YOUR.key --token-file YOUR.token",
    );
    expect(rollbackCommand("press", 4, "x")).toMatch(/rollback press --to 4 --why x/);
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
