/** From an ONNX file to certified thresholds, by the commands a process engineer types. */

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readEvidence } from "../../src/bundle/evidence.ts";
import { seededRandom } from "../../src/core/random.ts";
import { sekisho } from "../support/cli.ts";
import { npy, npz } from "../support/npz.ts";
import { tinyOnnx } from "../support/tiny-onnx.ts";

const FRAMES = 1600;
const SIDES = 8;

interface Workshop {
  readonly folder: string;
  readonly bundle: string;
  readonly path: (name: string) => string;
}

/** Frames, a student, and a teacher: the student's twin or a stranger to it. */
function aWorkshop({
  teacherSeed = 5,
  more = {},
}: {
  teacherSeed?: number;
  more?: Record<string, Buffer>;
} = {}): Workshop {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-workshop-"));
  const path = (name: string): string => join(folder, name);
  const random = seededRandom(1);
  const frames = Float32Array.from({ length: FRAMES * SIDES }, () => 6 * (random.next() - 0.5));
  writeFileSync(path("frames.npz"), npz({ frames: npy([FRAMES, SIDES], frames), ...more }));
  const model = { inputShape: [SIDES], classes: 2, featureCount: 3 };
  writeFileSync(path("student.onnx"), tinyOnnx({ ...model, seed: 5 }));
  // Without features it is another file, with the same logits for the same seed.
  writeFileSync(path("teacher.onnx"), tinyOnnx({ ...model, featureCount: 0, seed: teacherSeed }));
  return { folder, bundle: path("bundle"), path };
}

