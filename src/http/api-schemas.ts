/** What goes in and out of the HTTP API; the OpenAPI file is made of these, and requests are checked by them. */

import Type, { type Static } from "typebox";
import { BAND, MODE, OF_DECISION, OF_STATUS } from "../schema/gateway-messages.ts";
import { closed, NAME, NUMBER, REVISION, STATE, TIME, VERDICT } from "../schema/review-messages.ts";
import { ROLES } from "./auth/users-file.ts";
import { ReviewersSchema } from "./reviewers-schema.ts";

export const PAGE_MAX = 500;
const PAGE = 50;

const ID = Type.String({
  pattern: "^[A-Za-z0-9_-]{1,128}$",
  description: "Id of the review; never given twice.",
});
const OF_TEXT = Type.String({ minLength: 1, maxLength: 256 });
const CLASS_OR_NULL = Type.Union([Type.String(), Type.Null()], {
  description: "The student's; null while an audit waits, as is all else that the student said.",
});

export const ErrorSchema = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String({ description: "For programs; see docs/api.md." }),
        message: Type.String({ description: "For people." }),
      },
      closed,
    ),
  },
  closed,
);

export const LoginSchema = Type.Object(
  {
    user: Type.String({ minLength: 1, maxLength: 64 }),
    password: Type.String({ minLength: 1, maxLength: 1024 }),
  },
  closed,
);

export const SessionSchema = Type.Object(
  {
    name: NAME,
    role: Type.Enum(ROLES),
    by: Type.Enum(["password", "token"]),
    expires: Type.Optional(TIME),
    csrf: Type.Optional(
      Type.String({
        description:
          "Of a session: to be sent as the header X-Sekisho-Csrf with everything that changes something. A token has none, and needs none.",
      }),
    ),
  },
  closed,
);

export const SetupStateSchema = Type.Object(
  {
    needed: Type.Boolean({ description: "Nobody may use the gateway yet." }),
    open: Type.Boolean({ description: "The link that the daemon printed at its start is still good." }),
  },
  closed,
);

export const SetupSchema = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: 128, description: "Of the link." }),
    user: NAME,
    password: Type.String({ minLength: 1, maxLength: 1024 }),
  },
  closed,
);

/** A body that says no more than that it is JSON. */
export const NothingSchema = Type.Object({}, closed);

export const OkSchema = Type.Object({ ok: Type.Literal(true) }, closed);

const FrameSpecSchema = Type.Object(
  {
    kind: Type.Enum(["image", "tensor"]),
    type: Type.Enum(["u8", "i16", "f32"], { description: "Of raw tensors; little-endian." }),
    shape: Type.Array(Type.Integer({ minimum: 1 }), {
      description: "An image is [height, width, channels], its channels interleaved.",
    }),
  },
  closed,
);

export const StationSchema = Type.Object(
  {
    ...OF_STATUS,
    reviewers: Type.Optional(ReviewersSchema),
    bundle: Type.String(),
    bundleVersion: Type.String(),
    classes: Type.Array(Type.String()),
    frame: FrameSpecSchema,
  },
  closed,
);

export const StationsSchema = Type.Object({ stations: Type.Array(StationSchema) }, closed);

export const StationParamsSchema = Type.Object({ station: NAME }, closed);

/** Read by the desk, which says of each member what is wrong with it. */
export const ThresholdsBodySchema = Type.Object(
  {},
  { additionalProperties: true, description: "A document as in schemas/thresholds.schema.json." },
);
export const ThresholdsAnswerSchema = Type.Object(
  {
    outcome: Type.Enum(["accepted", "needs-second-person", "refused", "failed"]),
    station: Type.String(),
    revision: Type.Optional(Type.Integer()),
    certified: Type.Optional(Type.Boolean()),
    reasons: Type.Array(Type.String()),
  },
  closed,
);
export type ThresholdsAnswer = Static<typeof ThresholdsAnswerSchema>;

export const ReviewParamsSchema = Type.Object({ id: ID }, closed);

export const ReviewsQuerySchema = Type.Object(
  {
    station: Type.Optional(NAME),
    source: Type.Optional(OF_TEXT),
    reason: Type.Optional(OF_TEXT),
    state: Type.Optional(
      Type.String({
        pattern: "^(held|open|claimed|resolved|expired)(,(held|open|claimed|resolved|expired)){0,4}$",
        description: "One or more, with commas; those that wait for a person where left out.",
      }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE }),
    after: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, description: "The `next` of the page before." }),
    ),
  },
  closed,
);

