/** The schemas of what the API says of audits. */

import Type, { type Static } from "typebox";
import { NAME, TIME } from "../schema/review-messages.ts";

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const Rate = Type.Number({ minimum: 0, maximum: 1 });

const QuestionSchema = Type.Object(
  {
    question: Type.Enum(["teacher", "person"], {
      description: "teacher: is it faithful? person: is it right? Never mixed.",
    }),
    parts: Type.Integer({ minimum: 0, description: "Passed parts that are counted, drawn or not." }),
    drawn: Count,
    good: Count,
    bad: Count,
    unanswered: Type.Integer({ minimum: 0, description: "Past their deadline without an answer." }),
    unansweredCountsAs: Type.Literal("bad"),
    waiting: Type.Integer({ minimum: 0, description: "Drawn, and not settled yet." }),
    estimate: Type.Union([
      Type.Object(
        {
          risk: Type.Number({
            minimum: 0,
            description: "Horvitz-Thompson; unbiased, and so it may well exceed 1.",
          }),
          standardError: Type.Number({
            minimum: 0,
            description: "Of the draw of audits alone, these parts held fixed. No bound.",
          }),
        },
        closed,
      ),
      Type.Null(),
    ]),
    upperBound: Type.Number({
      minimum: 0,
      maximum: 1,
      description: "Above the risk at every look together, with probability at least 1 - eta.",
    }),
    method: Type.Enum(["beta-binomial", "betting"], {
      description:
        "beta-binomial while all parts had one probability; betting from the first that had another.",
    }),
    eta: Rate,
    evidence: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
      description: "Of the risk test, that more than alpha is bad; null where nothing is promised.",
    }),
  },
  closed,
);

export const StationAuditsSchema = Type.Object(
  {
    station: NAME,
    revision: Type.Integer({ minimum: 1 }),
    alpha: Rate,
    auditRate: Rate,
    questions: Type.Array(QuestionSchema),
    wrong: Type.Union([
      Type.Object(
        {
          known: Type.Literal(true),
          upperBound: Rate,
          unfaithful: Rate,
          copied: Type.Number({
            minimum: 0,
            maximum: 1,
            description: "Bound on parts where the teacher is wrong and copied, from labelled evidence.",
          }),
          eta: Rate,
        },
        closed,
      ),
      Type.Object({ known: Type.Literal(false), words: Type.String() }, closed),
    ]),
  },
  { ...closed, title: "StationAudits" },
);

const Standing = Type.Enum(["waiting", "answered", "unanswered"]);

export const AuditsSchema = Type.Object(
  {
    audits: Type.Array(
      Type.Object(
        {
          id: Type.String({ description: "That of its review, too." }),
          station: NAME,
          source: Type.String(),
          frame: Type.String(),
          part: Type.Union([Type.String(), Type.Null()]),
          revision: Type.Integer({ minimum: 1 }),
          bundle: Type.String(),
          pi: Type.Number({ description: "The probability with which it was drawn." }),
          drawnAt: TIME,
          deadline: TIME,
          teacher: Standing,
          person: Standing,
          unfaithful: Type.Union([Type.Boolean(), Type.Null()], {
            description: "Null while it is not answered, and until the person's question is settled.",
          }),
          wrong: Type.Union([Type.Boolean(), Type.Null()]),
        },
        closed,
      ),
    ),
    next: Type.Optional(Type.String({ description: "To be given as `before` for the next page." })),
  },
  { ...closed, title: "Audits" },
);

export const AuditsQuerySchema = Type.Object(
  {
    station: Type.Optional(NAME),
    before: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
  },
  closed,
);

export type StationAuditsView = Static<typeof StationAuditsSchema>;
export type AuditsView = Static<typeof AuditsSchema>;
export type AuditsQuery = Static<typeof AuditsQuerySchema>;
