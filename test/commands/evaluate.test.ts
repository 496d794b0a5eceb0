/** `sekisho evaluate` as a user runs it: what it says, what it writes, and what it refuses. */

import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { CalibrationFrames } from "../../src/bundle/frames.ts";
import { notesOn } from "../../src/commands/evaluate/notes.ts";
import type { ClassSummary, EvaluationSummary } from "../../src/core/evaluation/evaluate.ts";
import { MODELS } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { npy } from "../support/npz.ts";
import { tinyLogits } from "../support/tiny-onnx.ts";
import {
  aCertifiedWorkshop,
  aWorkshop,
  done,
  RECORDED_FRAMES,
  SIDES,
  someFrames,
  type Workshop,
} from "../support/workshop.ts";

const FRESH = 400;
const COPIES = 2;
const STUDENT = { inputShape: [SIDES], classes: 2, featureCount: 3, seed: 5 };

async function refused(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sekisho(args);
  expect(status).toBe(1);
  expect(stdout).toBe("");
  return stderr;
}

function freshFrames(workshop: Workshop, more: Record<string, Buffer> = {}): string {
  return workshop.put("test.npz", { frames: npy([FRESH, SIDES], someFrames(FRESH, 2)), ...more });
}

/** What the student's twin says of these frames and of two copies of each, as made elsewhere. */
function outputsFor(frames: Float32Array, withCopies: boolean): Record<string, Buffer> {
  const count = frames.length / SIDES;
  const logits = (row: Float32Array): number[] => tinyLogits(STUDENT, row);
  const copies = Float32Array.from({ length: count * COPIES * SIDES }, (_, i) => {
    const frame = Math.floor(i / (COPIES * SIDES));
    return frames[frame * SIDES + (i % SIDES)]! * (1 + 0.01 * (Math.floor(i / SIDES) % COPIES));
  });
  const said = (rows: Float32Array): Float32Array =>
    Float32Array.from(
      Array.from({ length: rows.length / SIDES }, (_, i) =>
        logits(rows.subarray(i * SIDES, (i + 1) * SIDES)),
      ).flat(),
    );
  return {
    teacher_logits: npy([count, 2], said(frames)),
    ...(withCopies
      ? {
          teacher_logits_neighbourhood: npy([count, COPIES, 2], said(copies)),
          frames_neighbourhood: npy([count, COPIES, SIDES], copies),
        }
      : {}),
  };
}

