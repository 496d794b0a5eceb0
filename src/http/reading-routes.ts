/** Stations over HTTP, to be read. */

import type { FastifyInstance } from "fastify";
import { StationParamsSchema, StationSchema, StationsSchema, type StationView } from "./api-schemas.ts";
import { notFound } from "./errors.ts";
import { replies } from "./replies.ts";

export interface ReadingRoutesOptions {
  readonly stations: () => readonly StationView[];
}

export function readingRoutes(server: FastifyInstance, { stations }: ReadingRoutesOptions): void {
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
}
