/** How a station's monitor stands, over HTTP. */

import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { closed, NAME, TIME } from "../schema/review-messages.ts";
import { StationParamsSchema } from "./api-schemas.ts";
import { ApiError, notFound } from "./errors.ts";
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

const Count = Type.Integer({ minimum: 0 });
const ClearingBodySchema = Type.Union([
  Type.Object(
    {
      station: NAME,
      redSince: Type.String({ description: "`since` of the red that it clears." }),
      ground: Type.Union([
        Type.Object({ kind: Type.Literal("envelope"), envelope: Type.String() }, closed),
        Type.Object({ kind: Type.Literal("audit"), parts: Count, unfaithful: Count }, closed),
      ]),
      why: Type.String({ minLength: 1, maxLength: 2000 }),
    },
    { ...closed, description: "Where no keys are trusted." },
  ),
  Type.Object(
    {
      payloadType: Type.String(),
      payload: Type.String(),
      signatures: Type.Array(Type.Object({ keyid: Type.String(), sig: Type.String() }, closed)),
    },
    { ...closed, description: "The same, signed, in a DSSE envelope." },
  ),
]);

export type ClearingBody = Static<typeof ClearingBodySchema>;

export interface MonitorRouteOptions {
  /** Why it does not clear the monitor, or undefined. Throws what the ledger throws. */
  readonly clearMonitor: (station: string, body: ClearingBody, by: string) => string | undefined;
  /** Undefined where there is no such station. */
  readonly monitor: (station: string) => MonitorView | undefined;
}

export function monitorRoute(server: FastifyInstance, { monitor, clearMonitor }: MonitorRouteOptions): void {
  server.post(
    "/stations/:station/monitor",
    {
      config: { needs: "engineer" },
      schema: {
        summary: "Clear a red monitor",
        params: StationParamsSchema,
        body: ClearingBodySchema,
        response: replies(MonitorSchema, 404, 409),
      },
    },
    async (request) => {
      const { station } = request.params as { station: string };
      if (monitor(station) === undefined) throw notFound(`there is no station ${station}`);
      const problem = clearMonitor(station, request.body as ClearingBody, request.asker!.name);
      if (problem !== undefined) throw new ApiError(409, "not-cleared", problem);
      return monitor(station);
    },
  );

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
