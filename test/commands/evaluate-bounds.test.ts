/** `sekisho evaluate --bounds` as a user runs it: what is found lies under what is proven, and what cannot be is refused. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { BoundsSummary } from "../../src/core/bounds/summary.ts";
import { sekisho } from "../support/cli.ts";
import { npy, npz } from "../support/npz.ts";
import { anOnnx, INPUT, type OnnxBuilder } from "../support/small-onnx.ts";
import { aCertifiedWorkshop, done, SIDES, someFrames, type Workshop } from "../support/workshop.ts";

const FRESH = 60;

async function refused(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sekisho(args);
  expect(stdout).toBe("");
  expect(status).toBe(1);
  return stderr;
}

/** A bundle of networks that bend, recorded and certified with its teacher. */
async function aPair(bend: (onnx: OnnxBuilder, value: string) => string): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-bounds-"));
  const path = (name: string): string => join(folder, name);
  const put = (name: string, arrays: Readonly<Record<string, Buffer>>): string => {
    writeFileSync(path(name), npz(arrays));
    return path(name);
  };
  const model = (weight: number): Uint8Array => {
    const onnx = anOnnx(11);
    const hidden = bend(onnx, onnx.node("MatMul", [INPUT, onnx.stored([SIDES, 16])]));
    const last = Float32Array.from({ length: 32 }, (_, i) => weight * Math.cos(i * i));
    return onnx.model([SIDES], onnx.node("Gemm", [hidden, onnx.stored([16, 2], last), onnx.stored([2])]));
  };
  writeFileSync(path("student.onnx"), model(1));
  writeFileSync(path("teacher.onnx"), model(1.1));
  put("frames.npz", { frames: npy([1200, SIDES], someFrames(1200, 1)) });
  put("test.npz", { frames: npy([FRESH, SIDES], someFrames(FRESH, 2)) });
  const bundle = path("bundle");
  await done("bundle", "new", bundle, "--student", path("student.onnx"), "--classes", "good,bad");
  await done("record", bundle, "--frames", path("frames.npz"), "--teacher", path("teacher.onnx"));
  await done("certify", bundle, "--alpha", "0.05");
  return { bundle, path, put };
}

function args(workshop: Workshop, ...more: string[]): string[] {
  const { bundle, path } = workshop;
  return ["evaluate", bundle, "--frames", path("test.npz"), "--teacher", path("teacher.onnx"), ...more];
}

