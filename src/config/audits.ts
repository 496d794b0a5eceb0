/** The section `audits` of `sekisho.yaml`. */

import Type from "typebox";
import { closed } from "./common.ts";

export const Audits = Type.Object(
  {
    teacher: Type.Enum(["none", "broker", "idle"], {
      default: "none",
      description:
        "Who answers whether audited parts are faithful. broker: `sekisho teacher` workers on the same broker. idle: the gateway's own teacher, a process of lowest priority that is asked while no frame waits. none: nobody is asked; the monitor then has no test of the risk.",
    }),
    inFlightMax: Type.Integer({
      minimum: 1,
      maximum: 256,
      default: 8,
      description: "Questions to teachers without an answer, at most; with idle always one.",
    }),
    askAgainSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      default: 30,
      description: "After which a question without an answer is put again, until the audit's deadline.",
    }),
    backlogMax: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 20,
      description:
        "Audits of one station that may pass their deadline unanswered one after the other; one more, and the monitor goes to red.",
    }),
  },
  { ...closed, default: {}, description: "How the risk of what passes is watched." },
);
