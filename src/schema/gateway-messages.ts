/** The schemas of what a gateway says of frames and of itself: decisions, and what is retained of its state. */

import Type, { type Static } from "typebox";
import { closed, NAME, NUMBER, TIME } from "./review-messages.ts";

const SHA_256 = "^[0-9a-f]{64}$";

export const MODE = Type.Enum(["shadow", "guarded"]);
export const BAND = Type.Union([Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }), Type.Null()], {
  description: "How sure the teacher was of frames like this, from and to.",
});
const REFUSED = Type.Object(
  { at: TIME, reason: Type.String() },
  { ...closed, description: "What was last to come into force, and why it did not." },
);

/** Members of every decision, wherever it is told of. */
export const OF_DECISION = {
  frame: Type.String(),
  part: Type.Optional(Type.String({ description: "The part that it shows, where the plant names one." })),
  frames: Type.Optional(
    Type.Integer({ minimum: 0, description: "Frames by which a part was decided; only where it is one's." }),
  ),
  source: Type.String(),
  station: NAME,
  decision: Type.Enum(["pass", "review", "reject"], {
    description:
      "pass: the class can be believed, which is not to say that the part is good. review: a person decides. reject: it could not be judged; treat it as review.",
  }),
  reason: Type.String({
    description:
      "Why, of a pass: faithful. Of a review the first that applies of: stopped, monitor-red, not-finite, class-uncertified, outside-band, novel, score; of parts: rule-changed, frame-rejected, frame-without-id, part-count-conflict, too-many-frames, part-incomplete, classes-disagree, late-frame; or shadow. Of a reject: unknown-source, wrong-content-type, too-large, too-short, too-long, not-an-image, wrong-shape, invalid-json, not-finite, poison, shed. Later versions may have others.",
  }),
  would: Type.Optional(
    Type.String({
      description: "In mode shadow, what a guarded station would have decided: DECISION:REASON.",
    }),
  ),
  class: Type.Union([Type.String(), Type.Null()], {
    description: "The student's; null where there is none.",
  }),
  classIndex: NUMBER,
  confidence: NUMBER,
  score: NUMBER,
  lambda: NUMBER,
  band: BAND,
  mode: MODE,
  revision: Type.Integer({
    minimum: 0,
    description: "Of the thresholds; 0 where none may judge, and everything is reviewed.",
  }),
  at: TIME,
};

/** On BASE/decisions/STATION/SOURCE. */
export const DecisionMessageSchema = Type.Object(OF_DECISION, { ...closed, title: "Sekisho decision" });

/** On BASE/state, retained. */
export const StateSchema = Type.Object(
  {
    state: Type.Enum(["online", "stopped", "offline"], {
      description: "stopped: it ended in good order. offline: it is gone, by the word of the broker.",
    }),
    session: Type.Integer({
      minimum: 1,
      description: "Number of this run; what is said of an earlier one says nothing of a later.",
    }),
  },
  { ...closed, title: "Sekisho state" },
);

/** On BASE/info, retained. */
export const InfoSchema = Type.Object(
  {
    gateway: NAME,
    version: Type.String(),
    ledgersSetAside: Type.Optional(
      Type.Array(Type.Object({ at: TIME, file: Type.String(), reason: Type.String() }, closed), {
        minItems: 1,
        description: "Ledgers that were found damaged. What was decided before then is in these files only.",
      }),
    ),
    chainHead: Type.String({
      pattern: "^[0-9a-f]{64}@\\d{1,15}$",
      description:
        "SHA256@BATCH, the end of the ledger's chain. Kept elsewhere, it shows whether it was changed.",
    }),
    stations: Type.Array(
      Type.Object(
        {
          station: NAME,
          bundle: Type.String(),
          bundleVersion: Type.String(),
          bundleSha256: Type.String({ pattern: SHA_256, description: "Of bundle.json." }),
          bundleSignedBy: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
          envelopeSha256: Type.String({ pattern: SHA_256 }),
          revision: OF_DECISION.revision,
        },
        closed,
      ),
    ),
  },
  { ...closed, title: "Sekisho info" },
);

/** Members of a station's status, wherever it is told of. */
export const OF_STATUS = {
  station: NAME,
  mode: MODE,
  monitor: Type.Enum(["off", "green", "amber", "red"]),
  revision: OF_DECISION.revision,
  certified: Type.Boolean({
    description: "false: stricter than what was proven, so that no bound is published.",
  }),
  signed: Type.Boolean({ description: "Whether what is in force had to be signed by trusted persons." }),
  openReviews: Type.Integer({ minimum: 0 }),
  heldReviews: Type.Integer({
    minimum: 0,
    description: "Reviews behind another's alert, or over the budget.",
  }),
  overdueReviews: Type.Integer({ minimum: 0 }),
  oldestReviewAt: Type.Optional(TIME),
  refused: Type.Optional(REFUSED),
  restored: Type.Optional(
    Type.Object(
      { at: TIME, backupAt: TIME },
      {
        ...closed,
        description:
          "The ledger was restored then, from a backup of that time: everything goes to review until a revision made since answers for it.",
      },
    ),
  ),
};

/** On BASE/stations/STATION, retained. */
export const StationStatusSchema = Type.Object(OF_STATUS, { ...closed, title: "Sekisho station status" });

const OF_REPLY = { reasons: Type.Array(Type.String(), { description: "For people." }) };

/** On the MQTT 5 response topic, else on BASE/response/thresholds. */
export const ThresholdsReplySchema = Type.Union(
  [
    Type.Object(
      {
        outcome: Type.Literal("accepted"),
        station: NAME,
        revision: Type.Integer({ minimum: 1, description: "The one in force now." }),
        certified: OF_STATUS.certified,
        ...OF_REPLY,
      },
      closed,
    ),
    Type.Object(
      {
        outcome: Type.Enum(["needs-second-person", "refused", "failed"]),
        station: Type.Optional(Type.String({ description: "Left out where the request could not be read." })),
        ...OF_REPLY,
      },
      closed,
    ),
  ],
  { title: "Sekisho thresholds reply" },
);

export type StationStatus = Static<typeof StationStatusSchema>;
