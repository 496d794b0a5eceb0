/** Thresholds over HTTP: a revision is handed in, and judged as by any other way in. */

import type { FastifyInstance } from "fastify";
import {
  StationParamsSchema,
  type ThresholdsAnswer,
  ThresholdsAnswerSchema,
  ThresholdsBodySchema,
} from "./api-schemas.ts";
import { replies } from "./replies.ts";

export interface ThresholdsRoutesOptions {
  readonly submitThresholds: (station: string, document: string) => ThresholdsAnswer;
}

export function thresholdsRoutes(
  server: FastifyInstance,
  { submitThresholds }: ThresholdsRoutesOptions,
): void {
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
