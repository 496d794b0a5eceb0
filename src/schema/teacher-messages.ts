/** The schemas of what gateways ask a teacher about audited frames, and of what it answers. */

import Type, { type Static } from "typebox";
import { closed, NAME, TIME } from "./review-messages.ts";

const AUDIT = Type.String({ minLength: 1, maxLength: 128, description: "Id of the audit." });
const BUNDLE = Type.String({
  pattern: "^[0-9a-f]{64}$",
  description: "Digest of the bundle that passed the part: SHA-256 of its bundle.json.",
});
/** Most frames of one part that a teacher is asked about. */
const FRAMES_MAX = 1024;

/** On BASE/teacher/request: is this part faithful? */
export const TeacherRequestSchema = Type.Object(
  {
    audit: AUDIT,
    bundle: BUNDLE,
    station: NAME,
    frames: Type.Array(
      Type.Object(
        {
          contentType: Type.Enum(["application/octet-stream", "image/png", "image/jpeg", "application/json"]),
          payload: Type.String({
            pattern: "^[A-Za-z0-9+/]*={0,2}$",
            description: "The frame as the sensor sent it, in base64.",
          }),
        },
        closed,
      ),
      { minItems: 1, maxItems: FRAMES_MAX, description: "Every frame of the part." },
    ),
    at: TIME,
  },
  { ...closed, title: "Sekisho question to a teacher" },
);

export type TeacherRequest = Static<typeof TeacherRequestSchema>;

const REFUSAL_CODES = ["unknown-bundle", "malformed", "busy", "unreadable-frame", "failed"] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** On BASE/teacher/response: the answer, or why this teacher has none. */
export const TeacherResponseSchema = Type.Object(
  {
    audit: Type.Union([AUDIT, Type.Null()], { description: "Null where the question could not be read." }),
    bundle: Type.Union([BUNDLE, Type.Null()]),
    worker: NAME,
    at: TIME,
    answer: Type.Optional(
      Type.Object(
        {
          unfaithful: Type.Boolean({
            description:
              "At some frame of the part the models give different classes, or the largest gap over its neighbourhood exceeds delta.",
          }),
          gapMax: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
            description: "Largest gap over all frames and their copies; null where it is no finite number.",
          }),
          teacherClass: Type.Union([Type.String(), Type.Null()], {
            description: "Of the first frame that is unfaithful, else of the first.",
          }),
          studentClass: Type.Union([Type.String(), Type.Null()]),
          neighbourhood: Type.Enum(["recorded", "frame-only"], {
            description:
              "recorded: over copies made as for the evidence. frame-only: the evidence has none, so that U is judged at the frame alone.",
          }),
        },
        closed,
      ),
    ),
    refused: Type.Optional(
      Type.Object(
        { code: Type.Enum([...REFUSAL_CODES]), message: Type.String({ maxLength: 500 }) },
        { ...closed, description: "The question may be put to another teacher." },
      ),
    ),
  },
  { ...closed, title: "Sekisho answer of a teacher" },
);

export type TeacherResponse = Static<typeof TeacherResponseSchema>;
export type TeacherAnswer = NonNullable<TeacherResponse["answer"]>;
