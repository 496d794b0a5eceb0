/** `envelope.json`: its schema; reading it back whole or not at all; writing it so that a person can read it. */

import Type from "typebox";
import type { DriftReference } from "../core/envelope/reference.ts";
import type { TeacherReliability } from "../core/envelope/teacher-reliability.ts";
import type { Certificate, FittedEnvelope } from "../core/envelope/types.ts";
import { COORDINATES_MAX } from "../core/extent.ts";
import type { Preprocessing } from "../core/frame.ts";
import type { ReferenceLadder } from "../core/statistics/exceedance.ts";
import { type Problem, readDocument } from "../schema/document.ts";
import { formatJson } from "../schema/format-json.ts";
import { fromJson, toJson } from "./envelope-codec.ts";
import { PreprocessingSchema } from "./manifest.ts";
import { ReliabilitySchema, reliabilityLengths } from "./reliability-schema.ts";

/** An envelope, with what it was made for and what it promises. */
export interface Envelope {
  readonly schema: "sekisho.envelope/1";
  readonly student: { readonly sha256: string };
  readonly onnxruntime: string;
  readonly preprocessing: Preprocessing;
  readonly evidence: { readonly sha256: string };
  /** Recipe, number and seed of the perturbed copies over which U was found. */
  readonly neighbourhood: object;
  readonly fitted: FittedEnvelope;
  readonly certificate: Certificate;
  /** How far the teacher itself can be trusted; absent where cal has no labels. */
  readonly teacherReliability?: TeacherReliability;
  /** By which the monitor knows drift; absent where ref has too few parts. */
  readonly reference?: DriftReference;
}

export type ReadEnvelope =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const Index = Type.Integer({ minimum: -1 });
const Rate = Type.Number({ minimum: 0, maximum: 1 });
const Numbers = Type.Array(Type.Number());
/** Numbers among which null stands for NaN. */
const NumbersOrNull = Type.Array(Type.Unsafe<number | null>({ type: ["number", "null"] }));
const Floats = Type.String({
  pattern: "^f32:[A-Za-z0-9+/]*={0,2}$",
  description: "float32, little-endian, in base64",
});
const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Digest = Type.Object({ sha256: Sha256 }, closed);
const Cells = Type.Array(Type.Array(Type.Object({ n: Count, k: Count, upperBound: Rate }, closed)));

const Projection = Type.Object(
  {
    kind: Type.Enum(["pca", "centred-log-p"]),
    outputs: Count,
    inputs: Type.Optional(Count),
    mean: Type.Optional(Floats),
    components: Type.Optional(Floats),
    floor: Type.Optional(Type.Number()),
  },
  closed,
);

const Prototypes = Type.Object(
  {
    neighbours: Count,
    classStart: Type.Array(Count),
    points: Floats,
    gaps: Floats,
    classGap: NumbersOrNull,
    shrinkage: Type.Number(),
    medianDistance: NumbersOrNull,
  },
  closed,
);

const Score = Type.Object(
  {
    inputs: Type.Array(Type.String()),
    mean: Numbers,
    scale: Numbers,
    weights: Numbers,
    intercept: Type.Number(),
    classIntercept: Numbers,
  },
  closed,
);

const Fitted = Type.Object(
  {
    classes: Type.Array(Type.String(), { minItems: 2 }),
    temperature: Type.Number({ exclusiveMinimum: 0 }),
    delta: Rate,
    seed: Type.Integer(),
    projection: Projection,
    prototypes: Prototypes,
    score: Score,
    bands: Type.Array(
      Type.Object(
        {
          from: Numbers,
          teacher: Numbers,
          halfWidth: Type.Number({ minimum: 0 }),
        },
        closed,
      ),
    ),
    noveltyMax: NumbersOrNull,
  },
  closed,
);

const Tested = Type.Object({ lambdaIndex: Count, n: Count, k: Count, p: Rate }, closed);
const orNull = (schema: object) => Type.Unsafe<unknown>({ anyOf: [schema, { type: "null" }] });
const WalkSchema = Type.Object({ certifiedTo: Index, eta: Rate, last: orNull(Tested) }, closed);
const Chosen = Type.Object(
  { chain: Count, lambdaIndex: Count, lambda: Rate, expectedPassRate: Rate },
  closed,
);

const CertificateSchema = Type.Object(
  {
    lambdas: Numbers,
    coarse: Type.Array(Count),
    limits: Type.Array(Type.Array(Index)),
    start: Type.Array(Count),
    expectedPassRate: Type.Array(Type.Array(Rate)),
    revision: Type.Integer({ minimum: 1 }),
    eta: Rate,
    etaTarget: Rate,
    alpha: Rate,
    alphaClass: Rate,
    walk: Type.Array(WalkSchema),
    classStart: Type.Array(Count),
    classWalk: Type.Array(WalkSchema),
    stationCells: Cells,
    stationCellEta: Rate,
    classCells: Cells,
    classCellEta: Rate,
    chosen: orNull(Chosen),
    parts: Type.Object({ fit: Count, cal: Count, ref: Count }, closed),
    framesPerPartMax: Count,
  },
  closed,
);

const Ladder = Type.Object(
  {
    parts: Type.Integer({ minimum: 1 }),
    steps: Type.Array(Type.Object({ above: Count, score: Type.Number() }, closed), { minItems: 1 }),
  },
  closed,
);
const PlaceSchema = Type.Object(
  { highest: Type.Array(Ladder, { minItems: 1 }), lowest: Type.Array(Ladder, { minItems: 1 }) },
  { ...closed, description: "of each watched coordinate of the projection; its lowest negated" },
);
const ReferenceSchema = Type.Object(
  { score: Ladder, novelty: Ladder, place: Type.Optional(PlaceSchema) },
  closed,
);

