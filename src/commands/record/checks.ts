/** What `record` can tell before it records: near-duplicates, and whether so few parts can certify anything. */

import type { CalibrationFrames } from "../../bundle/frames.ts";
import { etaShares } from "../../core/envelope/eta.ts";
import type { FrameSpec } from "../../core/frame.ts";
import type { Nuisance } from "../../core/nuisance.ts";
import { findNearDuplicates, type NearDuplicates } from "../../core/repeats/near-duplicates.ts";
import { SPLIT_SHARES } from "../../core/split.ts";
import { partsNeeded } from "../../core/statistics/binomial.ts";
import { showProgress, type Terminal } from "../terminal.ts";
import { type Parts, partCounts } from "./parts.ts";

/** What `certify` aims at unless it is told otherwise. */
export const USUAL = { alpha: 0.01, alphaClass: 0.05, eta: 0.05 };

/** Parts of cal that must pass, all of them faithful, before anything can be certified at the usual targets. */
export interface PartsNeeded {
  readonly station: number;
  readonly class: number;
}

/** The fewest that can do, in the first revision and with the shortest chain that shares eta. */
export function leastPartsNeeded(classes: number): PartsNeeded {
  const { walk, cell } = etaShares(USUAL.eta, 1, classes, 2);
  return {
    station: partsNeeded(0, USUAL.alpha, walk[0]!),
    class: partsNeeded(0, USUAL.alphaClass, cell),
  };
}

/** Near-duplicates where there should be none: anywhere without part ids, and between splits with them. */
export async function nearDuplicatesOf(
  frames: CalibrationFrames,
  { parts, partOf }: Parts,
  spec: FrameSpec,
  nuisances: readonly Nuisance[],
  seed: number,
  terminal: Terminal,
): Promise<NearDuplicates | undefined> {
  const progress = showProgress(terminal, "comparing frames", 2 * frames.count, Date.now);
  const splitOf = (frame: number): string => parts[partOf[frame]!]!.split;
  const found = await findNearDuplicates(frames, {
    spec,
    nuisances,
    mayPair: (i, j) => partOf[i] !== partOf[j] && !(frames.partsKnown && splitOf(i) === splitOf(j)),
    seed,
    progress: (done) => progress.at(done),
  });
  progress.end();
  return found;
}

/** In words, what makes the certificate worth less than it says, or nothing at all. */
export function warningsOf(
  frames: CalibrationFrames,
  parts: Parts,
  classes: readonly string[],
  near: NearDuplicates | undefined,
): string[] {
  return [
    ...nearDuplicateWarnings(frames, near),
    ...tooFewParts(parts, classes.length),
    ...tooFewOfClass(frames, parts, classes),
  ];
}

function nearDuplicateWarnings(frames: CalibrationFrames, near: NearDuplicates | undefined): string[] {
  if (near === undefined) {
    return frames.partsKnown
      ? []
      : [
          "frames this small are not searched for near-duplicates; if one part was recorded more than once, give part ids",
        ];
  }
  if (near.frames === 0) return [];
  const nameOf = (i: number): string => frames.names?.[i] ?? String(i);
  const examples = near.examples.map(([i, j]) => `${nameOf(i)} and ${nameOf(j)}`).join(", ");
  const rows = frames.names === undefined ? "rows " : "";
  return [
    frames.partsKnown
      ? `${near.frames} of ${frames.count} frames are near-duplicates of a frame of another part in another split, such as ${rows}${examples}. ` +
        "Where both show one part, cal is not independent of fit and the certificate does not hold: give it one part id, or one lot. " +
        "Different parts that look this much alike do no harm"
      : `${near.frames} of ${frames.count} frames are near-duplicates of another, such as ${rows}${examples}. Frames of one part are not ` +
        "independent, and the certificate does not hold if they count as parts: give part ids, one for each physical part " +
        `(array "parts", or images named PART__anything). Different parts that look this much alike do no harm`,
  ];
}

function tooFewParts({ parts }: Parts, classes: number): string[] {
  const { cal } = partCounts(parts);
  const { station } = leastPartsNeeded(classes);
  if (cal >= station) return [];
  return [
    `cal has ${cal} parts, too few to certify alpha ${USUAL.alpha}: even if all of them pass and none is unfaithful it takes ${station}. ` +
      `Bring ${Math.ceil(station / SPLIT_SHARES.cal)} parts in all, and as many times more as go to review or are unfaithful`,
  ];
}

/** By their labels; what counts in the end is the class that the student predicts. */
function tooFewOfClass(
  frames: CalibrationFrames,
  { parts, partOf }: Parts,
  classes: readonly string[],
): string[] {
  if (frames.labels.includes(-1)) return [];
  const needed = leastPartsNeeded(classes.length).class;
  const seen = new Set<number>();
  const counts = new Array<number>(classes.length).fill(0);
  frames.labels.forEach((label, i) => {
    const part = partOf[i]!;
    if (seen.has(part) || parts[part]!.split !== "cal") return;
    seen.add(part);
    counts[label]!++;
  });
  const few = classes.flatMap((name, c) => (counts[c]! < needed ? [`${name} (${counts[c]})`] : []));
  if (few.length === 0) return [];
  return [
    `cal has too few parts of ${few.join(", ")}: a class needs ${needed} that pass, none unfaithful, to be certified at ` +
      `alphaClass ${USUAL.alphaClass}; with fewer it is always reviewed`,
  ];
}
