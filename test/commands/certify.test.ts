/** `sekisho certify` on a real bundle: what it prints, what it writes, and what it refuses before it writes. */

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readEnvelope } from "../../src/bundle/envelope-file.ts";
import { readEvidence } from "../../src/bundle/evidence.ts";
import type { EvidenceDescription } from "../../src/bundle/evidence-description.ts";
import type { CertifySummary } from "../../src/commands/certify-report.ts";
import { tableOf } from "../../src/commands/certify-table.ts";
import { grouped, rounded } from "../../src/commands/prose.ts";
import { deltaFacts, deltaRange } from "../../src/core/envelope/delta-range.ts";
import { finiteArgmax } from "../../src/core/envelope/unfaithful.ts";
import type { Database } from "../../src/sqlite/database.ts";
import { MODELS } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { anUncertifiedBundle, contentOf, describeAs } from "../support/spoiled-bundle.ts";

const RAW: EvidenceDescription["preprocessing"] = {
  resize: "none",
  layout: "CHW",
  scale: 1,
  mean: [0],
  std: [1],
};
const { evidence: apparel } = readEvidence(join(MODELS, "apparel", "evidence.sqlite"));
const partsIn = (split: string): number => apparel.splitOfPart.filter((of) => of === split).length;
/** The range that the teacher of this evidence has, as it is printed. */
const range = deltaRange(deltaFacts(apparel));
const RANGE = `${rounded(range.floor, 2, "up")} to ${rounded(range.ceiling, 2, "down")}; ${range.suggested} is`;

/** Refuses with status 1, nothing on standard output, and the bundle as it was. */
async function refusalOf(bundle: string, ...more: string[]): Promise<string> {
  const before = contentOf(bundle);
  const { status, stdout, stderr } = await sekisho(["certify", bundle, ...more]);
  expect([status, stdout]).toEqual([1, ""]);
  expect(contentOf(bundle)).toEqual(before);
  return stderr;
}

async function certified(bundle: string, ...more: string[]) {
  const { status, stdout, stderr } = await sekisho(["certify", bundle, ...more]);
  expect(status, stderr).toBe(0);
  return { stdout, stderr };
}

async function summaryOf(bundle: string, ...more: string[]): Promise<CertifySummary> {
  return JSON.parse((await certified(bundle, ...more, "--json")).stdout) as CertifySummary;
}

/** Parts of a split that the student gives as a class by its first frame. */
function partsGivenAs(c: number): number[] {
  return [...apparel.part].filter((_, row) => finiteArgmax(apparel.studentLogits, row, 10) === c);
}

function keepCalParts(evidence: Database, count: number): void {
  evidence.exec(
    `UPDATE parts SET split = 'ref' WHERE split = 'cal'
     AND part NOT IN (SELECT part FROM parts WHERE split = 'cal' ORDER BY part LIMIT ${count})`,
  );
}

