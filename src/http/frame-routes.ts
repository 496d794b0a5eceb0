/** The frames of reviews over HTTP: bytes that nobody vouches for, and how they are to be read. */

import type { FastifyInstance, FastifyReply } from "fastify";
import type { Desk, ReviewRow } from "../gateway/desk.ts";
import { FrameDescriptionSchema, ReviewParamsSchema, ReviewSchema, type StationView } from "./api-schemas.ts";
import { ApiError, notFound } from "./errors.ts";
import { encodePngElsewhere } from "./png.ts";
import { replies } from "./replies.ts";
import { knownReview } from "./review-routes.ts";

export interface FrameRoutesOptions {
  readonly desk: Desk;
  readonly stations: () => readonly StationView[];
}

/** Types that are given out as they are; bytes of any other are bytes. */
const FRAME_TYPES = ["application/json", "application/octet-stream", "image/jpeg", "image/png"];

export function frameRoutes(server: FastifyInstance, { desk, stations }: FrameRoutesOptions): void {
  const frameOf = (review: ReviewRow) => {
    const frame = desk.frameOf(review.id);
    if (frame === undefined) throw notFound("no frame is kept for this review, or it had to make room");
    const isPlain = FRAME_TYPES.includes(frame.contentType);
    return { ...frame, contentType: isPlain ? frame.contentType : "application/octet-stream" };
  };
  const specAt = (station: string) => stations().find((one) => one.station === station)?.frame ?? null;

  server.get(
    "/reviews/:id/frame",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "The frame of a review, as its sensor sent it: bytes that nobody vouches for",
        params: ReviewParamsSchema,
        response: { ...replies(ReviewSchema, 404, 503), 200: bytesOf("The frame's bytes.", FRAME_TYPES) },
      },
    },
    async (request, reply) => {
      const review = knownReview(desk, request);
      const { contentType, payload } = frameOf(review);
      return sendFrame(reply, review.id, contentType, payload);
    },
  );

  server.get(
    "/reviews/:id/frame.png",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "The frame of a review where it is the bare pixels of an image, as a PNG that is made here",
        params: ReviewParamsSchema,
        response: { ...replies(ReviewSchema, 404, 422, 503), 200: bytesOf("The image.", ["image/png"]) },
      },
    },
    async (request, reply) => {
      const review = knownReview(desk, request);
      const { contentType, payload } = frameOf(review);
      const spec = specAt(review.station);
      const [height = 0, width = 0, channels = 0] = spec?.kind === "image" ? spec.shape : [];
      const isBare =
        contentType === "application/octet-stream" && payload.length === height * width * channels;
      if (!isBare || payload.length === 0) {
        const message = `expected the bare pixels of an image, found ${payload.length} bytes of ${contentType}; ask for /frame`;
        throw new ApiError(422, "no-bare-image", message);
      }
      const image = { kind: "image", height, width, channels: channels as 1 | 3 } as const;
      return sendFrame(reply, `${review.id}.png`, "image/png", await encodePngElsewhere(payload, image));
    },
  );

  server.get(
    "/reviews/:id/frame-spec",
    {
      config: { needs: "viewer" },
      schema: {
        summary: "How the frame of a review is to be read",
        params: ReviewParamsSchema,
        response: replies(FrameDescriptionSchema, 404, 503),
      },
    },
    async (request) => {
      const review = knownReview(desk, request);
      const { contentType, payload } = frameOf(review);
      return { contentType, bytes: payload.length, frame: specAt(review.station) };
    },
  );
}

function bytesOf(description: string, types: readonly string[]): object {
  const schema = { type: "string", format: "binary" };
  return { description, content: Object.fromEntries(types.map((type) => [type, { schema }])) };
}

/** To be saved and not to be run, whatever a browser thinks of it. */
function sendFrame(
  reply: FastifyReply,
  name: string,
  contentType: string,
  payload: Uint8Array,
): FastifyReply {
  return reply
    .header("content-disposition", `attachment; filename="${name}"`)
    .header("content-security-policy", "sandbox; default-src 'none'")
    .type(contentType)
    .send(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
}
