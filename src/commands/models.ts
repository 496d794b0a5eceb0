/** The models of a bundle, as the engine's student code opens them. */

import type { Envelope } from "../bundle/envelope-file.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { type ModelSpec, onnxruntimeVersion } from "../engine/student.ts";

export function studentSpec({ student, classes }: Manifest): ModelSpec {
  return {
    input: student.input,
    logits: student.logits,
    features: student.features,
    classes: classes.length,
    featureCount: student.featureCount,
    doubt: student.doubt ?? null,
    doubtCount: student.doubtCount ?? 0,
    inputShape: student.inputShape,
  };
}

/** The teacher is asked for its logits only. */
export function teacherSpec({ student, teacher, classes }: Manifest): ModelSpec {
  return {
    input: teacher?.input ?? student.input,
    logits: teacher?.logits ?? student.logits,
    features: null,
    classes: classes.length,
    featureCount: 0,
    doubt: null,
    doubtCount: 0,
    inputShape: student.inputShape,
  };
}

/**
 * Why an envelope does not speak for what this program computes; undefined where it does. Golden frames allow for a
 * student's rounding, and another ONNX Runtime may stay within that and still score frames otherwise than those
 * that were counted: what was proven was proven of one version.
 */
export function runtimeProblem({ onnxruntime }: Envelope): string | undefined {
  if (onnxruntime === onnxruntimeVersion) return undefined;
  return (
    `envelope: was certified with ONNX Runtime ${onnxruntime}, this program runs ${onnxruntimeVersion}; ` +
    `record and certify again with this one, or go on with the program that has ${onnxruntime}`
  );
}
