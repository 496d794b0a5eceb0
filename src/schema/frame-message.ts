/** The schema of frames that come as JSON. The decoder reads them without it, for speed; a test holds the two together. */

import Type from "typebox";

const ID = Type.Union([
  Type.String({ minLength: 1, maxLength: 128, pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" }),
  Type.Integer({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
  Type.Null(),
]);

/** On the plant's own topics. What else is in the document is not looked at. */
export const FrameMessageSchema = Type.Object(
  {
    id: Type.Optional({
      ...ID,
      description: "Of the frame; never the same twice from one source within a day.",
    }),
    part: Type.Optional({ ...ID, description: "The physical thing that the frame shows." }),
    partCount: Type.Optional({
      ...Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()]),
      description: "How many frames the part has.",
    }),
    values: Type.Array(Type.Union([Type.Number(), Type.Array(Type.Any())]), {
      description:
        "As many numbers as the bundle's frame has, flat or in arrays of arrays, in the range of its type; finite as float32.",
    }),
  },
  { title: "Sekisho frame" },
);
