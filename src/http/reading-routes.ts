/** Stations and decisions over HTTP, to be read. */

import type { FastifyInstance } from "fastify";
import {
  type DecisionsQuery,
  DecisionsQuerySchema,
  DecisionsSchema,
  type DecisionView,
  StationParamsSchema,
  StationSchema,
  StationsSchema,
  type StationView,
} from "./api-schemas.ts";
import { notFound } from "./errors.ts";
import { replies } from "./replies.ts";

export interface ReadingRoutesOptions {
  readonly stations: () => readonly StationView[];
  /** Newest first; looks through a bounded number, and so may give fewer than the limit with a `next`. */
  readonly decisions: (query: DecisionsQuery) => {
    readonly decisions: readonly DecisionView[];
    readonly next?: number;
  };
}

export function readingRoutes(server: FastifyInstance, { stations, decisions }: ReadingRoutesOptions): void {
  server.get(
    "/stations",
    {
      config: { needs: "viewer" },
      schema: { summary: "Every station, and how it stands", response: replies(StationsSchema) },
    },
    async () => ({ stations: stations() }),
  );

  server.get(
    "/stations/:station",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "One station",
        params: StationParamsSchema,
        response: replies(StationSchema, 404),
      },
    },
    async (request) => {
      const { station: name } = request.params as { station: string };
      const found = stations().find(({ station }) => station === name);
      if (found === undefined) throw notFound(`there is no station ${name}`);
      return found;
    },
  );

  server.get(
    "/decisions",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "Decisions, newest first",
        querystring: DecisionsQuerySchema,
        response: replies(DecisionsSchema),
      },
    },
    async (request) => decisions(request.query as DecisionsQuery),
  );
}
