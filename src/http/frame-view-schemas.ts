/** What a person is shown beside a review: its frame, drawn here, and what the student and the recording say of it. */

import Type, { type Static } from "typebox";
import { closed } from "../schema/review-messages.ts";

const Sure = Type.Number({ minimum: 0, maximum: 1 });
const Size = Type.Integer({ minimum: 1 });

const PictureSchema = Type.Object(
  {
    image: Type.String({
      description: "Of a PNG that was made here, relative to the review: frame-view.png, or neighbours/0.",
    }),
    width: Size,
    height: Size,
  },
  closed,
);

const SignalSchema = Type.Object(
  {
    samples: Type.Array(Type.Number(), {
      maxItems: 1024,
      description:
        "The numbers; of more than 1,024 the least and the most of each of 512 stretches, as they come.",
    }),
    spectrum: Type.Array(Type.Number({ minimum: 0 }), {
      maxItems: 256,
      description:
        "Amplitudes from no frequency to half the sampling rate, evenly; the largest of those that fall on a place.",
    }),
    length: Type.Integer({ minimum: 1, description: "Numbers that the signal has." }),
    signals: Type.Integer({ minimum: 1, description: "Signals that the frame has; the first is shown." }),
  },
  closed,
);

const Shown = {
  picture: Type.Optional(PictureSchema),
  signal: Type.Optional(SignalSchema),
  vector: Type.Optional(
    Type.Array(Type.Object({ value: Type.Number() }, closed), { description: "Up to 64 numbers." }),
  ),
};

const NeighbourSchema = Type.Object(
  {
    class: Type.String({ description: "The student's, when it was recorded." }),
    confidenceTeacher: Sure,
    confidenceStudent: Sure,
    distance: Type.Number({ minimum: 0 }),
    ...Shown,
  },
  closed,
);

export const FrameViewSchema = Type.Object(
  {
    ...Shown,
    notShown: Type.Optional(
      Type.Enum(["gone", "no-station", "unreadable", "busy"], {
        description:
          "Why there is no frame: it had to make room, its station is no more, its bytes are no frame, or too many ask (try again).",
      }),
    ),
    student: Type.Array(Type.Object({ class: Type.String(), confidence: Sure }, closed), {
      description:
        "The surest first. Empty while an audit waits. Only the class that was decided by where the frame cannot be asked again by the same student.",
    }),
    band: Type.Union([Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }), Type.Null()], {
      description: "How sure the teacher was of frames like this; null while an audit waits.",
    }),
    topTwo: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
      description: "By how much the student was surer of its first class than of its second.",
    }),
    neighbours: Type.Array(NeighbourSchema, {
      maxItems: 6,
      description:
        "Recorded frames most like this one: up to three of the student's class, then of its second one. Empty where the bundle has no gallery, and while an audit waits.",
    }),
  },
  closed,
);

export type FrameView = Static<typeof FrameViewSchema>;
