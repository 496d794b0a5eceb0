/** The schemas of what is said of reviews over MQTT: alerts, updates and closes, verdicts and their replies. */

import Type from "typebox";

export const closed = { additionalProperties: false } as const;
export const NAME = Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" });
export const TIME = Type.String({
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$",
  description: "RFC 3339, UTC, with milliseconds.",
});
export const NUMBER = Type.Union([Type.Number(), Type.Null()], {
  description: "Null where it is no finite number.",
});
const REVIEW = Type.String({
  minLength: 1,
  maxLength: 128,
  description: "Id of the review; never given twice.",
});
export const REVISION = Type.Integer({
  minimum: 1,
  description: "Counts up with every transition of the review.",
});
export const STATE = Type.Enum(["held", "open", "claimed", "resolved", "expired"]);
export const VERDICT = Type.Enum(["confirm", "correct", "label", "unusable"], {
  description:
    "confirm: the student's class is right. correct: it is another. label: the class, by one who was not shown the student's. unusable: nobody can tell from this frame.",
});

const OF_REVIEW = {
  review: REVIEW,
  reviewRevision: REVISION,
  station: NAME,
  source: Type.String(),
  frame: Type.String(),
  part: Type.Optional(Type.String()),
  reason: Type.String({ description: "Why it is for a person to decide." }),
};

const OF_WAITING = {
  text: Type.String({ description: "What a person reads, in the plant's language." }),
  count: Type.Integer({ minimum: 1, description: "Reviews that this one stands for, itself included." }),
  priority: Type.Number({ minimum: 0, description: "Higher is first." }),
  deadline: TIME,
  overdue: Type.Boolean({ description: "The deadline has passed; an answer is still taken." }),
};

/** On BASE/reviews/STATION: a review is announced. */
export const ReviewOpenSchema = Type.Object(
  {
    type: Type.Literal("open"),
    ...OF_REVIEW,
    decision: Type.Literal("review"),
    frames: Type.Optional(
      Type.Integer({ minimum: 1, description: "Frames of the part, where it is the review of one." }),
    ),
    class: Type.Union([Type.String(), Type.Null()], {
      description: "The student's; null of an audit, as is all else that the student said.",
    }),
    classIndex: NUMBER,
    confidence: NUMBER,
    score: NUMBER,
    lambda: NUMBER,
    band: Type.Union([Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }), Type.Null()], {
      description: "How sure the teacher was of frames like this, from and to.",
    }),
    mode: Type.Enum(["shadow", "guarded"]),
    revision: Type.Integer({ minimum: 1, description: "Of the thresholds." }),
    at: TIME,
    ...OF_WAITING,
    frameLink: Type.Optional(
      Type.String({
        description: "Where the frame is given out to whoever may read reviews, as long as it is kept.",
      }),
    ),
    frameInline: Type.Optional(Type.Object({ contentType: Type.String(), base64: Type.String() }, closed)),
  },
  { ...closed, title: "Sekisho review: open" },
);

/** On BASE/reviews/STATION: it was claimed, is overdue, or stands for more. */
export const ReviewUpdateSchema = Type.Object(
  {
    type: Type.Literal("update"),
    ...OF_REVIEW,
    state: STATE,
    ...OF_WAITING,
    claimedBy: Type.Optional(Type.String()),
    claimedUntil: Type.Optional(TIME),
    at: TIME,
  },
  { ...closed, title: "Sekisho review: update" },
);

/** On BASE/reviews/STATION: it was answered, or expired. */
export const ReviewCloseSchema = Type.Object(
  {
    type: Type.Literal("close"),
    ...OF_REVIEW,
    state: Type.Enum(["resolved", "expired"]),
    verdict: Type.Optional(VERDICT),
    class: Type.Optional(Type.String({ description: "What the frame shows, by the verdict." })),
    reviewer: Type.Optional(Type.String()),
    vouched: Type.Optional(
      Type.Boolean({ description: "Whether a broker or a token vouches for the reviewer." }),
    ),
    text: Type.String(),
    at: TIME,
  },
  { ...closed, title: "Sekisho review: close" },
);

