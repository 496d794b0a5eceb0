/** `bundle.json`: its schema, and the parsed form that the rest of the gateway sees. */

import Type, { type Static } from "typebox";
import type { FrameSpec } from "../core/frame.ts";
import type { Problem } from "../schema/document.ts";

const closed = { additionalProperties: false } as const;
const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const FileName = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$" });
const DigestedFile = Type.Object({ file: FileName, sha256: Sha256 }, closed);
const Sides = Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 8 });

const Model = {
  file: FileName,
  sha256: Sha256,
  input: Type.String({ minLength: 1 }),
  inputShape: Sides,
  logits: Type.String({ minLength: 1 }),
};

export const PreprocessingSchema = Type.Object(
  {
    resize: Type.Enum(["none", "fill"]),
    layout: Type.Enum(["CHW", "HWC", "flat"]),
    scale: Type.Number(),
    mean: Type.Array(Type.Number(), { minItems: 1 }),
    std: Type.Array(Type.Number({ exclusiveMinimum: 0 }), { minItems: 1 }),
  },
  closed,
);

export const ManifestSchema = Type.Object(
  {
    schema: Type.Literal("sekisho.bundle/1"),
    name: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" }),
    version: Type.String({ minLength: 1, maxLength: 64 }),
    classes: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 2, uniqueItems: true }),
    frame: Type.Object(
      {
        kind: Type.Enum(["image", "tensor"]),
        type: Type.Enum(["u8", "i16", "f32"]),
        shape: Sides,
      },
      { ...closed, description: "What a frame looks like; an image is u8 [height, width, channels]." },
    ),
    preprocessing: PreprocessingSchema,
    student: Type.Object(
      {
        ...Model,
        features: Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
        featureCount: Type.Integer({ minimum: 0 }),
        doubt: Type.Optional(
          Type.String({ minLength: 1, description: "Output of the student's own signs of being unsure." }),
        ),
        doubtCount: Type.Optional(Type.Integer({ minimum: 1 })),
      },
      closed,
    ),
    teacher: Type.Optional(Type.Object(Model, closed)),
    envelope: Type.Optional(DigestedFile),
    evidence: Type.Optional(DigestedFile),
    gallery: Type.Optional(DigestedFile),
    golden: Type.Array(
      Type.Object(
        {
          frame: Type.Object(
            { seed: Type.Optional(Type.Integer()), base64: Type.Optional(Type.String()) },
            { ...closed, minProperties: 1, maxProperties: 1 },
          ),
          logits: Type.Array(Type.Number(), { minItems: 2 }),
        },
        closed,
      ),
      { minItems: 1, description: "Frames whose logits the student must reproduce before it serves." },
    ),
    provenance: Type.Record(Type.String(), Type.String()),
    licences: Type.Array(
      Type.Object(
        { of: Type.String(), licence: Type.String(), source: Type.Optional(Type.String()) },
        closed,
      ),
    ),
  },
  { ...closed, title: "Sekisho bundle" },
);

export type Manifest = Static<typeof ManifestSchema>;

/** The frame spec of a manifest that `contradictions` found nothing in. */
export function frameSpecOf(frame: Manifest["frame"]): FrameSpec {
  const [height, width, channels] = frame.shape;
  return frame.kind === "image"
    ? { kind: "image", height: height!, width: width!, channels: channels as 1 | 3 }
    : { kind: "tensor", type: frame.type, shape: frame.shape };
}

/** What the schema cannot say: numbers in different places that must agree. */
export function contradictions(
  manifest: Manifest,
  locate: (path: readonly (string | number)[], message: string) => Problem,
): readonly Problem[] {
  const { frame, preprocessing, student, classes } = manifest;
  const problems: Problem[] = [];
  const numbers = frame.shape.reduce((a, b) => a * b, 1);
  const channels = frame.kind === "image" ? (frame.shape[2] ?? 0) : 1;
  if (
    frame.kind === "image" &&
    !(frame.type === "u8" && frame.shape.length === 3 && (channels === 1 || channels === 3))
  ) {
    problems.push(locate(["frame"], "frame: an image is u8 with shape [height, width, 1 or 3]"));
  }
  if (frame.kind === "tensor" && preprocessing.layout !== "flat") {
    problems.push(locate(["preprocessing", "layout"], 'preprocessing.layout: a tensor frame takes "flat"'));
  }
  for (const name of ["mean", "std"] as const) {
    const { length } = preprocessing[name];
    if (length !== 1 && length !== channels) {
      problems.push(
        locate(
          ["preprocessing", name],
          `preprocessing.${name}: expected 1 or ${channels} numbers, found ${length}`,
        ),
      );
    }
  }
  const expected = student.inputShape.reduce((a, b) => a * b, 1);
  if (numbers !== expected) {
    const message = `frame.shape holds ${numbers} numbers, the student's input [${student.inputShape}] ${expected}`;
    problems.push(locate(["frame", "shape"], message));
  }
  if ((student.features === null) !== (student.featureCount === 0)) {
    problems.push(locate(["student", "featureCount"], "student: features and featureCount go together"));
  }
  if ((student.doubt === undefined) !== (student.doubtCount === undefined)) {
    problems.push(locate(["student"], "student: doubt and doubtCount go together"));
  }
  for (const [i, golden] of manifest.golden.entries()) {
    if (golden.logits.length !== classes.length) {
      const message = `golden.${i}.logits: expected ${classes.length} numbers, one a class, found ${golden.logits.length}`;
      problems.push(locate(["golden", i, "logits"], message));
    }
  }
  return problems;
}
