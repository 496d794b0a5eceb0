/** `thresholds/STATION.json`: which rule a station runs with, who set it and why. */

import { readFileSync } from "node:fs";
import Type, { type Static } from "typebox";
import { type Parsed, readDocument } from "../schema/document.ts";
import { SignatureSchema } from "../signing/dsse.ts";

const closed = { additionalProperties: false } as const;
const Rate = Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 });
const Score = Type.Number({ minimum: 0, maximum: 1 });

export const ThresholdsSchema = Type.Object(
  {
    schema: Type.Literal("sekisho.thresholds/1"),
    station: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" }),
    revision: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      description: "Counts up with every change.",
    }),
    envelope: Type.String({
      pattern: "^[0-9a-f]{64}$",
      description: "SHA-256 of the envelope.json it is for.",
    }),
    mode: Type.Enum(["shadow", "guarded"]),
    alpha: Rate,
    alphaClass: Rate,
    eta: Rate,
    lambda: Type.Union([Score, Type.Null()], {
      description: "Score threshold; null: everything is reviewed.",
    }),
    classes: Type.Array(Type.String(), {
      uniqueItems: true,
      description: "Classes that may pass; all others are reviewed.",
    }),
    classLambdas: Type.Record(Type.String(), Score, {
      default: {},
      description: "Stricter lambdas of single classes.",
    }),
    reviewDeadlineSeconds: Type.Integer({ minimum: 1, maximum: 31_536_000, default: 900 }),
    auditRate: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          "Share of the passed parts that is drawn for an audit; none where left out. An audit that nobody answers counts as bad, so give a rate that teacher and people keep up with.",
      }),
    ),
    auditDeadlineSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 31_536_000,
        description: "How long an audit may wait for its answers; a day where left out.",
      }),
    ),
    proposedBy: Type.String({ minLength: 1 }),
    approvedBy: Type.String({ minLength: 1 }),
    at: Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$" }),
    why: Type.String({ minLength: 1 }),
    rollbackOf: Type.Optional(
      Type.Integer({ minimum: 1, description: "The earlier revision whose content this is." }),
    ),
    certified: Type.Optional(
      Type.Boolean({
        description:
          "false: stricter than what was in force, at a point where the certificate proves no bound; none is published.",
      }),
    ),
    signatures: Type.Optional(
      Type.Array(SignatureSchema, {
        minItems: 1,
        maxItems: 16,
        description:
          "DSSE signatures (application/vnd.sekisho.thresholds+json) over the canonical JSON of all members but these and approvedBy.",
      }),
    ),
  },
  { ...closed, title: "Sekisho thresholds" },
);

/** How long an audit waits for its answers where the thresholds do not say. */
export const AUDIT_DEADLINE_SECONDS = 86_400;

export type Thresholds = Static<typeof ThresholdsSchema>;

/** Reads and checks a thresholds file. Whether evidence supports it is for the guard to say. */
export function readThresholds(file: string): Parsed<Thresholds> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const message = `cannot read the thresholds: ${(error as Error).message}`;
    return { ok: false, problems: [{ file, line: 1, column: 1, message }] };
  }
  return parseThresholds(text, file);
}

/** The same for a text that did not come from a file; `name` is what problems call it. */
export function parseThresholds(text: string, name: string): Parsed<Thresholds> {
  return readDocument(text, name, ThresholdsSchema);
}
