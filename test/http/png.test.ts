/** PNGs of frames, read by another program's hand. */

import sharp from "sharp";
import { expect, test } from "vitest";
import { encodePng, encodePngElsewhere } from "../../src/http/png.ts";
import { someBytes } from "../support/http.ts";

test.each([
  [1, "b-w"],
  [3, "srgb"],
] as const)("an image of %i channels has the same pixels, however they come", async (channels, space) => {
  const [width, height] = [7, 5];
  const pixels = Uint8Array.from(someBytes()(width * height * channels));
  const spec = { kind: "image", width, height, channels } as const;
  const png = await encodePngElsewhere(pixels, spec);
  const { data, info } = await sharp(png).toColourspace(space).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([width, height, channels]);
  expect(data).toEqual(Buffer.from(pixels));
  expect(encodePng(pixels, spec)).toEqual(png);
  expect(
    encodePng(
      Float32Array.from(pixels, (pixel) => pixel + 0.25),
      spec,
    ),
  ).toEqual(png);
});