describe("certify on the apparel bundle", () => {
  const bundle = anUncertifiedBundle();
  let summary: CertifySummary;
  let printed: { stdout: string; stderr: string };
  beforeAll(async () => {
    printed = await certified(bundle);
    summary = await summaryOf(bundle);
  });

  test("certifies at delta 0.1, which lies in the range that it prints, and does not warn", () => {
    expect(summary).toMatchObject({ delta: 0.1, alpha: 0.01, alphaClass: 0.05, eta: 0.05 });
    expect(summary.station).toMatchObject({ certified: true, standing: "passes", cleanPartsNeeded: 0 });
    const { floor, ceiling, suggested } = range;
    expect(summary).toMatchObject({ deltaFloor: floor, deltaCeiling: ceiling, deltaSuggested: suggested });
    expect(floor < 0.1 && 0.1 < ceiling).toBe(true);
    expect(printed.stderr).toBe("");
    expect(printed.stdout.replaceAll("\n", " ")).toContain(
      `Delta 0.1 lies in the range in which it says something of this teacher, ${RANGE}`,
    );
  });

  test("says of every class whether it passes, at its own lambda, or what is missing", () => {
    expect(summary.classes).toHaveLength(10);
    for (const row of summary.classes) {
      expect(row.passes).toBe(row.standing === "passes");
      if (row.passes) {
        expect(row.upperBound).toBeLessThanOrEqual(0.05);
        expect(row.lambda).toBeLessThanOrEqual(summary.lambda!);
        expect([row.cleanPartsNeeded, row.partsToRecord]).toEqual([0, null]);
      } else if (row.standing === "too-few-parts") {
        expect(row.cleanPartsNeeded).toBeGreaterThan(0);
        // Of 22,000 parts hardly one in ten is of the class, and not all of them pass.
        expect(row.partsToRecord ?? Number.POSITIVE_INFINITY).toBeGreaterThan(22_000);
      }
      expect(printed.stdout).toMatch(
        new RegExp(`^${row.class} +${row.passes ? "passes" : "reviewed"} `, "m"),
      );
    }
  });

  test("closes with what was proven, by which method, at which eta, and what was assumed", () => {
    const text = printed.stdout.replaceAll("\n", " ");
    expect(text).toContain(`Proven by exact binomial bounds on ${grouped(partsIn("cal"))} parts of cal (`);
    expect(text).toMatch(/parts of cal \(.*(walk|table).*\)/);
    expect(text).toMatch(/with probability at least 95%: at most \d\.\d\d% of the parts that pass/);
    expect(text).toMatch(/Assumed: parts are independent of each other, and recorded like those/);
  });

  test("bounds teacher errors by the labels, at an eta of their own, and states the joint one", () => {
    const labels = summary.labels!;
    expect(labels).toMatchObject({
      eta: 0.05,
      jointEta: 0.1,
      labelled: { fit: partsIn("fit"), cal: partsIn("cal") },
    });
    const { n, k, upperBound, wrongUpperBound } = labels.station!;
    expect(n).toBe(summary.station.n);
    expect(upperBound).toBeGreaterThan(k / n);
    expect(wrongUpperBound).toBeCloseTo(upperBound + summary.station.upperBound, 12);
    expect(labels.classes.map((row) => row.class)).toEqual(
      summary.classes.filter((row) => row.passes).map((row) => row.class),
    );
    // Some class is one in which an unsure teacher is often wrong, and in none a sure one.
    const confirmed = (bin: number) =>
      labels.reliability.filter(({ bins }) => bins.at(bin)!.confirmed).length;
    expect([confirmed(0) > 0, confirmed(-1)]).toEqual([true, 0]);
    expect(printed.stdout.replaceAll("\n", " ")).toMatch(/all of it together with probability at least 90%/);
  });

  test("writes an envelope that a person can open: small, whole, read back as written", () => {
    const file = join(bundle, "envelope.json");
    expect(statSync(file).size).toBeLessThan(500_000);
    const text = readFileSync(file, "utf8");
    expect(text.split("\n").filter((line) => line.length > 120 && !line.includes("f32:"))).toEqual([]);
    const read = readEnvelope(text, file);
    if (!read.ok) throw new Error("the envelope was not read back");
    const { teacherReliability, certificate } = read.envelope;
    expect(teacherReliability!.etaTarget).toBe(0.05);
    expect(teacherReliability!.stationCells).toHaveLength(certificate.walk.length);
  });

  test("the envelope that is committed is below 500 kB as well", () => {
    expect(statSync(join(MODELS, "apparel", "envelope.json")).size).toBeLessThan(500_000);
  });

  test("refuses another eta of the labels on the same parts, as it does other settings", async () => {
    expect(await refusalOf(bundle, "--eta-labels", "0.2")).toMatch(/testing the same parts again/);
  });

  test("an envelope whose table of labels was cut short is none", () => {
    const file = join(bundle, "envelope.json");
    const envelope = JSON.parse(readFileSync(file, "utf8"));
    envelope.teacherReliability.cells.pop();
    const read = readEnvelope(JSON.stringify(envelope), file);
    expect(read.ok ? [] : read.problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/teacherReliability\.cells: expected 10 entries, found 9/),
    ]);
  });
});

