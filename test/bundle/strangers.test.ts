/** Strangers: frames of another kind altogether, shown to the apparel bundle. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readBundle } from "../../src/bundle/bundle.ts";
import { readFrames } from "../../src/bundle/frames.ts";
import { frameSpecOf } from "../../src/bundle/manifest.ts";
import { studentSpec } from "../../src/commands/models.ts";
import { createAssessor } from "../../src/core/envelope/assess.ts";
import { classLambdas } from "../../src/core/envelope/lookup.ts";
import { judge, type Rule } from "../../src/core/judge.ts";
import { createPreprocessor } from "../../src/engine/preprocess.ts";
import { openStudent } from "../../src/engine/student.ts";

const root = join(import.meta.dirname, "../..");
const BATCH = 100;

async function judged(npz: string): Promise<{ novelty: number[]; passed: number }> {
  const read = readBundle(join(root, "models/apparel"), ["envelope"]);
  if (!read.ok) throw new Error(read.problems.map(({ message }) => message).join("; "));
  const { manifest, studentBytes, envelope } = read.bundle;
  const { fitted, certificate } = envelope!;
  const { chosen, coarse } = certificate;
  const rule: Rule = {
    mode: "guarded",
    revision: 1,
    delta: fitted.delta,
    lambda: classLambdas(certificate, chosen!.chain, coarse.indexOf(chosen!.lambdaIndex)),
    lambdaAmber: new Float64Array(fitted.classes.length),
    noveltyMax: Float64Array.from(fitted.noveltyMax),
    stopped: false,
  };
  const frames = await readFrames(join(root, npz), frameSpecOf(manifest.frame), manifest.classes);
  const preprocessor = createPreprocessor(frameSpecOf(manifest.frame), manifest.preprocessing);
  const student = await openStudent(studentBytes, studentSpec(manifest));
  const assessor = createAssessor(fitted);
  const tensor = new Float32Array(BATCH * preprocessor.length);
  const novelty: number[] = [];
  let passed = 0;
  for (let start = 0; start < frames.count; start += BATCH) {
    const count = Math.min(BATCH, frames.count - start);
    for (let i = 0; i < count; i++) preprocessor.write(frames.values(start + i), tensor, i);
    const outputs = await student.run(tensor, count);
    for (let i = 0; i < count; i++) {
      const prediction = assessor.assess(outputs, i);
      novelty.push(prediction.novelty);
      if (judge(prediction, rule, "green").kind === "pass") passed++;
    }
  }
  await student.release();
  return { novelty, passed };
}

/** The area under the ROC curve: how often a stranger is newer than a garment; half for ties. */
function areaUnderRoc(garments: readonly number[], strangers: readonly number[]): number {
  let wins = 0;
  for (const stranger of strangers) {
    for (const garment of garments) wins += stranger > garment ? 1 : stranger === garment ? 0.5 : 0;
  }
  return wins / (garments.length * strangers.length);
}

describe("digits shown to the apparel bundle", () => {
  test("pass in at most 2% of cases, while most garments do, and are newer than these", async ({
    annotate,
  }) => {
    const digits = await judged("test/data/digits.npz");
    const garments = await judged("models/apparel/frames/demo.npz");
    const area = areaUnderRoc(garments.novelty, digits.novelty);
    annotate(
      `${digits.passed} of ${digits.novelty.length} digits pass, ${garments.passed} of ${garments.novelty.length} garments; ` +
        `area under the ROC curve of the novelty ratio ${area.toFixed(4)}`,
    );
    expect(digits.passed / digits.novelty.length).toBeLessThanOrEqual(0.02);
    expect(garments.passed / garments.novelty.length).toBeGreaterThan(0.5);
    expect(area).toBeGreaterThan(0.97);
  });
});
