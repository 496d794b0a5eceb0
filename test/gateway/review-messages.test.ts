import { expect, test } from "vitest";
import { openMessage } from "../../src/gateway/review-messages.ts";
import { AN_ALERT, aReview } from "../support/reviews.ts";

const said = (bytes: number | undefined): Record<string, unknown> => {
  const frame =
    bytes === undefined ? undefined : { contentType: "image/png", payload: new Uint8Array(bytes) };
  return JSON.parse(openMessage(aReview({ id: "r-7" }), frame, AN_ALERT)) as Record<string, unknown>;
};

test("an alert has a small frame in it, and the address of any frame", () => {
  const frameLink = "http://gateway:8477/api/reviews/r-7/frame";
  expect(said(100)).toMatchObject({ frameLink, frameInline: { contentType: "image/png" } });
  expect(said(101)).toMatchObject({ frameLink });
  expect(said(101)).not.toHaveProperty("frameInline");
});

test("an alert of a review without a frame has neither", () => {
  expect(said(undefined)).not.toHaveProperty("frameInline");
  expect(said(undefined)).not.toHaveProperty("frameLink");
});