describe("evidence that lacks something", () => {
  test("has no labels: what passes is faithful, correctness unknown", async () => {
    const bundle = anUncertifiedBundle((db) => db.exec("UPDATE frames SET label = -1"));
    const { stdout } = await certified(bundle);
    expect(stdout).toMatch(/^No part of cal is labelled: what passes is faithful, correctness unknown\.$/m);
    expect(stdout).not.toMatch(/wrong/);
    expect(readFileSync(join(bundle, "envelope.json"), "utf8")).not.toContain("teacherReliability");
  });

  test("has no part of one class: the others are certified, and that is said", async () => {
    const bags = partsGivenAs(8);
    const bundle = anUncertifiedBundle((db) => {
      const move = db.prepare("UPDATE parts SET split = 'ref' WHERE part = ?");
      for (const part of bags) move.run(part);
    });
    const summary = await summaryOf(bundle);
    expect(tableOf(summary, 100)).toMatch(/^bag +reviewed /m);
    expect(tableOf(summary, 100)).toMatch(/^bag: fit has no part of it/m);
    expect(summary.classes[8]).toMatchObject({
      standing: "not-recorded",
      ...{ passes: false, n: 0, k: 0, upperBound: 1, partsToRecord: null },
    });
    expect(summary.station.certified).toBe(true);
  });

  test("has parts of a class in fit alone: it is reviewed, since none was counted", async () => {
    const calBags = partsGivenAs(8).filter((part) => apparel.splitOfPart[part] === "cal");
    const bundle = anUncertifiedBundle((db) => {
      const move = db.prepare("UPDATE parts SET split = 'ref' WHERE part = ?");
      for (const part of calBags) move.run(part);
    });
    const { classes } = await summaryOf(bundle);
    expect(classes[8]).toMatchObject({ standing: "never-passed", passes: false, n: 0, upperBound: 1 });
  });

  test("has enough parts for a station and not for its classes: it goes on, and says how many to record", async () => {
    const bundle = anUncertifiedBundle((db) => keepCalParts(db, 600));
    const summary = await summaryOf(bundle);
    const text = tableOf(summary, 100);
    expect(text).toMatch(/^not certified: everything goes to a person$/m);
    expect(text.replaceAll("\n", " ")).toMatch(
      /Nothing is proven .*about [\d,]+ parts in all would do for the station/,
    );
    const { station, classes } = summary;
    expect(station).toMatchObject({ certified: false, standing: "too-few-parts" });
    expect(station.partsToRecord).toBeGreaterThan(22_000);
    expect(classes.some((row) => row.passes)).toBe(false);
    expect(classes.filter((row) => row.cleanPartsNeeded > 0).length).toBeGreaterThan(5);
  });
});

