/** What evidence was recorded with: the schema of the description that `evidence.sqlite` holds of itself. */

import Type, { type Static } from "typebox";
import { PreprocessingSchema } from "./manifest.ts";

const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });

export const EvidenceDescriptionSchema = Type.Object(
  {
    schema: Type.Literal("sekisho.evidence/1"),
    classes: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 2, uniqueItems: true }),
    studentSha256: Sha256,
    teacherSha256: Type.String({
      pattern: "^[0-9a-f]{64}$",
      description: "Of teacher.onnx, or of the file of teacher outputs made elsewhere.",
    }),
    framesSha256: Sha256,
    preprocessing: PreprocessingSchema,
    onnxruntime: Type.String({ minLength: 1, description: "Version of ONNX Runtime that ran the student." }),
    featureCount: Type.Integer({ minimum: 0 }),
    doubtCount: Type.Integer({ minimum: 0 }),
    neighbourhood: Type.Unsafe<object>({
      type: "object",
      description: "Recipe, number and seed of the perturbed copies; kind frame-only where there were none.",
    }),
    splitSeed: Type.Integer({ minimum: 0 }),
    frames: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false, title: "Sekisho evidence description" },
);

/** Evidence of one description is never mixed with that of another. */
export type EvidenceDescription = Static<typeof EvidenceDescriptionSchema>;
