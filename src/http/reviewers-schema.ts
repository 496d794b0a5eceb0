/** What the HTTP API says of how well a station's reviewers see. */

import Type from "typebox";
import { closed } from "../schema/review-messages.ts";

export const ReviewersSchema = Type.Object(
  {
    known: Type.Integer({
      minimum: 1,
      description: "Known frames among the audits that were answered.",
    }),
    found: Type.Integer({ minimum: 0, description: "Those that were seen for what they are." }),
    sensitivity: Type.Array(Type.Number({ minimum: 0, maximum: 1 }), {
      minItems: 2,
      maxItems: 2,
      description: "Exact 95% interval of that share, from and to.",
    }),
  },
  { ...closed, description: "How well reviewers see; absent until a known frame has been answered." },
);
