/** The templates of thresholds/templates are what the gateway takes, and their numbers are what the statistics say. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { leastPartsNeeded } from "../../src/commands/record/checks.ts";
import { parseConfig } from "../../src/config/config.ts";
import { etaShares } from "../../src/core/envelope/eta.ts";
import { partsNeeded } from "../../src/core/statistics/binomial.ts";
import { readThresholds } from "../../src/thresholds/file.ts";

const FOLDER = fileURLToPath(new URL("../../thresholds/templates", import.meta.url));
const README = readFileSync(join(FOLDER, "README.md"), "utf8");
const KINDS = ["camera-inspection", "vibration", "process-values"];

test("there is one for each kind of line, and no other", () => {
  const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((one) => one.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...KINDS].sort());
});

describe.each(KINDS)("the template for %s", (kind) => {
  const at = KINDS.indexOf(kind);
  const file = join(FOLDER, kind, "sekisho.yaml");
  const parsed = parseConfig(file, {});
  const thresholds = readThresholds(join(FOLDER, kind, "thresholds.json"));
  /** Cells of the table in README.md, for this kind. */
  const cell = (row: string): string => {
    const line = README.split("\n").find((one) => one.startsWith(`| ${row}`));
    return line!.split("|").slice(2)[at]!.trim();
  };

  test("is a configuration of one station whose thresholds lie beside it", () => {
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    if (!thresholds.ok) throw new Error(JSON.stringify(thresholds.problems));
    const [[name, station], ...others] = Object.entries(parsed.value.stations) as [
      [string, (typeof parsed.value.stations)[string]],
    ];
    expect(others).toEqual([]);
    expect(thresholds.value.station).toBe(name);
    expect(resolve(dirname(file), "thresholds.json")).toBe(station.thresholds);
    expect(station.parts!.windowSeconds).toBeLessThanOrEqual(parsed.value.ledger.dedupeWindowSeconds);
    expect(Number.parseInt(cell("alerts an hour"), 10)).toBe(parsed.value.review.alertsPerHour);
    const [count, unit] = cell("part window").split(" ");
    expect(Number(count) * (unit === "min" ? 60 : 1)).toBe(station.parts!.windowSeconds);
  });

  test("decides nothing and lets nothing pass, for an envelope that nobody has", () => {
    if (!thresholds.ok) throw new Error(JSON.stringify(thresholds.problems));
    expect(thresholds.value).toMatchObject({
      mode: "shadow",
      lambda: null,
      classes: [],
      envelope: "0".repeat(64),
    });
  });

  test("asks for as many parts, audits and minutes as its page says", () => {
    if (!thresholds.ok) throw new Error(JSON.stringify(thresholds.problems));
    const { alpha, alphaClass, eta, auditRate, reviewDeadlineSeconds } = thresholds.value;
    const { walk, cell: ofCell } = etaShares(eta, 1, 2, 2);
    const needed = [partsNeeded(0, alpha, walk[0]!), partsNeeded(0, alphaClass, ofCell)];
    expect(cell("parts of cal")).toBe(needed.join(", "));
    if (alpha === 0.01) expect(needed).toEqual(Object.values(leastPartsNeeded(2)));
    expect(cell("alpha, alphaClass")).toBe(`${100 * alpha}%, ${100 * alphaClass}%`);
    expect(cell("audit rate")).toBe(`${100 * auditRate!}%`);
    const [count, unit] = cell("review deadline").split(" ");
    expect(Number(count) * (unit === "h" ? 3600 : 60)).toBe(reviewDeadlineSeconds);
  });
});