export const ReviewSchema = Type.Object(
  {
    review: ID,
    reviewRevision: REVISION,
    station: NAME,
    source: Type.String(),
    frame: Type.String(),
    part: Type.Optional(Type.String()),
    reason: Type.String({ description: "Why it is for a person to decide." }),
    state: STATE,
    overdue: Type.Boolean({ description: "The deadline has passed; an answer is still taken." }),
    lead: Type.Optional(Type.String({ description: "The review whose alert announces this one as well." })),
    text: Type.String({ description: "What a person reads, in the plant's language." }),
    openedAt: TIME,
    deadline: TIME,
    priority: Type.Number({ minimum: 0, description: "Higher is first." }),
    count: Type.Integer({ minimum: 1, description: "Reviews that its alert stands for, itself included." }),
    class: CLASS_OR_NULL,
    classIndex: NUMBER,
    confidence: NUMBER,
    score: NUMBER,
    lambda: NUMBER,
    band: BAND,
    mode: MODE,
    revision: Type.Integer({ minimum: 1, description: "Of the thresholds." }),
    at: TIME,
    hasFrame: Type.Boolean({ description: "Whether its frame is still kept." }),
    claimedBy: Type.Optional(Type.String()),
    claimedUntil: Type.Optional(TIME),
    verdict: Type.Optional(VERDICT),
    verdictClass: Type.Optional(Type.String({ description: "What the frame shows, by the verdict." })),
    reviewer: Type.Optional(Type.String()),
    vouched: Type.Optional(Type.Boolean()),
    closedAt: Type.Optional(TIME),
  },
  closed,
);

export const ReviewsSchema = Type.Object(
  {
    reviews: Type.Array(ReviewSchema),
    next: Type.Optional(Type.String({ description: "There are more: give it as `after`." })),
  },
  closed,
);

export const FrameDescriptionSchema = Type.Object(
  {
    contentType: Type.String(),
    bytes: Type.Integer({ minimum: 0 }),
    frame: Type.Union([FrameSpecSchema, Type.Null()], {
      description: "By the bundle in force at the station; null where there is no such station any more.",
    }),
  },
  closed,
);

/** Of a claim, and of its release. */
export const ActSchema = Type.Object(
  { reviewRevision: Type.Integer({ minimum: 1, description: "The revision that was looked at." }) },
  closed,
);

export const VerdictBodySchema = Type.Object(
  {
    reviewRevision: Type.Integer({ minimum: 1, description: "The revision that was looked at." }),
    verdict: VERDICT,
    class: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: "Needed with correct and label." }),
    ),
    transaction: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: "Kept with the verdict; comes back." }),
    ),
  },
  closed,
);

export const ActReplySchema = Type.Object(
  {
    review: ID,
    reviewRevision: REVISION,
    state: STATE,
    transaction: Type.Optional(Type.String()),
  },
  closed,
);

const MOMENT = Type.String({
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,3})?)?Z$",
  description: "RFC 3339, UTC; seconds may be left out.",
});

const DecisionsFilter = {
  from: Type.Optional(MOMENT),
  to: Type.Optional(MOMENT),
  station: Type.Optional(NAME),
  source: Type.Optional(OF_TEXT),
  class: Type.Optional(OF_TEXT),
  reason: Type.Optional(OF_TEXT),
  part: Type.Optional(OF_TEXT),
  decision: Type.Optional(Type.Enum(["pass", "review", "reject", "held"])),
};

export const DecisionsQuerySchema = Type.Object(
  {
    ...DecisionsFilter,
    limit: Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: PAGE }),
    before: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "The `next` of the page before.",
      }),
    ),
  },
  closed,
);

export const ExportQuerySchema = Type.Object(
  { ...DecisionsFilter, format: Type.Enum(["csv", "ndjson"]) },
  closed,
);

export const DecisionSchema = Type.Object(
  {
    id: Type.Integer({ minimum: 1, description: "Counts up; newer is larger." }),
    ...OF_DECISION,
    decision: Type.Enum(["pass", "review", "reject", "held"], {
      description: "held: a frame of a part, which is decided by a row of its own.",
    }),
    class: CLASS_OR_NULL,
  },
  closed,
);

export const DecisionsSchema = Type.Object(
  {
    decisions: Type.Array(DecisionSchema),
    next: Type.Optional(
      Type.Integer({
        description:
          "There may be more: give it as `before`. A page looks through a bounded number of decisions, and may have fewer than `limit`, or none, where few are asked for.",
      }),
    ),
  },
  closed,
);

export const EventsQuerySchema = Type.Object({ station: Type.Optional(NAME) }, closed);

export type Login = Static<typeof LoginSchema>;
export type Session = Static<typeof SessionSchema>;
export type SetupBody = Static<typeof SetupSchema>;
export type StationView = Static<typeof StationSchema>;
export type ReviewsQuery = Static<typeof ReviewsQuerySchema>;
export type ReviewsReply = Static<typeof ReviewsSchema>;
export type FrameDescription = Static<typeof FrameDescriptionSchema>;
export type ReviewView = Static<typeof ReviewSchema>;
export type Act = Static<typeof ActSchema>;
export type VerdictBody = Static<typeof VerdictBodySchema>;
export type ActReply = Static<typeof ActReplySchema>;
export type DecisionsQuery = Static<typeof DecisionsQuerySchema>;
export type ExportQuery = Static<typeof ExportQuerySchema>;
export type DecisionsFilter = Omit<ExportQuery, "format">;
export type DecisionView = Static<typeof DecisionSchema>;
