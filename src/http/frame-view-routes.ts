/** The frame of a review as the console shows it: drawn anew, and never a byte as it came in. */

import type { FastifyInstance, FastifyReply } from "fastify";
import Type from "typebox";
import { AUDIT } from "../core/review-record.ts";
import type { Desk, ReviewRow } from "../gateway/desk.ts";
import { ReviewParamsSchema, ReviewSchema } from "./api-schemas.ts";
import { ApiError, notFound } from "./errors.ts";
import { type FrameView, FrameViewSchema } from "./frame-view-schemas.ts";
import { replies } from "./replies.ts";
import { knownReview } from "./review-routes.ts";

/** What was drawn of a frame. */
export interface DrawnFrame {
  readonly picture?: { readonly width: number; readonly height: number };
  readonly signal?: NonNullable<FrameView["signal"]>;
  readonly numbers?: readonly number[];
  /** PNG of the picture. */
  readonly png?: Uint8Array;
}

export type ShownFrame =
  | { readonly kind: "none"; readonly why: NonNullable<FrameView["notShown"]> }
  | {
      readonly kind: "shown";
      readonly frame: DrawnFrame;
      readonly classes: readonly string[];
      /** The soft confidence of the student that is in force now, one number a class; undefined where it has none. */
      readonly confidence: readonly number[] | undefined;
      readonly neighbours: readonly (DrawnFrame & {
        readonly class: string;
        readonly confidenceTeacher: number;
        readonly confidenceStudent: number;
        readonly distance: number;
      })[];
    };

export interface FrameViewRoutesOptions {
  readonly desk: Desk;
  /** Total. What was asked for lately is at hand. */
  readonly shownFrame: (review: ReviewRow) => Promise<ShownFrame>;
}

/** Two runs of one student on one frame differ by less. */
const SAME_CONFIDENCE = 1e-3;

const NeighbourParams = Type.Object(
  { ...ReviewParamsSchema.properties, n: Type.Integer({ minimum: 0, maximum: 15 }) },
  { additionalProperties: false },
);

export function frameViewRoutes(server: FastifyInstance, { desk, shownFrame }: FrameViewRoutesOptions): void {
  server.get(
    "/reviews/:id/view",
    {
      config: { needs: "viewer" },
      schema: {
        summary:
          "What a person is shown beside a review: its frame drawn, the student's answer, frames like it",
        params: ReviewParamsSchema,
        response: replies(FrameViewSchema, 404, 503),
      },
    },
    async (request): Promise<FrameView> => {
      const review = knownReview(desk, request);
      return viewOf(review, await shownFrame(review));
    },
  );

  const png = {
    description: "The picture.",
    content: { "image/png": { schema: { type: "string", format: "binary" } } },
  };
  server.get(
    "/reviews/:id/frame-view.png",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "The frame of a review as a picture that is made here",
        params: ReviewParamsSchema,
        response: { ...replies(ReviewSchema, 404, 503), 200: png },
      },
    },
    async (request, reply) => {
      const shown = await shownFrame(knownReview(desk, request));
      return sendPicture(reply, shown, shown.kind === "shown" ? shown.frame : undefined);
    },
  );

  server.get(
    "/reviews/:id/neighbours/:n",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "A recorded frame that is like the one of a review, as a picture that is made here",
        params: NeighbourParams,
        response: { ...replies(ReviewSchema, 404, 503), 200: png },
      },
    },
    async (request, reply) => {
      const review = knownReview(desk, request);
      const { n } = request.params as { n: number };
      const shown = await shownFrame(review);
      const saying = shown.kind === "shown" && isSameStudent(review, shown) ? shown.neighbours[n] : undefined;
      return sendPicture(reply, shown, saying);
    },
  );
}

function sendPicture(reply: FastifyReply, shown: ShownFrame, drawn: DrawnFrame | undefined): FastifyReply {
  if (shown.kind === "none" && shown.why === "busy")
    throw new ApiError(503, "unavailable", "many frames are being drawn; try again", { "retry-after": "1" });
  if (drawn?.png === undefined) throw notFound("there is no picture of it; ask for /view");
  const { png } = drawn;
  return reply.type("image/png").send(Buffer.from(png.buffer, png.byteOffset, png.byteLength));
}

function viewOf(review: ReviewRow, shown: ShownFrame): FrameView {
  const drawn = shown.kind === "shown" ? drawnView(shown.frame, "frame-view.png") : { notShown: shown.why };
  const { bandLow, bandHigh } = review;
  const said = saidOf(review, shown);
  return {
    ...drawn,
    student: said,
    band: isBlind(review) || bandLow === null || bandHigh === null ? null : [bandLow, bandHigh],
    topTwo: said.length > 1 ? said[0]!.confidence - said[1]!.confidence : null,
    neighbours:
      shown.kind === "shown" && isSameStudent(review, shown)
        ? shown.neighbours.map(
            ({ class: name, confidenceTeacher, confidenceStudent, distance, ...frame }, n) => ({
              ...{ class: name, confidenceTeacher, confidenceStudent, distance },
              ...drawnView(frame, `neighbours/${n}`),
            }),
          )
        : [],
  };
}

function drawnView(
  { picture, signal, numbers }: DrawnFrame,
  image: string,
): Pick<FrameView, "picture" | "signal" | "vector"> {
  return {
    ...(picture && { picture: { image, ...picture } }),
    ...(signal && { signal }),
    ...(numbers && { vector: numbers.map((value) => ({ value })) }),
  };
}

/** Whoever answers an audit is not to know what the student said: frames like it would tell as well. */
function isBlind({ reason, resolvedAtMs }: ReviewRow): boolean {
  return reason === AUDIT && resolvedAtMs === null;
}

/**
 * Whether what the student says now is what was decided by. Another one may be in force by now, and of a part the frame
 * shown need not be the one that decided; then only what is on record is shown.
 */
function isSameStudent(
  review: ReviewRow,
  { classes, confidence }: Extract<ShownFrame, { kind: "shown" }>,
): boolean {
  if (isBlind(review) || confidence === undefined || review.className === null || review.confidence === null)
    return false;
  const found = confidence[classes.indexOf(review.className)];
  return found !== undefined && Math.abs(found - review.confidence) <= SAME_CONFIDENCE;
}

function saidOf(review: ReviewRow, shown: ShownFrame): FrameView["student"] {
  if (isBlind(review)) return [];
  if (shown.kind === "shown" && isSameStudent(review, shown)) {
    return shown
      .confidence!.map((confidence, c) => ({ class: shown.classes[c]!, confidence }))
      .sort((a, b) => b.confidence - a.confidence);
  }
  const { className, confidence } = review;
  return className === null || confidence === null ? [] : [{ class: className, confidence }];
}
