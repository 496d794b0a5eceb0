/** What the frames of a report look like: images as small PNGs, signals as a few hundred points. */

import sharp from "sharp";
import type { CalibrationFrames } from "../../bundle/frames.ts";
import type { FrameFacts } from "../../core/evaluation/facts.ts";
import type { FrameSpec } from "../../core/frame.ts";
import type { Look, ReportData, ShownFrame } from "../../report/data.ts";

const SHOWN_MAX = 12;
const IMAGE_SIDE_MAX = 224;
const SIGNAL_ROWS_MAX = 4;
const SIGNAL_POINTS_MAX = 300;

/** The most unfaithful frames that passed, and those that were reviewed, with what they look like. */
export async function shownFrames(
  facts: readonly FrameFacts[],
  frames: CalibrationFrames,
  spec: FrameSpec,
): Promise<ReportData["shown"]> {
  const worst = (isPassed: boolean): FrameFacts[] =>
    facts
      .filter((of) => of.isUnfaithful && of.isPassed === isPassed)
      .sort((a, b) => sortingGap(b) - sortingGap(a))
      .slice(0, SHOWN_MAX);
  const looked = async (of: readonly FrameFacts[]): Promise<ShownFrame[]> => {
    const shown: ShownFrame[] = [];
    for (const fact of of) {
      await frames.load(fact.row, 1);
      shown.push({ facts: fact, look: await lookOf(frames.values(fact.row), spec) });
    }
    return shown;
  };
  return { passed: await looked(worst(true)), reviewed: await looked(worst(false)) };
}

/** A gap that is no number is worse than any. */
function sortingGap({ gap }: FrameFacts): number {
  return Number.isFinite(gap) ? gap : Number.POSITIVE_INFINITY;
}

export async function lookOf(values: Float32Array, spec: FrameSpec): Promise<Look> {
  if (spec.kind === "tensor") return { kind: "signal", rows: signalRows(values, spec.shape) };
  const { width, height, channels } = spec;
  const png = await sharp(Uint8Array.from(values, Math.round), { raw: { width, height, channels } })
    .resize(IMAGE_SIDE_MAX, IMAGE_SIDE_MAX, { fit: "inside", withoutEnlargement: true })
    .png()
    .toBuffer();
  return { kind: "image", pngBase64: png.toString("base64") };
}

/** The first rows along the last axis, each thinned to pairs of its least and largest values. */
function signalRows(values: Float32Array, shape: readonly number[]): number[][] {
  const length = shape.at(-1) ?? 1;
  const rows = Math.min(SIGNAL_ROWS_MAX, values.length / length);
  return Array.from({ length: rows }, (_, row) =>
    envelopeOf(values.subarray(row * length, (row + 1) * length)),
  );
}

function envelopeOf(row: Float32Array): number[] {
  if (row.length <= SIGNAL_POINTS_MAX) return Array.from(row);
  const stretches = SIGNAL_POINTS_MAX / 2;
  return Array.from({ length: stretches }, (_, i) => {
    const stretch = row.subarray(
      Math.floor((i * row.length) / stretches),
      Math.floor(((i + 1) * row.length) / stretches),
    );
    return [Math.min(...stretch), Math.max(...stretch)];
  }).flat();
}