describe("the apparel bundle on its held-out frames", () => {
  const apparel = join(MODELS, "apparel");
  const report = join(mkdtempSync(join(tmpdir(), "sekisho-report-")), "report.html");
  let summary: EvaluationSummary;

  beforeAll(async () => {
    const frames = [
      "--frames",
      join(apparel, "frames", "demo.npz"),
      "--teacher",
      join(apparel, "teacher.onnx"),
    ];
    summary = JSON.parse(await done("evaluate", apparel, ...frames, "--report", report, "--json"));
  });

  test("keep the contract of the JSON document", () => {
    expect(summary).toMatchObject({ frames: 2000, parts: 2000, neighbourhood: "recorded", notes: [] });
    for (const rate of ["unfaithfulRate", "passRate", "unfaithfulAmongPassed", "wrongAmongPassed"] as const) {
      expect(summary[rate]).toBeGreaterThanOrEqual(0);
      expect(summary[rate]).toBeLessThanOrEqual(1);
    }
    const { maxSoftmax } = summary.baselines;
    expect(maxSoftmax.passRate).toBe(maxSoftmax.passed / 2000);
    expect(maxSoftmax.unfaithfulAmongPassed).toBe(maxSoftmax.unfaithful / maxSoftmax.passed);
    expect(summary.classes.map((of) => of.class)).toContain("ankle-boot");
  });

  test("are counted once each, and the counts agree", () => {
    const over = (of: "parts" | "passed" | "unfaithful" | "wrong"): number =>
      summary.classes.reduce((sum: number, one: ClassSummary) => sum + one[of], 0);
    expect(over("parts")).toBe(2000);
    expect(over("passed")).toBe(summary.passed);
    expect(over("unfaithful")).toBe(summary.unfaithful);
    expect(over("wrong")).toBe(summary.wrong);
    expect(summary.labelled).toBe(summary.passed);
    expect(summary.unfaithful).toBeLessThanOrEqual(summary.passed);
    expect(summary.passed).toBeGreaterThan(500);
    for (const { passes, passed, parts } of summary.classes) {
      expect(passed).toBeLessThanOrEqual(passes ? parts : 0);
    }
  });

  test("pass more safely than all of them would", () => {
    expect(summary.unfaithfulAmongPassed).toBeLessThan(summary.unfaithfulRate! / 5);
    expect(summary.wrongAmongPassed).toBeLessThan(summary.studentWrongRate! / 2);
  });

  test("do not break the certificate", () => {
    expect(summary.certificate).toMatchObject({ consistent: true });
    expect(summary.certificate!.upperBound).toBeLessThanOrEqual(summary.alpha);
  });

  test("make a report with pictures of them, whole in itself", () => {
    const page = readFileSync(report, "utf8");
    expect(page).toContain("<title>Sekisho evaluation report</title>");
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\//);
    expect(page).not.toMatch(/<script/i);
    const images = page.match(
      /<img alt="frame \d+" src="data:image\/png;base64,iVBORw0KGgo[A-Za-z0-9+/=]+">/g,
    );
    expect(images!.length).toBeGreaterThanOrEqual(12);
    expect(page.match(/aria-label="Teacher band of /g)).toHaveLength(10);
  });
});

describe("a bundle recorded with its teacher", () => {
  let workshop: Workshop;
  let given: string[];

  beforeAll(async () => {
    workshop = await aCertifiedWorkshop(undefined, "<script>alert(1)</script>,bad");
    given = ["evaluate", workshop.bundle, "--teacher", workshop.path("teacher.onnx")];
  });

  test("is evaluated in words that a person reads, correctness unknown without labels", async () => {
    const table = await done(...given, "--frames", freshFrames(workshop));
    expect(table).toMatch(/^Of 400 parts that the evidence does not hold, \d+ would have passed/);
    expect(table).toContain("Faithful, correctness unknown");
    expect(table).toMatch(/\nConsistent with the certificate: 0 unfaithful of \d+ that passed;/);
    expect(table).toMatch(/\nenvelope +\d+ /);
    expect(table).toMatch(/\nmax-softmax +\d+ /);
    expect(table).toMatch(/\nbad +passes +\d+ /);
  });

  test("writes a report of signals in which a class's name cannot become a script", async () => {
    const report = workshop.path("report.html");
    await done(...given, "--frames", freshFrames(workshop), "--report", report);
    const page = readFileSync(report, "utf8");
    expect(page).not.toMatch(/<script/i);
    expect(page).toContain("&#60;script&#62;alert(1)&#60;/script&#62;");
  });

  test("counts parts, and passes none of more frames than the evidence had", async () => {
    const pairs = Int32Array.from({ length: FRESH }, (_, i) => 700 + Math.floor(i / 2));
    const frames = freshFrames(workshop, {
      parts: npy([FRESH], pairs),
      labels: npy([FRESH], new Int32Array(FRESH)),
    });
    const summary = JSON.parse(await done(...given, "--frames", frames, "--json")) as EvaluationSummary;
    expect(summary).toMatchObject({
      frames: FRESH,
      parts: FRESH / 2,
      passed: 0,
      unfaithfulAmongPassed: null,
    });
  });

  test("refuses the file that the evidence was recorded from", async () => {
    expect(await refused(...given, "--frames", workshop.path("frames.npz"))).toMatch(
      /is what the evidence was recorded from; an evaluation is of frames never seen/,
    );
  });

  test("refuses frames that the evidence holds, under whatever rows and names", async () => {
    const mixed = someFrames(FRESH, 3);
    mixed.set(someFrames(RECORDED_FRAMES, 1).subarray(1000 * SIDES, 1007 * SIDES), 17 * SIDES);
    const frames = workshop.put("mixed.npz", { frames: npy([FRESH, SIDES], mixed) });
    expect(await refused(...given, "--frames", frames, "--report", workshop.path("none.html"))).toMatch(
      /7 of 400 frames are in the evidence already \(rows 17, 18, 19, 20, 21, 22, 23\)/,
    );
    expect(existsSync(workshop.path("none.html"))).toBe(false);
  });

  test("refuses another teacher, the student for its own, and outputs in place of the teacher", async () => {
    const frames = ["evaluate", workshop.bundle, "--frames", freshFrames(workshop)];
    expect(await refused(...frames, "--teacher", workshop.path("stranger.onnx"))).toMatch(
      /the evidence was recorded with another teacher/,
    );
    expect(await refused(...frames, "--teacher", workshop.path("student.onnx"))).toMatch(
      /is the student itself/,
    );
    const outputs = workshop.put("outputs.npz", outputsFor(someFrames(FRESH, 2), false));
    expect(await refused(...frames, "--teacher-outputs", outputs)).toMatch(
      /was recorded with the teacher itself, which was asked about 5 copies/,
    );
    expect(await refused(...frames)).toMatch(/evaluate: name the teacher by one of/);
  });

  test("refuses before the work what it could not finish", async () => {
    const report = workshop.path("nowhere/report.html");
    expect(await refused(...given, "--frames", freshFrames(workshop), "--report", report)).toMatch(
      /--report: there is no folder .*nowhere/,
    );
    const slip = ["--frames", freshFrames(workshop), "--report", workshop.path("teacher.onnx")];
    expect(await refused(...given, ...slip)).toMatch(/--report: expected the name of an HTML file/);
    const none = workshop.put("none.npz", { frames: npy([0, SIDES], new Float32Array()) });
    expect(await refused(...given, "--frames", none)).toMatch(/none\.npz.* holds no frame/);
  });

  test("is wrong usage without frames", async () => {
    expect((await sekisho(given)).status).toBe(2);
  });
});

describe("a bundle recorded with outputs made elsewhere", () => {
  const elsewhere =
    (withCopies: boolean) =>
    ({ put }: Workshop): string[] => [
      "--teacher-outputs",
      put("recorded.npz", outputsFor(someFrames(RECORDED_FRAMES, 1), withCopies)),
    ];

  test("is held to its certificate over as many copies, and refused without them", async () => {
    const workshop = await aCertifiedWorkshop(elsewhere(true));
    const given = ["evaluate", workshop.bundle, "--frames", freshFrames(workshop), "--teacher-outputs"];
    const outputs = workshop.put("outputs.npz", outputsFor(someFrames(FRESH, 2), true));
    const summary = JSON.parse(await done(...given, outputs, "--json")) as EvaluationSummary;
    expect(summary).toMatchObject({ neighbourhood: "recorded", certificate: { consistent: true } });
    expect(summary.notes).toEqual([expect.stringMatching(/taken on trust/)]);
    const alone = workshop.put("alone.npz", outputsFor(someFrames(FRESH, 2), false));
    expect(await refused(...given, alone)).toMatch(
      /over 2 copies of each frame, found 0: give "teacher_logits/,
    );
  });

  test("at the frame alone is labelled so, and compared with no certificate", async () => {
    const workshop = await aCertifiedWorkshop(elsewhere(false));
    const given = ["evaluate", workshop.bundle, "--frames", freshFrames(workshop), "--teacher-outputs"];
    const alone = workshop.put("alone.npz", outputsFor(someFrames(FRESH, 2), false));
    const summary = JSON.parse(await done(...given, alone, "--json")) as EvaluationSummary;
    expect(summary).toMatchObject({ neighbourhood: "frame-only", certificate: null });
    expect(summary.classes.map((of) => of.certificate)).toEqual([null, null]);
    expect(await done(...given, alone)).toContain("frame-only");
    const outputs = workshop.put("outputs.npz", outputsFor(someFrames(FRESH, 2), true));
    expect(await refused(...given, outputs)).toMatch(/over 0 copies of each frame, found 2: leave/);
  });
});

describe("parts whose names the evidence has too", () => {
  const framesOf = (...parts: string[]): CalibrationFrames => ({
    count: parts.length,
    sha256: "",
    partsKnown: true,
    load: () => Promise.resolve(),
    values: () => new Float32Array(SIDES),
    labels: new Int16Array(parts.length),
    parts,
    lots: undefined,
    splits: undefined,
  });

  test("are noted", () => {
    const [note] = notesOn({}, framesOf("a7", "a7", "a8", "a9"), ["a1", "a7", "a9"]);
    expect(note).toMatch(/^2 of the parts bear names that the evidence has too/);
    expect(notesOn({}, framesOf("b1"), ["a1"])).toEqual([]);
  });

  test("are not, where one of the files only counts its rows", () => {
    expect(notesOn({}, framesOf("0", "0", "1"), ["1", "0"])).toEqual([]);
    expect(notesOn({}, framesOf("1", "0"), ["0", "1", "2"])).toEqual([]);
  });
});

describe("a bundle that is not ready", () => {
  test("is told what to do first", async () => {
    const workshop = await aWorkshop();
    const given = ["evaluate", workshop.bundle, "--frames", freshFrames(workshop), "--teacher"];
    expect(await refused(...given, workshop.path("teacher.onnx"))).toMatch(
      /has no envelope; make it with `sekisho certify/,
    );
  });
});
