/** The decoder of commands: the same numbers as on the line, and no payload that harms more than its process. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { FrameSpec, Preprocessing } from "../../src/core/frame.ts";
import { openDecoder } from "../../src/engine/decoder.ts";

const MODULE = fileURLToPath(new URL("../../dist/engine/decoder-main.js", import.meta.url));
const spec: FrameSpec = { kind: "tensor", type: "i16", shape: [3] };
const preprocessing: Preprocessing = { resize: "none", layout: "flat", scale: 1, mean: [0], std: [1] };
const json = (values: unknown) => ({
  encoding: "json" as const,
  payload: new Uint8Array(Buffer.from(JSON.stringify({ values }))),
});

/** A process in the decoder's place. */
function aDecoderThat(does: string) {
  const modulePath = join(mkdtempSync(join(tmpdir(), "sekisho-decoder-")), "main.mjs");
  writeFileSync(modulePath, does);
  return (frameDeadlineMs?: number) =>
    openDecoder({
      ...{ modulePath, spec, preprocessing, onStderr: () => {} },
      ...(frameDeadlineMs !== undefined && { frameDeadlineMs }),
    });
}

test("frames asked for at once come back in their order, those that are none with the reason", async () => {
  const decoder = openDecoder({ modulePath: MODULE, spec, preprocessing, onStderr: () => {} });
  const raw = { encoding: "raw" as const, payload: new Uint8Array(Int16Array.of(7, -8, 9).buffer) };
  const decoded = await Promise.all([
    decoder.decode(json([1, 2, 3])),
    decoder.decode(json([1, 2])),
    decoder.decode(raw),
    decoder.decode({ encoding: "png", payload: new Uint8Array(9) }),
    decoder.decode(json([4, 5.5, -6])),
  ]);
  expect(decoded).toEqual([
    { kind: "values", values: Float32Array.of(1, 2, 3) },
    { kind: "reject", reason: "too-short" },
    { kind: "values", values: Int16Array.of(7, -8, 9) },
    { kind: "reject", reason: "wrong-shape" },
    { kind: "values", values: Float32Array.of(4, 5.5, -6) },
  ]);
  await decoder.close();
});

test.each([
  ["ends the process", "process.exit(3);", undefined],
  [
    "is answered with nonsense",
    "import fs from 'node:fs'; fs.writeSync(3, Buffer.alloc(64, 1)); setInterval(() => {}, 1000);",
    undefined,
  ],
  ["is never answered", "setInterval(() => {}, 1000);", 50],
])("a frame that %s is poison, and so is the next, by another process", async (_, does, deadlineMs) => {
  const decoder = aDecoderThat(does)(deadlineMs);
  expect(await decoder.decode(json([1, 2, 3]))).toEqual({ kind: "reject", reason: "poison" });
  expect(await decoder.decode(json([1, 2, 3]))).toEqual({ kind: "reject", reason: "poison" });
  await decoder.close();
});
