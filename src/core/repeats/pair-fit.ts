/** Which nuisances turn one frame of a part into another frame of it, and how much of each. */

import type { FrameSpec } from "../frame.ts";
import type { Nuisance } from "../nuisance.ts";
import { type ErrorsInVariablesFit, errorsInVariables } from "../statistics/errors-in-variables.ts";
import { deviationOf, meanOf } from "../statistics/moments.ts";
import { createLattice, type Lattice, type Overlay, type Shift } from "./lattice.ts";
import { createPairSample, type PairSample, type Relation } from "./pair-sample.ts";

/** Nuisances of the spec's kind that together turn one frame into another, with magnitudes in the recipe's units. */
export type PairExplanation = readonly Nuisance[];

export interface PairFit {
  /** Largest shift that it looks for. */
  readonly steps: number;
  /**
   * How the difference of two frames can be explained, from the simplest way to the best that is evident: at one
   * shift by noise alone, then with another brightness and contrast (of a tensor: offset and gain), then with
   * blur. Noise is all that the rest leaves unexplained, so that no difference goes uncounted.
   */
  explain(a: Float32Array, b: Float32Array): readonly [PairExplanation, ...PairExplanation[]];
}

/** A richer explanation must leave so much less noise that chance would do it at five standard errors. */
const EVIDENT = 25;
/** Share of the scale at each end where noise and brightness are cut short. */
const END_SHARE = 1 / 16;
/** Fewer pixels than this away from the ends say nothing of gain or blur; so few numbers of a tensor neither. */
const PIXELS_LEAST = 64;
const NUMBERS_LEAST = 8;
/** A gain or blur is believed only where what it rests on stands out of the noise by so much. */
const STANDS_OUT = 4;
/** Noise of (b, a, the binomial mean around a): the mean has 1/4 of a's own noise, and 9/64 of its variance. */
const NOISE_SHAPE = [1, 0, 0, 0, 1, 1 / 4, 0, 1 / 4, 9 / 64];
const NOISE_SHAPE_WITHOUT_BLUR = [1, 0, 0, 1];

/**
 * @param steps largest shift looked for; held to what a lattice looks for
 * @throws RangeError if frames of this spec are too small to be compared
 */
export function createPairFit(spec: FrameSpec, steps: number): PairFit {
  const lattice = createLattice(spec, steps);
  const sample = createPairSample(spec, lattice);
  const differences = (a: Float32Array, b: Float32Array): Difference[] => {
    const shift = shiftBetween(lattice, a, b);
    sample.take(a, b, shift);
    const steps = Math.max(Math.abs(shift.dy), Math.abs(shift.dx));
    return relationsOf(sample, spec).map((relation) => ({ ...relation, steps }));
  };
  return {
    steps: lattice.steps,
    explain(a, b) {
      const forwards = differences(a, b);
      const explained = forwards.filter(({ blur }) => blur >= 0).map((one) => inUnitsOf(spec, a, one));
      // A negative blur means that a is the blurred one.
      if (forwards.at(-1)!.blur < 0) {
        const backwards = differences(b, a).filter(({ blur }) => blur >= 0);
        explained.push(...backwards.map((one) => inUnitsOf(spec, b, one)));
      }
      return explained as [PairExplanation, ...PairExplanation[]];
    },
  };
}

interface NoisyRelation extends Relation {
  /** Standard deviation. */
  readonly noise: number;
}

interface Difference extends NoisyRelation {
  readonly steps: number;
}

function inUnitsOf(spec: FrameSpec, from: Float32Array, difference: Difference): PairExplanation {
  const { steps, constant, gain, blur, noise } = difference;
  const change = Math.max(gain, 1 / gain) - 1;
  if (spec.kind === "image") {
    return [
      { kind: "shift", magnitude: steps },
      // Contrast turns about the mean, so that only the rest of the constant is brightness.
      { kind: "brightness", magnitude: Math.abs(constant + (gain - 1) * meanOf(from)) / 255 },
      { kind: "contrast", magnitude: change },
      { kind: "blur", magnitude: blur },
      { kind: "noise", magnitude: noise / 255 },
    ];
  }
  const deviation = deviationOf(from);
  const inDeviations = (value: number): number => (value === 0 ? 0 : value / deviation);
  return [
    { kind: "tensor-noise", magnitude: inDeviations(noise) },
    { kind: "gain", magnitude: change },
    { kind: "offset", magnitude: inDeviations(Math.abs(constant)) },
    { kind: "time-shift", magnitude: steps },
  ];
}

