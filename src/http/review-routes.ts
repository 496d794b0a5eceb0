/** Reviews over HTTP: what waits, and people's acts. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Desk, ReviewAct, ReviewRow, ReviewState } from "../gateway/desk.ts";
import {
  type Act,
  type ActReply,
  ActReplySchema,
  ActSchema,
  ReviewParamsSchema,
  ReviewSchema,
  type ReviewsQuery,
  ReviewsQuerySchema,
  ReviewsSchema,
  type VerdictBody,
  VerdictBodySchema,
} from "./api-schemas.ts";
import { ApiError, STATUS_OF_ACT_ERROR } from "./errors.ts";
import { replies } from "./replies.ts";
import { reviewView } from "./review-view.ts";
import type { VerdictTimes } from "./verdict-times.ts";

export interface ReviewRoutesOptions {
  readonly desk: Desk;
}

export function reviewRoutes(
  server: FastifyInstance,
  { desk }: ReviewRoutesOptions,
  times: Pick<VerdictTimes, "answered">,
): void {
  server.get(
    "/reviews",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "Reviews by priority, highest first",
        querystring: ReviewsQuerySchema,
        response: replies(ReviewsSchema, 503),
      },
    },
    async (request) => {
      const { state, ...query } = request.query as ReviewsQuery;
      const states = state?.split(",") as ReviewState[] | undefined;
      const { reviews, next } = desk.list({ ...query, ...(states !== undefined && { states }) });
      return { reviews: reviews.map(reviewView), ...(next !== undefined && { next }) };
    },
  );

  server.get(
    "/reviews/:id",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "One review",
        params: ReviewParamsSchema,
        response: replies(ReviewSchema, 404, 503),
      },
    },
    async (request) => reviewView(knownReview(desk, request)),
  );

  const act = (request: FastifyRequest, reply: FastifyReply, asked: ReviewAct, transaction?: string) => {
    const outcome = desk.act(asked, { name: request.asker!.name, vouched: true, via: "http" });
    if (!outcome.ok) {
      const headers = outcome.error === "unavailable" ? { "retry-after": "1" } : {};
      throw new ApiError(STATUS_OF_ACT_ERROR[outcome.error], outcome.error, outcome.message, headers);
    }
    const { review, reviewRevision, state } = outcome;
    const body: ActReply = {
      review,
      reviewRevision,
      state,
      ...(transaction !== undefined && { transaction }),
    };
    return reply.send(body);
  };

  for (const [kind, summary] of [
    ["claim", "Keep others from answering a review for a while"],
    ["release", "Give a claimed review back"],
  ] as const) {
    server.post(
      `/reviews/:id/${kind}`,
      {
        config: { needs: "reviewer" },
        schema: {
          summary,
          params: ReviewParamsSchema,
          body: ActSchema,
          response: replies(ActReplySchema, 404, 409, 503),
        },
      },
      async (request, reply) => {
        const { id: review } = request.params as { id: string };
        return act(request, reply, { kind, review, ...(request.body as Act) });
      },
    );
  }

  server.post(
    "/reviews/:id/verdict",
    {
      config: { needs: "reviewer" },
      schema: {
        summary: "Answer a review; the same answer again gives the same reply",
        params: ReviewParamsSchema,
        body: VerdictBodySchema,
        response: replies(ActReplySchema, 404, 409, 422, 503),
      },
    },
    async (request, reply) => {
      const { id: review } = request.params as { id: string };
      const body = request.body as VerdictBody;
      const answered = act(request, reply, { kind: "resolve", review, ...body }, body.transaction);
      times.answered(request.asker!.name);
      return answered;
    },
  );
}

/** The review that the path names. @throws ApiError where there is none */
export function knownReview(desk: Desk, request: FastifyRequest): ReviewRow {
  const { id } = request.params as { id: string };
  const review = desk.show(id);
  if (review === undefined) throw new ApiError(404, "unknown-review", `there is no review ${id}`);
  return review;
}
