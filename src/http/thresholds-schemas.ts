/** What the API says of a station's thresholds: what is in force, what waits for a second person, and the log. */

import Type, { type Static } from "typebox";
import { closed, NAME, TIME } from "../schema/review-messages.ts";

const Document = Type.Object(
  {},
  { additionalProperties: true, description: "As in schemas/thresholds.schema.json." },
);

const LogEntrySchema = Type.Object(
  {
    seq: Type.Integer({ minimum: 1, description: "Of the act in the ledger; newer is larger." }),
    kind: Type.Enum(["revision", "refused", "promoted"]),
    revision: Type.Union([Type.Integer(), Type.Null()]),
    at: TIME,
    via: Type.Optional(Type.String({ description: "By which way it came: file, command, api or mqtt." })),
    persons: Type.Optional(Type.Array(Type.String())),
    certified: Type.Optional(Type.Boolean()),
    loosens: Type.Optional(Type.Array(Type.String())),
    reasons: Type.Optional(Type.Array(Type.String(), { description: "Why it was refused." })),
    document: Type.Optional(Document),
  },
  closed,
);

export const ThresholdsStandingSchema = Type.Object(
  {
    station: NAME,
    envelope: Type.String({
      description: "SHA-256 of the envelope.json that the next revision must be for.",
    }),
    revision: Type.Integer({ minimum: 0, description: "In force; 0 where none may judge." }),
    nextRevision: Type.Integer({ minimum: 1 }),
    base: Type.Union([Document, Type.Null()], {
      description: "What a change starts from: the revision accepted last. Null where there is none.",
    }),
    pending: Type.Union([Document, Type.Null()], { description: "What waits for its second person." }),
    signers: Type.Union([Type.Array(Type.String()), Type.Null()], {
      description:
        "Persons whose keys are trusted, and one or two of whom must sign. Null: no keys are trusted, and names are taken at their word.",
    }),
    log: Type.Array(LogEntrySchema),
    next: Type.Optional(Type.Integer({ description: "The log goes on: give it as `before`." })),
  },
  { ...closed, title: "ThresholdsStanding" },
);

export const ThresholdsLogQuerySchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: "Of the log." }),
    before: Type.Optional(
      Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "The `next` of before." }),
    ),
  },
  closed,
);

export type ThresholdsStanding = Static<typeof ThresholdsStandingSchema>;
export type ThresholdsLogQuery = Static<typeof ThresholdsLogQuerySchema>;