/** The shift of a that resembles b most, up to gain and offset; none, where none is evidently better. */
function shiftBetween({ shifts, search }: Lattice, a: Float32Array, b: Float32Array): Shift {
  const { places } = search[0]!;
  const target = Float64Array.from(places, (at) => b[at]!);
  const mean = target.reduce((sum, value) => sum + value, 0) / target.length;
  let variance = 0;
  for (let i = 0; i < target.length; i++) {
    target[i]! -= mean;
    variance += target[i]! ** 2 / target.length;
  }
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  let unmoved = 0;
  for (const [s, overlay] of search.entries()) {
    const left = variance - explained(a, overlay, target);
    if (s === 0) unmoved = left;
    if (left < least) [best, least] = [s, left];
  }
  return shifts[isEvident(unmoved, least, target.length) ? best : 0]!;
}

/** Variance of a target of mean 0 that a straight line over the shifted frame explains. */
function explained(values: Float32Array, { from }: Overlay, target: Float64Array): number {
  const n = target.length;
  let sum = 0;
  let squares = 0;
  let products = 0;
  for (let i = 0; i < n; i++) {
    const value = values[from[i]!]!;
    sum += value;
    squares += value * value;
    products += value * target[i]!;
  }
  const spread = squares - (sum * sum) / n;
  return spread > 0 ? (products * products) / spread / n : 0;
}

/** Whether an explanation leaves less variance over n places than chance would. */
function isEvident(before: number, after: number, n: number): boolean {
  return n * (before - after) > EVIDENT * Math.max(0, after);
}

/** Relations that explain b, each after the first only if evidently better: a itself, a with a gain, a blurred. */
function relationsOf(sample: PairSample, spec: FrameSpec): NoisyRelation[] {
  const { n, means, covariance } = sample.moments(END_SHARE);
  if (n < (spec.kind === "image" ? PIXELS_LEAST : NUMBERS_LEAST)) return [plainRelation(sample)];
  const relations: NoisyRelation[] = [];
  let least = Number.POSITIVE_INFINITY;
  const add = (gain: number, blur: number, variance: number): void => {
    const constant = means[0] - gain * ((1 - blur) * means[1] + blur * means[2]);
    const relation = { constant, gain, blur };
    // Both frames carry noise, so between them it is the root of two times as large. What the ends of the scale
    // hide from the fit counts all the same.
    const noise = Math.max(Math.sqrt(2 * variance), sample.unexplained(relation));
    relations.push({ ...relation, noise });
    least = variance;
  };
  const consider = (gain: number, blur: number, { variance, next }: ErrorsInVariablesFit): void => {
    const isDetermined = gain > 0 && blur <= 1 && next > STANDS_OUT * variance;
    if (isDetermined && isEvident(least, variance, n)) add(gain, blur, variance);
  };
  const [bb, ba, , , aa] = covariance as [number, number, number, number, number];
  add(1, 0, Math.max(0, bb - 2 * ba + aa) / 2);
  const scaled = errorsInVariables([bb, ba, ba, aa], NOISE_SHAPE_WITHOUT_BLUR, 2);
  consider(scaled.coefficients[0]!, 0, scaled);
  if (spec.kind === "image") {
    const blurred = errorsInVariables(covariance, NOISE_SHAPE, 3);
    const [ofA, ofMean] = blurred.coefficients as [number, number];
    consider(ofA + ofMean, ofMean / (ofA + ofMean), blurred);
  }
  return relations;
}

/** Where nearly all is at an end of the scale: what is free tells the constant, if there is enough of it. */
function plainRelation(sample: PairSample): NoisyRelation {
  const { n, means } = sample.moments(0);
  const relation = { constant: n < NUMBERS_LEAST ? 0 : means[0] - means[1], gain: 1, blur: 0 };
  return { ...relation, noise: sample.unexplained(relation) };
}
