/** The class sets: which classes may pass together and how far each, to cover what cal is likely to prove. */

import { failuresAllowed } from "../statistics/binomial.ts";
import { incompleteBetaInverse } from "../statistics/special.ts";
import { rehearseClasses, walkStart } from "./class-walks.ts";
import { type EtaShares, etaShares } from "./eta.ts";
import type { Rehearsal } from "./rehearsal.ts";
import type { CertifyOptions } from "./types.ts";

const SETS_MAX = 12;
/** Sets chosen by the rehearsal; the others are spare. */
const COVERING_SETS_MAX = 8;
/** A further set must raise the expected pass rate by this much, since every set costs the others some eta. */
const GAIN_LEAST = 0.0005;
/** Sets of classes that are each proven with this probability, up to where they are. */
const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98] as const;
/** Sets of what single draws of the rehearsal would prove. */
const DRAWN_SETS = 60;

/** One class set: how far each class may pass in it, and how it fared in the rehearsal. */
export interface ClassSet {
  /** Loosest lambda of each class [K], an index into the fine grid; -1 where it is not in the set. */
  readonly limit: readonly number[];
  /** Index into the fine grid at which the walk starts. */
  readonly start: number;
  /** Lambda that would have been chosen in each draw; -1 for none. */
  readonly chosen: Int32Array;
  /** Pass rate of that choice in each draw; 0 for none. */
  readonly passRate: Float64Array;
}

/** The sets, and where the walk of each class starts. */
export interface ChosenSets {
  /** At least one. */
  readonly sets: readonly ClassSet[];
  /** Index into the fine grid [K]. */
  readonly classStart: readonly number[];
}

/**
 * Chooses class sets. First greedily: S_0 is the one with the highest pass rate, mean over the rehearsal, that
 * both promises would allow; then whichever adds most where those before it fail. Which classes fail on cal is
 * not known yet, and two of them fail apart as often as together, so a nested chain alone would give up both for
 * either. Last a nested chain all the same: S_0 without its worst classes, for what was not foreseen.
 * @param calParts number of parts of cal
 * @returns the sets; where nothing can be expected to be proven, S_0 has all classes
 */
export function chooseSets(rehearsal: Rehearsal, targets: CertifyOptions, calParts: number): ChosenSets {
  const { classes, lambdas } = rehearsal;
  const shares: EtaShares = etaShares(targets.eta, targets.revision, classes, SETS_MAX);
  const { start, proven } = rehearseClasses(rehearsal, targets.alphaClass, shares);
  const candidates = candidateLimits(rehearsal, proven);
  if (candidates.length === 0) candidates.push(new Array<number>(classes).fill(lambdas - 1));
  const appraiseAll = (eta: number): ClassSet[] =>
    candidates.map((limit) => appraise(rehearsal, proven, limit, targets.alpha, eta, calParts));
  const sets = [bestBeside(appraiseAll(shares.walk[0]!), new Float64Array(rehearsal.draws.length)).set];
  let reached = sets[0]!.passRate;
  const further = appraiseAll(shares.walk[1]!);
  while (sets.length < COVERING_SETS_MAX) {
    const { set, passRate } = bestBeside(further, reached);
    if (!(mean(passRate) - mean(reached) >= GAIN_LEAST)) break;
    sets.push(set);
    reached = passRate;
  }
  const known = new Set(sets.map(({ limit }) => limit.join()));
  const spare = narrowedLimits(rehearsal, sets[0]!, shares.classWalk, SETS_MAX - sets.length).filter(
    (limit) => !known.has(limit.join()),
  );
  const spareSets = spare.map((limit) =>
    appraise(rehearsal, proven, limit, targets.alpha, shares.walk[1]!, calParts),
  );
  return { sets: [...sets, ...spareSets], classStart: start };
}

/**
 * Spare sets for what the rehearsal did not foresee: S_0 without its worst classes, those first whose expected
 * class bound is highest, down to half of it.
 */