export const EnvelopeSchema = Type.Object(
  {
    schema: Type.Literal("sekisho.envelope/1"),
    student: Digest,
    onnxruntime: Type.String(),
    preprocessing: PreprocessingSchema,
    evidence: Digest,
    neighbourhood: Type.Object({}, { additionalProperties: true }),
    certificate: CertificateSchema,
    teacherReliability: Type.Optional(ReliabilitySchema),
    reference: Type.Optional(ReferenceSchema),
    fitted: Fitted,
  },
  { ...closed, title: "Sekisho envelope" },
);

/** Reads an envelope from its text; `file` is named in problems. */
export function readEnvelope(text: string, file: string): ReadEnvelope {
  const parsed = readDocument(text, file, EnvelopeSchema);
  if (!parsed.ok) return parsed;
  const envelope = fromJson(parsed.value) as Envelope;
  const problems = [...contradictions(envelope), ...ladderProblems(envelope)].map((message) =>
    parsed.locate([], message),
  );
  return problems.length > 0 ? { ok: false, problems } : { ok: true, envelope };
}

/** The text of `envelope.json`: what a person looks for first comes first. */
export function writeEnvelope(envelope: Envelope): string {
  const { schema, student, onnxruntime, evidence, preprocessing, neighbourhood } = envelope;
  const { certificate, teacherReliability, reference, fitted } = envelope;
  const bound = { schema, student, onnxruntime, evidence, preprocessing, neighbourhood };
  return formatJson(toJson({ ...bound, certificate, teacherReliability, reference, fitted }));
}

/** Thresholds must rise and the counts above them fall, or the test would bet on nonsense. */
function ladderProblems({ reference, fitted }: Envelope): string[] {
  if (reference === undefined) return [];
  const { score, novelty, place } = reference;
  const named: readonly (readonly [string, ReferenceLadder])[] = [
    ["score", score],
    ["novelty", novelty],
    ...(place?.highest ?? []).map((ladder, i) => [`place.highest.${i}`, ladder] as const),
    ...(place?.lowest ?? []).map((ladder, i) => [`place.lowest.${i}`, ladder] as const),
  ];
  const coordinates = place?.highest.length ?? 0;
  const coordinatesMax = Math.min(COORDINATES_MAX, fitted.projection.outputs);
  const isPaired = (place?.lowest.length ?? 0) === coordinates && coordinates <= coordinatesMax;
  const unpaired = isPaired
    ? []
    : [
        `reference.place: expected both ends of up to ${coordinatesMax} coordinates, found ${coordinates} and ${place?.lowest.length}; certify again`,
      ];
  const broken = named.flatMap(([stream, { parts, steps }]) => {
    const isLadder = steps.every(({ above, score }, i) => {
      const before = steps[i - 1];
      return above < (before?.above ?? parts) && score >= (before?.score ?? Number.NEGATIVE_INFINITY);
    });
    return isLadder
      ? []
      : [`reference.${stream}: expected scores that rise and counts that fall; certify again`];
  });
  return [...unpaired, ...broken];
}

/** Lengths that the schema cannot compare. */
function contradictions({ fitted, certificate, teacherReliability }: Envelope): string[] {
  const k = fitted.classes.length;
  const { projection, prototypes, score, bands, noveltyMax } = fitted;
  const rows = prototypes.classStart.at(-1) ?? 0;
  const lengths: readonly (readonly [string, number, number])[] = [
    ["fitted.prototypes.classStart", prototypes.classStart.length, k + 1],
    ["fitted.prototypes.points", prototypes.points.length, rows * projection.outputs],
    ["fitted.prototypes.gaps", prototypes.gaps.length, rows],
    ["fitted.prototypes.classGap", prototypes.classGap.length, k],
    ["fitted.prototypes.medianDistance", prototypes.medianDistance.length, k],
    ["fitted.score.mean", score.mean.length, score.inputs.length],
    ["fitted.score.scale", score.scale.length, score.inputs.length],
    ["fitted.score.weights", score.weights.length, score.inputs.length],
    ["fitted.score.classIntercept", score.classIntercept.length, k],
    ["fitted.bands", bands.length, k],
    ["fitted.noveltyMax", noveltyMax.length, k],
    ["certificate.classCells", certificate.classCells.length, k],
    ["certificate.classStart", certificate.classStart.length, k],
    ["certificate.classWalk", certificate.classWalk.length, k],
    ["certificate.stationCells", certificate.stationCells.length, certificate.walk.length],
    ["certificate.start", certificate.start.length, certificate.walk.length],
    ["certificate.limits", certificate.limits.length, certificate.walk.length],
    ...certificate.limits.map((row, i) => [`certificate.limits.${i}`, row.length, k] as const),
    ...(projection.kind === "pca"
      ? ([
          ["fitted.projection.mean", projection.mean?.length ?? 0, projection.inputs],
          [
            "fitted.projection.components",
            projection.components?.length ?? 0,
            projection.inputs * projection.outputs,
          ],
        ] as const)
      : []),
    ...[...certificate.stationCells, ...certificate.classCells].map(
      (row, i) => [`certificate cells, row ${i}`, row.length, certificate.coarse.length] as const,
    ),
  ];
  const labels = teacherReliability;
  const problems = [...lengths, ...(labels === undefined ? [] : reliabilityLengths(labels, certificate, k))]
    .filter(([, found, expected]) => found !== expected)
    .map(([name, found, expected]) => `${name}: expected ${expected} entries, found ${found}; certify again`);
  const isRising = prototypes.classStart.every((start, i, all) => i === 0 || start >= all[i - 1]!);
  if (!isRising)
    problems.push("fitted.prototypes.classStart: expected numbers that never fall; certify again");
  return problems;
}
