/** The models of a bundle, as the engine's student code opens them. */

import type { Manifest } from "../bundle/manifest.ts";
import type { ModelSpec } from "../engine/student.ts";

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
