/** The section `review` of `sekisho.yaml`. */

import Type from "typebox";
import { closed, File, NAME } from "./common.ts";

export const Review = Type.Object(
  {
    language: Type.Enum(["en", "ja"], {
      default: "en",
      description: "In which alerts are written for people.",
    }),
    frameInlineBytesMax: Type.Integer({
      minimum: 0,
      maximum: 1_048_576,
      default: 16_384,
      description: "Frames up to this size travel inside their alert.",
    }),
    alertsPerHour: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 120,
      description:
        "Alerts that may open in an hour at one station; so many may come at once after a quiet hour. What is over it is held, counted and shown.",
    }),
    coalesceSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      default: 10,
      description:
        "Reviews of one source for one reason that follow each other within this time stand behind one alert, with a count.",
    }),
    updateSeconds: Type.Integer({
      minimum: 1,
      maximum: 3600,
      default: 2,
      description: "Between two updates of an alert's count, at least; they also wait until it has doubled.",
    }),
    claimSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      default: 600,
      description: "How long a claim keeps others from answering.",
    }),
    unresolvedMax: Type.Integer({
      minimum: 10,
      maximum: 1_000_000,
      default: 10_000,
      description:
        "Reviews that may wait at one station; above it those of the largest heap expire, lowest priority and oldest first, and are counted.",
    }),
    classCosts: Type.Record(
      Type.String(),
      Type.Number({
        minimum: 0,
        maximum: 1_000_000,
        description: "What a mistake in this class costs; priorities are multiplied by it. 1 where left out.",
      }),
      {
        default: {},
        description: "What a mistake costs in a class, by which priorities are multiplied; 1 where left out.",
      },
    ),
    brokerVouches: Type.Boolean({
      default: false,
      description:
        "The broker's access list lets nobody but REVIEWER publish on sekisho/GATEWAY/verdicts/REVIEWER. Otherwise, and without a token, verdicts are marked unauthenticated and kept out of labels.",
    }),
    reviewers: Type.Optional(
      Type.Record(
        NAME,
        Type.Object(
          {
            tokenFile: Type.Optional(
              File(
                "File, readable by its owner only, with the token that this reviewer's verdicts must bear.",
              ),
            ),
          },
          { ...closed, description: "How a reviewer is known." },
        ),
        {
          additionalProperties: false,
          description: "Who may answer over MQTT; everybody where left out.",
        },
      ),
    ),
  },
  { ...closed, default: {}, description: "How reviews are announced and answered." },
);