describe("certify refuses, and leaves everything as it was", () => {
  test("fewer parts of cal than any rule needs, naming how many it takes", async () => {
    const bundle = anUncertifiedBundle((db) => keepCalParts(db, 416));
    expect(await refusalOf(bundle)).toMatch(
      /has 416 parts of cal, .*at alpha 1%, alphaClass 5% and eta 5% a station needs at least 417 that pass, and each class at least 141, .*record at least 417 parts of cal, some [\d,]+ parts in all/,
    );
    expect(await refusalOf(anUncertifiedBundle((db) => keepCalParts(db, 0)))).toMatch(/has 0 parts of cal/);
  });

  test("fit with hardly a part", async () => {
    const pair = [1, 9].map((c) => partsGivenAs(c).find((part) => apparel.splitOfPart[part] === "fit")!);
    const bundle = anUncertifiedBundle((db) =>
      db.exec(`UPDATE parts SET split = 'ref' WHERE split = 'fit' AND part NOT IN (${pair})`),
    );
    expect(await refusalOf(bundle)).toMatch(/fit has 2 parts; at least 3 are needed .*record more parts/);
  });

  test.each([
    [
      "another student",
      { studentSha256: "0".repeat(64) },
      /a student with SHA-256 "0{64}", which is "[0-9a-f]{64}"/,
    ],
    [
      "another ONNX Runtime",
      { onnxruntime: "1.2.3" },
      /ONNX Runtime "1\.2\.3", which is "\d+\.\d+\.\d+" now/,
    ],
    [
      "other preprocessing",
      { preprocessing: RAW },
      /preprocessing \{"resize":"none","layout":"CHW","scale":1,.*, which is \{.*"scale":0\.0039/,
    ],
  ])("evidence recorded with %s", async (_, changes, reason) => {
    const bundle = anUncertifiedBundle((db) => describeAs(db, changes));
    const message = await refusalOf(bundle);
    expect(message).toMatch(reason);
    expect(message).toMatch(/record again with `sekisho record .* --replace/);
  });

  test("evidence with a damaged column, and evidence that is not the bundle's own", async () => {
    const bundle = anUncertifiedBundle((db) =>
      db.exec("UPDATE frames SET teacher_logits = x'00' WHERE frame = 12"),
    );
    expect(await refusalOf(bundle)).toMatch(/frame 12: teacher_logits should hold 10 float32 numbers/);
    const other = anUncertifiedBundle();
    writeFileSync(join(other, "evidence.sqlite"), "something else");
    expect(await refusalOf(other)).toMatch(
      /evidence: evidence\.sqlite is not the file this bundle was made with/,
    );
  });

  test("a teacher that says one class to everything, or nothing finite", async () => {
    const one = anUncertifiedBundle((db) =>
      db.exec(
        "UPDATE frames SET teacher_logits = (SELECT f.teacher_logits FROM frames f WHERE f.frame = 0), label = 0",
      ),
    );
    expect(await refusalOf(one)).toMatch(
      /the teacher says "[a-z-]+" to every part of fit: .*record parts of two/,
    );
    const mute = anUncertifiedBundle((db) =>
      db
        .prepare("UPDATE frames SET teacher_logits = ?")
        .run(Buffer.from(new Float32Array(10).fill(Number.NaN).buffer)),
    );
    expect(await refusalOf(mute)).toMatch(/says nothing finite of any part of fit/);
  });

  test("a teacher that swings wildly: its floor above its ceiling", async () => {
    // On every part it moves by nearly as much as its lead can bear.
    const { halfLead } = deltaFacts({ ...apparel, splitOfPart: apparel.splitOfPart.map(() => "fit") });
    expect(halfLead.length).toBeGreaterThan(20_000);
    const bundle = anUncertifiedBundle((db) => {
      const swing = db.prepare("UPDATE frames SET teacher_swing = ? WHERE frame = ?");
      for (const row of apparel.part.keys()) swing.run(0.9 * halfLeadOf(row), row);
    });
    const message = await refusalOf(bundle);
    expect(message).toMatch(
      /the teacher is too unsteady for any delta: its floor 0\.\d+ lies above its ceiling 0\.\d+/,
    );
    expect(message).toMatch(/perturb the frames less, .* or take a steadier teacher, and record again/);
  });

  test("a teacher whose own class does not hold on any part, and a student that never agrees", async () => {
    const turning = anUncertifiedBundle((db) => db.exec("UPDATE frames SET teacher_swing = NULL"));
    expect(await refusalOf(turning)).toMatch(/on none of the [\d,]+ parts of fit that both models agree on/);
    const stranger = anUncertifiedBundle((db) => {
      const said = db.prepare("UPDATE frames SET teacher_logits = ? WHERE frame = ?");
      for (const row of apparel.part.keys()) {
        const logits = new Float32Array(10);
        logits[(finiteArgmax(apparel.studentLogits, row, 10) + 1) % 10] = 9;
        said.run(Buffer.from(logits.buffer), row);
      }
    });
    expect(await refusalOf(stranger)).toContain(
      `agree on none of the ${grouped(partsIn("fit"))} parts of fit`,
    );
  });

  test("options that are no rates, and thresholds that could not be written", async () => {
    const bundle = anUncertifiedBundle();
    expect(await refusalOf(bundle, "--delta", "0")).toMatch(/--delta: expected a number between 0 and 1/);
    expect(await refusalOf(bundle, "--eta-labels", "NaN")).toMatch(/--eta-labels: expected a number/);
    const nowhere = join(dirname(bundle), "none", "a.json");
    expect(await refusalOf(bundle, "--thresholds", nowhere, "--station", "a")).toMatch(/there is no folder/);
    const here = join(dirname(bundle), "a.json");
    expect(await refusalOf(bundle, "--thresholds", here, "--station", "a b")).toMatch(
      /--station: expected 1 to 64/,
    );
    expect(existsSync(here)).toBe(false);
  });
});

/** Half the teacher's lead of its first class over its second at one frame. */
function halfLeadOf(row: number): number {
  const z = [...apparel.teacherLogits.subarray(row * 10, row * 10 + 10)];
  const sum = z.reduce((all, value) => all + Math.exp(value), 0);
  const [first, second] = z.map((value) => Math.exp(value) / sum).sort((a, b) => b - a) as [number, number];
  return (first - second) / 2;
}

describe("delta advice", () => {
  test("a delta outside its range is certified all the same, with a warning that says which would suit", async () => {
    const [high, low] = [range.ceiling + 0.05, range.floor / 2];
    const above = await certified(anUncertifiedBundle(), "--delta", String(high));
    const ceiling = rounded(range.ceiling, 2, "down");
    expect(above.stderr).toContain(`warning: delta ${high} is above its ceiling ${ceiling}: `);
    expect(above.stderr).toContain(`; ${range.suggested} would suit this teacher\n`);
    expect(above.stdout).toMatch(/^certified/);
    const below = await certified(anUncertifiedBundle(), "--delta", String(low), "--json");
    const floor = rounded(range.floor, 2, "up");
    expect(below.stderr).toContain(`warning: delta ${low} is below its floor ${floor}: `);
    expect(JSON.parse(below.stdout)).toMatchObject({ delta: low });
  });

  test("is given before anything is certified, from fit alone, and uses up nothing", async () => {
    const bundle = anUncertifiedBundle();
    const before = contentOf(bundle);
    const { stdout } = await certified(bundle, "--advise");
    expect(stdout.replaceAll("\n", " ")).toContain(`from ${RANGE} the strictest`);
    expect(stdout.replaceAll("\n", " ")).toMatch(
      /needs at least 417 parts of cal that pass, and each class at least 141/,
    );
    expect(stdout).toMatch(/^0\.1 +\d\d\.\d\d% /m);
    const advice = JSON.parse((await certified(bundle, "--advise", "--json")).stdout);
    expect(advice).toMatchObject({
      deltaSuggested: range.suggested,
      parts: { fit: partsIn("fit") },
      partsNeeded: { station: 417 },
    });
    expect(contentOf(bundle)).toEqual(before);
    const otherCal = anUncertifiedBundle((db) =>
      db.exec(
        "UPDATE frames SET teacher_swing = 1, largest_gap = 1 WHERE part IN (SELECT part FROM parts WHERE split = 'cal')",
      ),
    );
    expect(JSON.parse((await certified(otherCal, "--advise", "--json")).stdout)).toEqual(advice);
    // No settings were tried on cal, so any may still be.
    await certified(bundle, "--delta", String(range.suggested));
  });

  test("goes as far as the people there are, with its reasons, and does not look at cal for that either", async () => {
    const bundle = anUncertifiedBundle();
    const before = contentOf(bundle);
    const { stdout } = await certified(bundle, "--advise", "--review-share", "0.35");
    const words = stdout.replaceAll("\n", " ");
    expect(words).toContain("Epsilon: the neighbourhood is shift 1, brightness 0.05,");
    expect(words).toContain("default magnitudes, which know nothing of your line");
    const { deltaForReviewShare: delta, reviewed } = JSON.parse(
      (await certified(bundle, "--advise", "--review-share", "0.35", "--json")).stdout,
    );
    expect(delta).toBeGreaterThan(range.floor);
    expect(delta).toBeLessThan(range.ceiling);
    expect(words).toContain(`delta ${rounded(delta, 3, "up")} is the strictest of these`);
    const at = (of: number) => reviewed.find((one: { delta: number }) => one.delta === of).reviewed;
    expect(at(delta)).toBeLessThanOrEqual(0.35);
    expect(at(range.floor)).toBeGreaterThan(0.35);
    const none = await certified(bundle, "--advise", "--review-share", "0.001");
    expect(none.stdout.replaceAll("\n", " ")).toMatch(
      /even at 0\.\d+ a certificate is expected to leave them \d+\.\d+%: it takes more people/,
    );
    expect(contentOf(bundle)).toEqual(before);
    expect(await refusalOf(bundle, "--review-share", "0.3")).toContain("--review-share goes with --advise");
  });
});
