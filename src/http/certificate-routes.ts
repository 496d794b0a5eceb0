/** A station's certificate as a curve, and what another lambda would have done, over HTTP. */

import type { FastifyInstance } from "fastify";
import { StationParamsSchema } from "./api-schemas.ts";
import {
  CertificateSchema,
  type CertificateView,
  type ReplayBody,
  ReplayBodySchema,
  ReplaySchema,
  type ReplayView,
} from "./certificate-schemas.ts";
import { ApiError, notFound } from "./errors.ts";
import { replies } from "./replies.ts";

export type Replayed =
  | { readonly kind: "done"; readonly report: ReplayView }
  | { readonly kind: "no-station" | "busy" }
  /** Why there can be none of this, or why there was none. */
  | { readonly kind: "refused" | "failed"; readonly why: string };

export interface CertificateRoutesOptions {
  /** Undefined where there is no such station. */
  readonly certificate: (station: string) => Promise<CertificateView | undefined>;
  /** Outside this process; one at a time. */
  readonly replay: (station: string, asked: ReplayBody) => Promise<Replayed>;
}

export function certificateRoutes(
  server: FastifyInstance,
  { certificate, replay }: CertificateRoutesOptions,
): void {
  server.get(
    "/stations/:station/certificate",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "What is proven at each lambda of a station's certificate, and whether the guard takes it",
        params: StationParamsSchema,
        response: replies(CertificateSchema, 404),
      },
    },
    async (request) => {
      const { station } = request.params as { station: string };
      const found = await certificate(station);
      if (found === undefined) throw notFound(`there is no station ${station}`);
      return found;
    },
  );

  server.post(
    "/stations/:station/replay",
    {
      config: { needs: "engineer" },
      schema: {
        summary: "What another lambda would have done with the frames of the last hours, from the ledger",
        params: StationParamsSchema,
        body: ReplayBodySchema,
        response: replies(ReplaySchema, 404, 422, 429, 503),
      },
    },
    async (request) => {
      const { station } = request.params as { station: string };
      const replayed = await replay(station, request.body as ReplayBody);
      switch (replayed.kind) {
        case "done":
          return replayed.report;
        case "no-station":
          throw notFound(`there is no station ${station}`);
        case "busy":
          throw new ApiError(429, "replay-running", "a replay is running; ask again when it is done", {
            "retry-after": "5",
          });
        case "refused":
          throw new ApiError(422, "no-such-rule", replayed.why);
        case "failed":
          throw new ApiError(503, "unavailable", replayed.why);
        default:
          return replayed satisfies never;
      }
    },
  );
}