/** On BASE/reviews/STATION: an audit has found a part wrong that passed. It follows the audit's close. */
export const ReviewAlarmSchema = Type.Object(
  {
    type: Type.Literal("alarm"),
    ...OF_REVIEW,
    state: Type.Literal("resolved"),
    passedAs: Type.Union([Type.String(), Type.Null()], { description: "The class that it passed as." }),
    class: Type.String({ description: "What it is, by the verdict." }),
    reviewer: Type.String(),
    decidedAt: TIME,
    text: Type.String({ description: "What a person reads, in the plant's language." }),
    at: TIME,
  },
  { ...closed, title: "Sekisho review: alarm" },
);

/** On BASE/reviews/STATION: the station's monitor has changed its state. Come again, it has the same id. */
export const MonitorMessageSchema = Type.Object(
  {
    type: Type.Literal("monitor"),
    monitor: Type.String({ description: "Id of this change." }),
    station: NAME,
    state: Type.Enum(["green", "amber", "red"]),
    since: TIME,
    evidence: Type.Object(
      {
        drift: Type.Union([Type.Number(), Type.Null()]),
        risk: Type.Union([Type.Number(), Type.Null()]),
      },
      {
        ...closed,
        description: "1 where there is none; amber at 10, red at 1 / etaMonitor; null is no number.",
      },
    ),
    text: Type.String({ description: "State and reason as a person reads them, in the plant's language." }),
    at: TIME,
  },
  { ...closed, title: "Sekisho monitor" },
);

/** On BASE/verdicts/REVIEWER. */
export const VerdictSchema = Type.Object(
  {
    review: REVIEW,
    reviewRevision: Type.Integer({ minimum: 1, description: "The revision that was looked at." }),
    verdict: VERDICT,
    class: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: "Needed with correct and label." }),
    ),
    token: Type.Optional(Type.String({ maxLength: 1024, description: "By which the reviewer is known." })),
    transaction: Type.Optional(Type.String({ maxLength: 128, description: "Comes back in the reply." })),
  },
  { ...closed, title: "Sekisho verdict" },
);

/** On the MQTT 5 response topic, else on BASE/response/verdict. */
export const VerdictReplySchema = Type.Object(
  {
    ok: Type.Boolean(),
    transaction: Type.Optional(Type.String()),
    review: Type.Union([Type.String(), Type.Null()]),
    reviewRevision: Type.Union([REVISION, Type.Null()], { description: "As it is now." }),
    state: Type.Union([STATE, Type.Null()]),
    error: Type.Optional(
      Type.Object(
        {
          code: Type.Enum([
            ...["malformed", "unknown-review", "stale-revision", "closed", "claimed-by-other"],
            ...["unknown-class", "class-missing", "class-not-expected", "verdict-not-expected"],
            ...["not-allowed", "unavailable"],
          ]),
          message: Type.String(),
        },
        closed,
      ),
    ),
  },
  { ...closed, title: "Sekisho verdict reply" },
);

/**
 * On BASE/reviews/STATION: thresholds that nothing proves are in force, or others behind them. Come again, it has the
 * same id.
 */
export const ThresholdsMessageSchema = Type.Object(
  {
    type: Type.Literal("thresholds"),
    thresholds: Type.String({ description: "Id of this change." }),
    station: NAME,
    revision: Type.Integer({ minimum: 1 }),
    certified: Type.Boolean({ description: "False: no bound holds for what passes." }),
    persons: Type.Array(Type.String(), { description: "Who answers for the revision." }),
    why: Type.String(),
    text: Type.String({ description: "What a person reads, in the plant's language." }),
    at: TIME,
  },
  { ...closed, title: "Sekisho thresholds message" },
);
