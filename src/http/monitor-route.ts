/** How a station's monitor stands, over HTTP. */

import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { closed, NAME, TIME } from "../schema/review-messages.ts";
import { StationParamsSchema } from "./api-schemas.ts";
import { notFound } from "./errors.ts";
import { replies } from "./replies.ts";

export const MonitorSchema = Type.Object(
  {
    station: NAME,
    state: Type.Enum(["off", "green", "amber", "red"]),
    since: Type.Optional(TIME),
    evidence: Type.Optional(
      Type.Object(
        { drift: Type.Number({ minimum: 0 }), risk: Type.Number({ minimum: 0 }) },
        { ...closed, description: "1 where there is none; amber at 10, red at 1 / etaMonitor." },
      ),
    ),
    words: Type.Object(
      { en: Type.String(), ja: Type.String() },
      { ...closed, description: "State and reason." },
    ),
  },
  closed,
);

export type MonitorView = Static<typeof MonitorSchema>;

export interface MonitorRouteOptions {
  /** Undefined where there is no such station. */
  readonly monitor: (station: string) => MonitorView | undefined;
}

export function monitorRoute(server: FastifyInstance, { monitor }: MonitorRouteOptions): void {
  server.get(
    "/stations/:station/monitor",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "The monitor of a station: its state, its evidence, and why",
        params: StationParamsSchema,
        response: replies(MonitorSchema, 404),
      },
    },
    async (request) => {
      const { station } = request.params as { station: string };
      const found = monitor(station);
      if (found === undefined) throw notFound(`there is no station ${station}`);
      return found;
    },
  );
}
