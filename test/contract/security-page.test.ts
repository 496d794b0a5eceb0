/** SECURITY.md names tests that exist, and has a test for every threat and for every requirement that is said to be met. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = readFileSync(join(ROOT, "SECURITY.md"), "utf8");

/** Cells of the rows under a heading, without the table's head. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = PAGE.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(1).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const testsIn = (text: string): string[] => [...text.matchAll(/`(test\/[^`]+)`/g)].map((found) => found[1]!);

test("every test that it names exists, and is one that is run", () => {
  const named = [...new Set(testsIn(PAGE))];
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((path) => !path.endsWith(".test.ts") || !existsSync(join(ROOT, path)))).toEqual([]);
});

describe("each row", () => {
  test.each(rowsUnder("Threats"))("%s", (_, counter, shown) => {
    expect(counter).not.toBe("");
    expect(testsIn(shown!)).not.toEqual([]);
  });

  test.each(rowsUnder("Requirements"))("%s: %s", (requirement, state, how, shown) => {
    expect(requirement).toMatch(/^(IEC (CR \d|FR \d)|ISVS \d|SSDF [A-Z]{2})/);
    expect(state).toMatch(/^(met|in part|not met)/);
    expect(`${how}${shown}`).not.toBe("");
    if (state!.startsWith("met")) expect(testsIn(shown!)).not.toEqual([]);
  });
});

test("it says what is not countered, how to report, and which versions are supported", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  expect(PAGE).toContain(`| ${version.split(".").slice(0, 2).join(".")}.x, the latest | yes |`);
  for (const heading of ["Reporting", "What is not countered"]) expect(PAGE).toContain(`## ${heading}\n`);
});
