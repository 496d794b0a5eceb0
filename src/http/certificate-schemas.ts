/** What a certificate says of each lambda that it has counted at, and what a replay says of one. */

import Type, { type Static } from "typebox";
import { closed, NAME } from "../schema/review-messages.ts";

const Count = Type.Integer({ minimum: 0 });
const Rate = Type.Number({ minimum: 0, maximum: 1 });
const Lambda = Type.Number();
const LambdaOrNull = Type.Union([Lambda, Type.Null()], { description: "null: everything is reviewed." });
const Names = Type.Array(Type.String());
const ClassLambdas = Type.Record(Type.String(), Lambda, {
  description: "Of classes that pass only up to a stricter one.",
});

const ShortfallSchema = Type.Object(
  {
    class: Type.Union([Type.String(), Type.Null()], { description: "null: the station's bound." }),
    n: Count,
    k: Count,
    upperBound: Rate,
    limit: Type.Number({ description: "The alpha or alphaClass that it is above." }),
    cleanPartsNeeded: Type.Integer({
      minimum: 0,
      description: "More parts, all faithful, that would prove it.",
    }),
  },
  closed,
);

const RuleSchema = Type.Object(
  {
    lambda: Lambda,
    set: Type.Array(Type.String(), { description: "Classes that pass: a proposal's `classes`." }),
    classLambdas: ClassLambdas,
    station: Type.Object(
      { n: Count, k: Count, upperBound: Rate, method: Type.Enum(["walk", "table", "classes"]) },
      { ...closed, description: "Parts of cal that pass, those of them that are unfaithful, and the bound." },
    ),
    classes: Type.Array(
      Type.Object({ class: Type.String(), lambda: Lambda, n: Count, k: Count, upperBound: Rate }, closed),
    ),
    expectedPassRate: Rate,
    allowed: Type.Boolean({
      description:
        "Whether the guard takes it. Looser than what is in force, it needs a second person as well.",
    }),
    why: Type.Optional(Type.Array(Type.String(), { description: "Why not, in the guard's words." })),
    shortfalls: Type.Optional(Type.Array(ShortfallSchema)),
  },
  closed,
);

export const CertificateSchema = Type.Object(
  {
    station: NAME,
    revision: Type.Integer({ minimum: 0 }),
    mode: Type.Enum(["shadow", "guarded"]),
    lambda: LambdaOrNull,
    classes: Names,
    classLambdas: ClassLambdas,
    certified: Type.Boolean(),
    upperBound: Type.Union([Rate, Type.Null()], {
      description: "Of the station, in force; null where nothing is proven, or nothing passes.",
    }),
    expectedPassRate: Type.Union([Rate, Type.Null()], {
      description: "null where what is in force is no rule of the curve.",
    }),
    alpha: Type.Number(),
    alphaClass: Type.Number(),
    eta: Type.Number(),
    delta: Type.Number(),
    envelope: Type.String({ description: "SHA-256 of the envelope; a proposal names it." }),
    allClasses: Names,
    rules: Type.Array(RuleSchema, { description: "Strictest first: the certificate's coarse grid." }),
    live: Type.Optional(
      Type.Object(
        {
          parts: Count,
          audited: Count,
          bad: Count,
          risk: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
          upperBound: Rate,
        },
        { ...closed, description: "What audits of the thresholds in force say: is what passes faithful?" },
      ),
    ),
  },
  closed,
);

export type CertificateView = Static<typeof CertificateSchema>;

export const ReplayBodySchema = Type.Object(
  {
    hours: Type.Integer({ minimum: 1, maximum: 168 }),
    lambdaScale: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1e6 })),
    lambda: Type.Optional(
      Type.Number({ description: "In place of a scale; the next stricter point of the grid is taken." }),
    ),
    classes: Type.Optional(Type.Array(Type.String(), { maxItems: 10_000 })),
    classLambdas: Type.Optional(Type.Record(Type.String(), Lambda)),
  },
  closed,
);
export type ReplayBody = Static<typeof ReplayBodySchema>;

const Both = { now: Count, would: Count };
const RateOrNull = Type.Union([Rate, Type.Null()]);
const Rates = { decided: Count, ...Both, rateNow: RateOrNull, rateWould: RateOrNull };
const Said = Type.Object(
  {
    revision: Type.Integer(),
    mode: Type.Enum(["shadow", "guarded"]),
    lambda: LambdaOrNull,
    classes: Names,
    classLambdas: ClassLambdas,
  },
  closed,
);
const Workload = Type.Object({ perHour: Type.Number(), largestHour: Count, hoursOverBudget: Count }, closed);
const Known = Type.Object(
  { found: Count, passedNow: Count, wouldPass: Count, caught: Count, missed: Count },
  closed,
);
const TimeOrNull = Type.Union([Type.String(), Type.Null()]);

/** As `sekisho replay --json` prints it. */
export const ReplaySchema = Type.Object(
  {
    station: NAME,
    inForce: Said,
    proposal: Said,
    isInForce: Type.Boolean(),
    from: TimeOrNull,
    to: TimeOrNull,
    decided: Type.Object(Rates, {
      ...closed,
      description: "`now` and `would` count those that go to a person.",
    }),
    inShadow: Count,
    moved: Type.Object({ passToReview: Count, reviewToPass: Count, otherReason: Count }, closed),
    classes: Type.Array(Type.Object({ class: Type.String(), ...Rates }, closed)),
    reasons: Type.Array(Type.Object({ reason: Type.String(), ...Both }, closed)),
    reviewsPerHour: Type.Object({ budget: Type.Number(), now: Workload, would: Workload }, closed),
    known: Type.Object({ wrong: Known, right: Known, unfaithful: Known }, closed),
    certificate: Type.Object(
      {
        supported: Type.Boolean(),
        reasons: Names,
        stationBound: RateOrNull,
        classBounds: Type.Record(Type.String(), Rate),
      },
      closed,
    ),
    leftOut: Type.Object({ rejects: Count, otherBundle: Count, incomplete: Count }, closed),
    agreement: Type.Object({ rows: Count, differing: Count, examples: Type.Array(Count) }, closed),
  },
  closed,
);
export type ReplayView = Static<typeof ReplaySchema>;