async function done(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sekisho(args);
  if (status !== 0) throw new Error(`${args.join(" ")}: ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

async function refused(...args: string[]): Promise<string> {
  const { status, stderr } = await sekisho(args);
  expect(status).toBe(1);
  return stderr;
}

function newBundle({ bundle, path }: Workshop): Promise<string> {
  return done("bundle", "new", bundle, "--student", path("student.onnx"), "--classes", "good,bad");
}

function record({ bundle, path }: Workshop, ...more: string[]): Promise<string> {
  return done("record", bundle, "--frames", path("frames.npz"), "--teacher", path("teacher.onnx"), ...more);
}

describe("a bundle", () => {
  test("is made from its ONNX file, recorded, certified and verified", async () => {
    const workshop = aWorkshop();
    const { bundle, path } = workshop;
    await newBundle(workshop);
    const manifest = JSON.parse(readFileSync(join(bundle, "bundle.json"), "utf8"));
    expect(manifest).toMatchObject({
      classes: ["good", "bad"],
      frame: { kind: "tensor", type: "f32", shape: [SIDES] },
    });
    expect(manifest.student).toMatchObject({ logits: "logits", features: "features", featureCount: 3 });

    const recorded = JSON.parse(await record(workshop, "--json"));
    expect(recorded).toMatchObject({ frames: FRAMES, parts: { fit: 560, cal: 880, ref: 160 } });

    const certified = JSON.parse(
      await done(
        "certify",
        bundle,
        "--alpha",
        "0.05",
        "--json",
        "--thresholds",
        path("line.json"),
        "--station",
        "line",
      ),
    );
    expect(certified).toMatchObject({
      delta: 0.1,
      alpha: 0.05,
      alphaClass: 0.05,
      eta: 0.05,
      parts: { cal: 880 },
    });
    expect(certified.station).toMatchObject({ certified: true, k: 0 });
    expect(certified.station.upperBound).toBeLessThanOrEqual(0.05);
    expect(certified.classes.map((one: { class: string }) => one.class)).toEqual(["good", "bad"]);
    expect(certified.expectedPassRate).toBeGreaterThan(0.5);

    const thresholds = JSON.parse(readFileSync(path("line.json"), "utf8"));
    expect(thresholds).toMatchObject({ station: "line", revision: 1, lambda: certified.lambda });
    expect(await done("bundle", "verify", bundle)).toMatch(
      /3 golden frames reproduced, envelope bound to this student/,
    );
  });

  test("whose teacher is a stranger certifies nothing, and says what is missing", async () => {
    const workshop = aWorkshop({ teacherSeed: 99 });
    await newBundle(workshop);
    await record(workshop);
    const table = await done("certify", workshop.bundle);
    expect(table).toMatch(/not certified: everything goes to a person/);
    expect(table.replaceAll("\n", " ")).toMatch(/missing: more parts of cal that pass and are faithful/);
    expect(table).toMatch(/^good +reviewed .* \d+$/m);
  });

  test("certifies the same again, and refuses to try other settings on the same parts", async () => {
    const workshop = aWorkshop();
    await newBundle(workshop);
    await record(workshop);
    const first = await done("certify", workshop.bundle, "--json");
    const envelope = readFileSync(join(workshop.bundle, "envelope.json"), "utf8");
    expect(await done("certify", workshop.bundle, "--json")).toBe(first);
    expect(readFileSync(join(workshop.bundle, "envelope.json"), "utf8")).toBe(envelope);
    expect(await refused("certify", workshop.bundle, "--delta", "0.2")).toMatch(
      /testing the same parts again/,
    );
  });

  test("is not made twice, and not from what is no model", async () => {
    const workshop = aWorkshop();
    await newBundle(workshop);
    expect(
      await refused("bundle", "new", workshop.bundle, "--student", workshop.path("student.onnx")),
    ).toMatch(/exists/);
    const other = workshop.path("other");
    expect(await refused("bundle", "new", other, "--student", workshop.path("frames.npz"))).toMatch(
      /^\S+frames\.npz: expected an ONNX [^\n]+\n$/,
    );
    expect(existsSync(other)).toBe(false);
    expect(
      await refused("bundle", "new", other, "--student", workshop.path("student.onnx"), "--classes", "one"),
    ).toMatch(/names 1 classes, .* gives 2 logits/);
  });
});

describe("evidence", () => {
  test("that is recorded already is left alone, and its certificate with it", async () => {
    const workshop = aWorkshop();
    await newBundle(workshop);
    const first = await record(workshop);
    await done("certify", workshop.bundle);
    expect(await record(workshop)).toBe(first);
    expect(await done("bundle", "verify", workshop.bundle)).toMatch(/envelope bound to this student/);
  });

  test("is not recorded with the student for its own teacher", async () => {
    const workshop = aWorkshop();
    await newBundle(workshop);
    const { bundle, path } = workshop;
    expect(
      await refused("record", bundle, "--frames", path("frames.npz"), "--teacher", path("student.onnx")),
    ).toMatch(/is the student itself/);
  });

  test("goes on where it was interrupted, and comes out the same", async () => {
    const whole = aWorkshop();
    await newBundle(whole);
    await record(whole);
    const broken = aWorkshop();
    await newBundle(broken);
    // A run that dies after some batches leaves its rows beside the final place.
    const { openEvidenceWriter } = await import("../../src/bundle/evidence.ts");
    const { description } = readEvidence(join(whole.bundle, "evidence.sqlite"));
    const done_ = readEvidence(join(whole.bundle, "evidence.sqlite")).evidence;
    const parts = done_.splitOfPart.map((split, i) => ({ name: String(i), lot: null, split }));
    const writer = openEvidenceWriter(join(broken.bundle, "evidence.sqlite"), description, parts);
    writer.append(
      Array.from({ length: 700 }, (_, i) => ({
        frame: i,
        part: i,
        label: -1,
        studentLogits: done_.studentLogits.slice(2 * i, 2 * i + 2),
        teacherLogits: done_.teacherLogits.slice(2 * i, 2 * i + 2),
        features: done_.features!.slice(3 * i, 3 * i + 3),
        doubt: undefined,
        largestGap: done_.largestGap[i]!,
        teacherSwing: done_.teacherSwing[i]!,
        studentSwing: done_.studentSwing[i]!,
      })),
    );
    writer.close();
    const { status, stderr } = await sekisho([
      ...[
        "record",
        broken.bundle,
        "--frames",
        broken.path("frames.npz"),
        "--teacher",
        broken.path("teacher.onnx"),
      ],
    ]);
    expect(stderr).toContain("going on behind 700 frames");
    expect(status).toBe(0);
    const { evidence } = readEvidence(join(broken.bundle, "evidence.sqlite"));
    expect(evidence).toEqual(done_);
  });

  test.each([
    [
      "labels of no class",
      { labels: npy([FRAMES], new Int32Array(FRAMES).fill(2)) },
      /labels\[0\] is 2, expected a class index/,
    ],
    [
      "arrays of other lengths",
      { parts: npy([3], Int32Array.of(1, 2, 3)) },
      /"parts" has shape \(3\), expected \(1600\)/,
    ],
    [
      "a part in two splits",
      {
        parts: npy([FRAMES], new Int32Array(FRAMES)),
        split: npy(
          [FRAMES],
          Int32Array.from({ length: FRAMES }, (_, i) => i % 2),
        ),
      },
      /part "0" is in two splits \(fit and cal\)/,
    ],
  ])("with %s is refused, and nothing is half-written", async (_, more, reason) => {
    const workshop = aWorkshop({ more });
    await newBundle(workshop);
    const { bundle, path } = workshop;
    expect(
      await refused("record", bundle, "--frames", path("frames.npz"), "--teacher", path("teacher.onnx")),
    ).toMatch(reason);
    expect(existsSync(join(bundle, "evidence.sqlite"))).toBe(false);
  });

  test("needs a teacher with the bundle's classes, and an .npz that is one", async () => {
    const workshop = aWorkshop();
    const { bundle, path } = workshop;
    await newBundle(workshop);
    writeFileSync(path("other.onnx"), tinyOnnx({ inputShape: [SIDES], classes: 3, featureCount: 0 }));
    const frames = ["record", bundle, "--frames", path("frames.npz")];
    expect(await refused(...frames, "--teacher", path("other.onnx"))).toMatch(/as the teacher of bundle/);
    expect(await refused(...frames)).toMatch(/one of --teacher and --teacher-outputs/);
    expect(
      await refused("record", bundle, "--frames", path("student.onnx"), "--teacher", path("teacher.onnx")),
    ).toMatch(/expected an \.npz file/);
    expect(await refused("certify", bundle)).toMatch(/has no evidence; make it with `sekisho record/);
  });

  test("takes teacher outputs made elsewhere, with their own copies", async () => {
    const workshop = aWorkshop();
    await newBundle(workshop);
    const { bundle, path } = workshop;
    await record(workshop);
    const { evidence } = readEvidence(join(bundle, "evidence.sqlite"));
    writeFileSync(path("outputs.npz"), npz({ teacher_logits: npy([FRAMES, 2], evidence.teacherLogits) }));
    const elsewhere = [
      "record",
      bundle,
      "--frames",
      path("frames.npz"),
      "--teacher-outputs",
      path("outputs.npz"),
    ];
    expect(await refused(...elsewhere)).toMatch(/would replace it and void the certificate/);
    await done(...elsewhere, "--replace");
    const again = readEvidence(join(bundle, "evidence.sqlite"));
    expect(again.description.neighbourhood).toEqual({ kind: "frame-only" });
    expect(await done("certify", bundle)).toContain("frame-only");
    expect(again.evidence.teacherLogits).toEqual(evidence.teacherLogits);
    expect(Math.max(...again.evidence.teacherSwing)).toBe(0);
  });
});