function narrowedLimits(
  { lambdas, n, draws }: Rehearsal,
  { limit, chosen }: ClassSet,
  eta: number,
  count: number,
): number[][] {
  const usual = chosen.toSorted()[chosen.length >> 1]!;
  const bound = limit.map((most, c) => {
    const at = c * lambdas + Math.min(most, usual < 0 ? most : usual);
    if (most < 0 || !(n[at]! > 0)) return 1;
    const failures = Math.min(n[at]!, draws.reduce((sum, k) => sum + k[at]!, 0) / draws.length);
    return incompleteBetaInverse(failures + 1, Math.max(n[at]! - failures, 1e-3), eta, "upper");
  });
  const worst = limit
    .map((_, c) => c)
    .filter((c) => limit[c]! >= 0)
    .sort((a, b) => bound[b]! - bound[a]!);
  const numbers = new Set(
    Array.from({ length: count }, (_, i) => Math.ceil(((i + 1) * worst.length) / (2 * count))),
  );
  return [...numbers]
    .filter((dropped) => dropped < worst.length)
    .map((dropped) => {
      const isDropped = new Set(worst.slice(0, dropped));
      return limit.map((most, c) => (isDropped.has(c) ? -1 : most));
    });
}

/** Limits to choose from, each once: of classes proven at some level, and of what single draws prove. */
function candidateLimits({ classes, lambdas }: Rehearsal, proven: readonly Uint8Array[]): number[][] {
  const probability = new Float64Array(classes * lambdas);
  for (const cells of proven) {
    cells.forEach((holds, at) => {
      probability[at]! += holds / proven.length;
    });
  }
  const loosest = (cells: ArrayLike<number>, least: number): number[] =>
    Array.from({ length: classes }, (_, c) => {
      let at = lambdas - 1;
      while (at >= 0 && !(cells[c * lambdas + at]! >= least)) at--;
      return at;
    });
  const limits = [
    ...LEVELS.map((level) => loosest(probability, level)),
    ...proven.slice(0, DRAWN_SETS).map((cells) => loosest(cells, 1)),
  ];
  const unique = new Map(limits.map((limit) => [limit.join(), limit]));
  return [...unique.values()].filter((limit) => limit.some((at) => at >= 0));
}

/** How a set would fare: for each draw, the loosest lambda that the walk reaches and all class bounds allow. */
function appraise(
  rehearsal: Rehearsal,
  proven: readonly Uint8Array[],
  limit: readonly number[],
  alpha: number,
  eta: number,
  calParts: number,
): ClassSet {
  const { lambdas, n, draws } = rehearsal;
  const passing = addUp(n, limit, new Float64Array(lambdas));
  const allowed = Int32Array.from(passing, (count) => failuresAllowed(Math.floor(count), alpha, eta));
  const failures = draws.map((k) => addUp(k, limit, new Float64Array(lambdas)));
  const start = walkStart(failures, allowed);
  const chosen = Int32Array.from(failures, (counts, draw) => {
    let reached = -1;
    for (let i = start; i < lambdas && counts[i]! <= allowed[i]!; i++) {
      if (allProven(proven[draw]!, limit, lambdas, i)) reached = i;
    }
    return reached;
  });
  const passRate = Float64Array.from(chosen, (i) => (i < 0 ? 0 : passing[i]! / Math.max(1, calParts)));
  return { limit, start, chosen, passRate };
}

/** Running counts [K, L] added up over the classes, each up to its limit, to `sums` [L]. */
function addUp(
  counts: Float64Array | Uint32Array,
  limit: readonly number[],
  sums: Float64Array,
): Float64Array {
  const lambdas = sums.length;
  sums.fill(0);
  for (let c = 0; c < limit.length; c++) {
    const most = limit[c]!;
    if (most < 0) continue;
    const from = c * lambdas;
    for (let i = 0; i <= most; i++) sums[i]! += counts[from + i]!;
    const last = counts[from + most]!;
    for (let i = most + 1; i < lambdas; i++) sums[i]! += last;
  }
  return sums;
}

function allProven(cells: Uint8Array, limit: readonly number[], lambdas: number, i: number): boolean {
  for (let c = 0; c < limit.length; c++) {
    const at = Math.min(i, limit[c]!);
    if (at >= 0 && cells[c * lambdas + at] === 0) return false;
  }
  return true;
}

/** The set that does best where those chosen before it reach the pass rates given. */
function bestBeside(
  sets: readonly ClassSet[],
  reached: Float64Array,
): { set: ClassSet; passRate: Float64Array } {
  let best = { set: sets[0]!, passRate: reached };
  let most = -1;
  for (const set of sets) {
    const passRate = reached.map((rate, draw) => Math.max(rate, set.passRate[draw]!));
    if (mean(passRate) > most) {
      most = mean(passRate);
      best = { set, passRate };
    }
  }
  return best;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
