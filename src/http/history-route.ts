/** How a station's decisions and its monitor went over the last day, over HTTP. */

import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { closed, NAME, TIME } from "../schema/review-messages.ts";
import { StationParamsSchema } from "./api-schemas.ts";
import { notFound } from "./errors.ts";
import { replies } from "./replies.ts";

const Count = Type.Integer({ minimum: 0 });

const HistoryQuerySchema = Type.Object(
  {
    minutes: Type.Integer({ enum: [60, 480, 1440], default: 60 }),
    step: Type.Integer({ enum: [1, 5, 15], default: 1, description: "Minutes of each point." }),
  },
  closed,
);

const HistorySchema = Type.Object(
  {
    station: NAME,
    step: Type.Integer({ minimum: 1 }),
    complete: Type.Boolean({
      description: "false: the ledger is still being counted; the oldest points lack decisions, ask again.",
    }),
    points: Type.Array(
      Type.Object(
        {
          at: TIME,
          frames: Type.Integer({ minimum: 0, description: "Decisions: a part counts once." }),
          pass: Type.Integer({ minimum: 0, description: "In mode shadow: would have passed." }),
          review: Count,
          reject: Count,
          byReason: Type.Record(Type.String(), Count, { description: "Of those that did not pass." }),
          byClass: Type.Record(Type.String(), Count, {
            description: "The same by what the student took them for.",
          }),
        },
        closed,
      ),
      { description: "Oldest first; the last one goes on." },
    ),
    monitor: Type.Array(
      Type.Object(
        {
          at: TIME,
          state: Type.Enum(["off", "green", "amber", "red"]),
          evidence: Type.Optional(
            Type.Object({ drift: Type.Number({ minimum: 0 }), risk: Type.Number({ minimum: 0 }) }, closed),
          ),
        },
        closed,
      ),
      { description: "Once a minute since the gateway's start, and now." },
    ),
  },
  closed,
);

export type HistoryView = Static<typeof HistorySchema>;

export interface HistoryRouteOptions {
  /** Undefined where there is no such station. */
  readonly history: (station: string, minutes: number, step: number) => Promise<HistoryView | undefined>;
}

export function historyRoute(server: FastifyInstance, { history }: HistoryRouteOptions): void {
  server.get(
    "/stations/:station/history",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "Decisions of a station by the minute, by reason and class, and how its monitor stood",
        params: StationParamsSchema,
        querystring: HistoryQuerySchema,
        response: replies(HistorySchema, 404),
      },
    },
    async (request) => {
      const { station } = request.params as { station: string };
      const { minutes, step } = request.query as Static<typeof HistoryQuerySchema>;
      const found = await history(station, minutes, step);
      if (found === undefined) throw notFound(`there is no station ${station}`);
      return found;
    },
  );
}
