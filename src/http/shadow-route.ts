/** What the bundle in shadow at a station would do otherwise, over HTTP. */

import type { FastifyInstance } from "fastify";
import Type, { type Static } from "typebox";
import { closed, NAME, TIME } from "../schema/review-messages.ts";
import { StationParamsSchema } from "./api-schemas.ts";
import { notFound } from "./errors.ts";
import { replies } from "./replies.ts";

const Count = Type.Integer({ minimum: 0 });
const Digest = Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256 of bundle.json." });
const Said = Type.Object(
  {
    decision: Type.Enum(["pass", "review", "reject"], { description: "As it would be in mode guarded." }),
    class: Type.Union([Type.String(), Type.Null()]),
  },
  closed,
);

/** Without the frames themselves: of one that is audited nobody may learn what the student said. */
export const ShadowSchema = Type.Object(
  {
    station: NAME,
    state: Type.Enum(["none", "promoted", "refused", "running"], {
      description: "promoted: what the configuration has in shadow is in force.",
    }),
    reason: Type.Optional(Type.String({ description: "Why nothing runs in shadow that should." })),
    comparison: Type.Optional(
      Type.Object(
        {
          liveBundle: Digest,
          liveRevision: Type.Integer({ minimum: 1 }),
          shadowBundle: Digest,
          shadowRevision: Type.Integer({ minimum: 1 }),
          from: TIME,
          to: TIME,
          judged: Count,
          dropped: Count,
          lost: Count,
          differing: Count,
          pairs: Type.Array(Type.Object({ live: Said, shadow: Said, frames: Count }, closed)),
        },
        { ...closed, description: "The one noted last, of this bundle or of one before." },
      ),
    ),
  },
  closed,
);

export type ShadowView = Static<typeof ShadowSchema>;

export interface ShadowRouteOptions {
  /** Undefined where there is no such station. */
  readonly shadow: (station: string) => ShadowView | undefined;
}

export function shadowRoute(server: FastifyInstance, { shadow }: ShadowRouteOptions): void {
  server.get(
    "/stations/:station/shadow",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "What the bundle in shadow would do otherwise",
        params: StationParamsSchema,
        response: replies(ShadowSchema, 404),
      },
    },
    async (request) => {
      const { station } = request.params as { station: string };
      const found = shadow(station);
      if (found === undefined) throw notFound(`there is no station ${station}`);
      return found;
    },
  );
}
