/** Thresholds over HTTP: how they stand, and a revision handed in, which is judged as by any other way in. */

import type { FastifyInstance } from "fastify";
import {
  StationParamsSchema,
  type ThresholdsAnswer,
  ThresholdsAnswerSchema,
  ThresholdsBodySchema,
} from "./api-schemas.ts";
import { notFound } from "./errors.ts";
import { replies } from "./replies.ts";
import {
  type ThresholdsLogQuery,
  ThresholdsLogQuerySchema,
  type ThresholdsStanding,
  ThresholdsStandingSchema,
} from "./thresholds-schemas.ts";

export interface ThresholdsRoutesOptions {
  readonly submitThresholds: (station: string, document: string) => ThresholdsAnswer;
  /** Undefined where there is no such station. */
  readonly thresholdsOf: (station: string, log: ThresholdsLogQuery) => ThresholdsStanding | undefined;
}

export function thresholdsRoutes(
  server: FastifyInstance,
  { submitThresholds, thresholdsOf }: ThresholdsRoutesOptions,
): void {
  server.get(
    "/stations/:station/thresholds",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "Thresholds: what a change starts from, what waits for a second person, and the log",
        params: StationParamsSchema,
        querystring: ThresholdsLogQuerySchema,
        response: replies(ThresholdsStandingSchema, 404),
      },
    },
    async (request) => {
      const { station } = request.params as { station: string };
      const found = thresholdsOf(station, request.query as ThresholdsLogQuery);
      if (found === undefined) throw notFound(`there is no station ${station}`);
      return found;
    },
  );

  server.post(
    "/stations/:station/thresholds",
    {
      config: { needs: "engineer" },
      schema: {
        summary:
          "Hand in the next revision of a station's thresholds: a proposal, an approval, a stop or a roll-back",
        params: StationParamsSchema,
        body: ThresholdsBodySchema,
        response: replies(ThresholdsAnswerSchema),
      },
    },
    async (request) => {
      const { station } = request.params as { station: string };
      return submitThresholds(station, JSON.stringify(request.body));
    },
  );
}