describe("bounds around recorded frames", () => {
  let pair: Workshop;
  beforeAll(async () => {
    pair = await aPair((onnx, value) => onnx.node("Relu", [value]));
  });

  test("are printed as JSON beside what evaluate prints, found under proven on every frame", async () => {
    const plain = JSON.parse(await done(...args(pair, "--json")));
    const { bounds, ...rest } = JSON.parse(await done(...args(pair, "--bounds", "--json")));
    expect(rest).toEqual(plain);
    const { frames, covers, epsilon, unit, delta, ...counts }: BoundsSummary = bounds;
    expect(covers).toContain("these recorded frames; they say nothing of new frames");
    expect({ epsilon, unit }).toEqual({ epsilon: 0.02, unit: "parts of the frame's own standard deviation" });
    expect(delta).toBe(plain.delta);
    expect(frames.map(({ row }) => row)).toEqual([3, 9, 15, 21, 27, 33, 39, 45, 51, 57]);
    for (const { lower, upper, upperByIntervals, verdict, classesDiffer, ...of } of frames) {
      expect(lower).toBeGreaterThan(0);
      expect(lower).toBeLessThanOrEqual(upper);
      expect(upper).toBeLessThanOrEqual(upperByIntervals);
      const isSure = upper <= delta && of.teacherClass !== null && of.teacherClass === of.studentClass;
      const isFound = lower > delta || classesDiffer;
      expect(verdict).toBe(isFound ? "unfaithful" : isSure ? "faithful" : "open");
    }
    expect(counts).toEqual({
      faithful: frames.filter(({ verdict }) => verdict === "faithful").length,
      unfaithful: frames.filter(({ verdict }) => verdict === "unfaithful").length,
      open: frames.filter(({ verdict }) => verdict === "open").length,
    });
    // The pair is nearly linear: what is proven is near what is found, and says something.
    expect(counts.faithful).toBeGreaterThan(4);
  });

  test("are a table for people, and pictures in the report", async () => {
    const report = pair.path("report.html");
    const text = await done(...args(pair, "--bounds", "3,40-41", "--epsilon", "0.2", "--report", report));
    expect(text).toMatch(
      /^Worst gap within epsilon 0\.2 \(parts of the frame's own standard deviation\) of 3 frames/m,
    );
    expect(text).toMatch(
      /^ +3 +0\.\d{4} +\S+ +(0\.\d{4}|none) +(0\.\d{4}|none) +.*(faithful|unfaithful|open)$/m,
    );
    const page = readFileSync(report, "utf8");
    for (const row of [3, 40, 41]) expect(page).toContain(`<h3>Around frame ${row}</h3>`);
    expect(page.match(/<figure><h3>Confidence towards the input found<\/h3>/g)).toHaveLength(3);
    expect(page.match(/<rect class="heat( over)?"/g)).toHaveLength(3 * 17 * 17);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("try what a search by gradients found elsewhere, and refuse what lies outside the ball", async () => {
    const frame = someFrames(FRESH, 2).slice(5 * SIDES, 6 * SIDES);
    const near = pair.put("near.npz", { rows: npy([1], Int32Array.of(5)), inputs: npy([1, SIDES], frame) });
    const asked = async (...more: string[]): Promise<number> =>
      JSON.parse(await done(...args(pair, "--bounds", "5,", "--json", ...more))).bounds.frames[0].asked;
    expect(await asked("--gradient-search", near)).toBe((await asked()) + 1);
    const far = frame.map((value) => value + 1);
    const off = pair.put("off.npz", { rows: npy([1], Int32Array.of(5)), inputs: npy([1, SIDES], far) });
    expect(await refused(...args(pair, "--bounds", "5,", "--gradient-search", off))).toMatch(
      /off\.npz: an input for row 5 has .* at \[0\], the ball reaches from .* search with the same --epsilon/,
    );
    const named = pair.put("named.npz", { rows: npy([1], Int32Array.of(5)) });
    expect(await refused(...args(pair, "--bounds", "--gradient-search", named))).toContain(
      'expected an array "inputs"',
    );
    const strange = pair.put("strange.npz", {
      rows: npy([1], Int32Array.of(99)),
      inputs: npy([1, SIDES], frame),
    });
    expect(await refused(...args(pair, "--bounds", "--gradient-search", strange))).toContain("rows[0] is 99");
  });

  test.each([
    [["--bounds", "0"], "--bounds: expected at least one frame"],
    [
      ["--bounds", "3,60"],
      '--bounds: expected how many frames, or rows from 0 to 59 as 3,17,40-49, found "60"',
    ],
    [["--bounds", "9-3,"], 'found "9-3"'],
    [
      ["--bounds", "--epsilon", "0"],
      '--epsilon: expected a number above 0 and at most 1, in parts of the frame\'s own standard deviation, found "0"',
    ],
    [["--bounds", "--epsilon", "1.5"], "at most 1"],
    [["--bounds", "--bounds-work", "-1"], "--bounds-work: expected thousand millions"],
    [["--epsilon", "0.1"], "evaluate: --epsilon goes with --bounds"],
    [["--gradient-search", "x.npz"], "evaluate: --gradient-search goes with --bounds"],
  ] as const)("refuse %j", async (more, message) => {
    expect(await refused(...args(pair, ...more))).toContain(message);
  });
});

test("a student that is its teacher's twin is certified faithful everywhere, which only both together show", async () => {
  const twins = await aCertifiedWorkshop();
  twins.put("test.npz", { frames: npy([FRESH, SIDES], someFrames(FRESH, 2)) });
  const { bounds } = JSON.parse(await done(...args(twins, "--bounds", "20", "--epsilon", "0.3", "--json")));
  for (const { lower, upper, upperApart } of (bounds as BoundsSummary).frames) {
    expect(lower).toBe(0);
    expect(upper).toBeLessThan(1e-5);
    expect(upperApart).toBeGreaterThan(0.05);
  }
});

test("a graph that cannot be followed is refused by its file and node, before any long work", async () => {
  const pair = await aPair((onnx, value) => onnx.node("Sigmoid", [value]));
  const message = await refused(...args(pair, "--bounds"));
  expect(message).toMatch(/student\.onnx: --bounds: node "Sigmoid_0" \(Sigmoid\): expected one of Add,/);
  expect(message).not.toContain("evaluating");
  await done(...args(pair));
});
