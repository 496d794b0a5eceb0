/** What band, novelty and score cost for one frame, and whether it grows with the evidence. */

import { createAssessor } from "../../src/core/envelope/assess.ts";
import { studentColumns } from "../../src/core/envelope/cut.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { someEvidence } from "../core/evidence.ts";

export interface ScoreCost {
  readonly fitParts: number;
  readonly prototypes: number;
  /** Microseconds a frame: median over blocks of frames, and the slowest twentieth. */
  readonly medianUs: number;
  readonly p95Us: number;
}

const CLASSES = 10;
const FEATURES = 32;
/** Share of the parts that are in the split fit. */
const FIT_SHARE = 8 / 20;
const FRAMES = 4096;
const BLOCK = 64;
const PASSES = 60;
const WARMUP_PASSES = 20;

/** Envelopes fitted on so many parts each, timed in alternation over the same fresh frames. */
export function scoreCosts(
  fitParts: readonly number[],
  onFit: (parts: number) => void,
): readonly ScoreCost[] {
  const world = { classes: CLASSES, features: FEATURES };
  const frames = studentColumns(someEvidence({ ...world, seed: 99, parts: FRAMES }));
  const rivals = fitParts.map((parts) => {
    onFit(parts);
    const evidence = someEvidence({ ...world, seed: 1, parts: Math.ceil(parts / FIT_SHARE) });
    const fitted = fitEnvelope(evidence, { delta: 0.1, seed: 1 });
    return { parts, fitted, assessor: createAssessor(fitted), blockUs: [] as number[] };
  });
  let sum = 0;
  for (let pass = 0; pass < WARMUP_PASSES + PASSES; pass++) {
    for (const { assessor, blockUs } of rivals) {
      for (let from = 0; from < FRAMES; from += BLOCK) {
        const start = performance.now();
        for (let row = from; row < from + BLOCK; row++) sum += assessor.assess(frames, row).score;
        if (pass >= WARMUP_PASSES) blockUs.push(((performance.now() - start) * 1000) / BLOCK);
      }
    }
  }
  if (!(sum > 0)) throw new Error("no frame was given a score; nothing was measured");
  return rivals.map(({ parts, fitted, blockUs }) => {
    blockUs.sort((a, b) => a - b);
    return {
      fitParts: parts,
      prototypes: fitted.prototypes.gaps.length,
      medianUs: blockUs[Math.floor(blockUs.length / 2)]!,
      p95Us: blockUs[Math.floor(blockUs.length * 0.95)]!,
    };
  });
}
