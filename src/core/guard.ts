/** The guard: accepts thresholds that the certificate supports, and says with numbers why it refuses others. */

import {
  boundsAt,
  type ClassBound,
  classCellAt,
  cleanPartsNeeded,
  impliedBound,
  type RuleBounds,
  type StationBound,
  snapLambda,
} from "./envelope/lookup.ts";
import type { Cell, Certificate } from "./envelope/types.ts";

/** What of a thresholds file bears on the promise. */
export interface Proposal {
  readonly alpha: number;
  readonly alphaClass: number;
  /** Failure probability that is claimed for the whole certificate. */
  readonly eta: number;
  /** Null: everything is reviewed. */
  readonly lambda: number | null;
  /** Indices of the classes that may pass. */
  readonly classes: readonly number[];
  /** Stricter lambdas of single classes, by class index. */
  readonly classLambdas: ReadonlyMap<number, number>;
}

export type Support =
  | {
      readonly supported: true;
      /** Undefined where nothing passes. */
      readonly station: StationBound | undefined;
      /** Bounds of the classes that pass. */
      readonly classes: readonly ClassBound[];
      /** Lambda of each class as the judge reads it [K]; NaN where the class is always reviewed. */
      readonly lambda: Float64Array;
      /** The same while the monitor is amber: of each class the strictest that is proven, none looser than above. */
      readonly lambdaAmber: Float64Array;
    }
  | {
      readonly supported: false;
      readonly reasons: readonly string[];
      /** Bounds that are too high, in numbers. */
      readonly shortfalls: readonly Shortfall[];
      /** As the judge would read it, where nothing but bounds speaks against it. */
      readonly lambda: Float64Array | undefined;
    };

/** A bound that is above what is to be promised. */
export interface Shortfall {
  /** Null: the station's bound. */
  readonly class: string | null;
  readonly n: number;
  readonly k: number;
  readonly upperBound: number;
  /** The alpha or alphaClass that it is above. */
  readonly limit: number;
  /** More parts in this cell, all faithful, with which the table would prove the limit. */
  readonly cleanPartsNeeded: number;
}

/**
 * Looks thresholds up in the certificate. Nothing is fitted or tested here: all bounds of the tables hold
 * together, and the walk's at the alpha that it walked with.
 */
export function supportOf(
  proposal: Proposal,
  certificate: Certificate,
  classNames: readonly string[],
): Support {
  const inForce = new Float64Array(classNames.length).fill(Number.NaN);
  if (proposal.lambda === null || proposal.classes.length === 0) {
    return { supported: true, station: undefined, classes: [], lambda: inForce, lambdaAmber: inForce };
  }
  const reasons: string[] = [];
  if (!(proposal.eta >= certificate.etaTarget)) {
    reasons.push(
      `eta ${proposal.eta} claims more than the certificate's, which fails with probability ${certificate.etaTarget}`,
    );
  }
  for (const c of proposal.classLambdas.keys()) {
    if (!proposal.classes.includes(c))
      reasons.push(`${classNames[c]}: has a lambda of its own but is not among the classes`);
  }
  const asked = columnsAsked(proposal, proposal.lambda, certificate, classNames, reasons);
  const refused = { supported: false, shortfalls: [], lambda: undefined } as const;
  if (asked === undefined) return { ...refused, reasons };

  const bounds = tightestBounds(asked, certificate);
  if (bounds === undefined) return { ...refused, reasons: tooLoose(asked, certificate, classNames) };
  const { station } = bounds;
  const passing = passingIn(bounds);
  for (const { classIndex, coarseIndex } of passing) {
    inForce[classIndex] = certificate.lambdas[certificate.coarse[coarseIndex]!]!;
  }
  const shortfalls = shortfallsOf(bounds, proposal, certificate, classNames);
  if (shortfalls.length === 0) {
    const lambdaAmber = amberLambdas(inForce, proposal.alphaClass, certificate);
    return { supported: true, station, classes: passing, lambda: inForce, lambdaAmber };
  }
  return { supported: false, reasons: shortfalls.map(tooHigh), shortfalls, lambda: inForce };
}

/**
 * For each class the strictest point of the coarse grid at which its own bound is at most alphaClass; looser than what
 * is in force is none. NaN where there is none: the class is then always reviewed.
 * @param lambda in force [K]
 */
function amberLambdas(lambda: Float64Array, alphaClass: number, certificate: Certificate): Float64Array {
  return lambda.map((own, c) => {
    const column = certificate.coarse.findIndex(
      (_, j) => classCellAt(certificate, c, j).upperBound <= alphaClass,
    );
    const strictest = certificate.lambdas[certificate.coarse[column] ?? -1] ?? Number.NaN;
    return strictest <= own ? strictest : Number.NaN;
  });
}

/** Thresholds as they were wished for, brought onto the grid. */
export interface Snapped {
  readonly proposal: Proposal;
  /** What was moved, and to where. */
  readonly moved: readonly { readonly class: string | null; readonly from: number; readonly to: number }[];
}

/**
 * Snaps each lambda to the next stricter point of the grid. A lambda of a class that is no stricter than the
 * station's says nothing of its own, and is left out.
 * @returns the reasons, where no point is as strict as what is wished for
 */
export function snapProposal(
  wished: Proposal,
  certificate: Certificate,
  classNames: readonly string[],
): Snapped | { readonly reasons: readonly string[] } {
  if (wished.lambda === null) return { proposal: wished, moved: [] };
  const moved: { class: string | null; from: number; to: number }[] = [];
  const reasons: string[] = [];
  const snap = (lambda: number, name: string | null): number | undefined => {
    const to = certificate.lambdas[certificate.coarse[snapLambda(certificate, lambda)] ?? -1];
    if (to === undefined) {
      const strictest = certificate.lambdas[certificate.coarse[0] ?? -1];
      const grid = strictest === undefined ? "the certificate has none" : `the strictest is ${strictest}`;
      reasons.push(
        `${name === null ? "" : `${name}: `}lambda ${lambda}: no grid point is as strict; ${grid}`,
      );
    } else if (to !== lambda) moved.push({ class: name, from: lambda, to });
    return to;
  };
  const lambda = snap(wished.lambda, null);
  const classLambdas = new Map<number, number>();
  for (const [c, own] of wished.classLambdas) {
    const to = snap(own, classNames[c] ?? String(c));
    if (to !== undefined && lambda !== undefined && to < lambda) classLambdas.set(c, to);
  }
  if (lambda === undefined || reasons.length > 0) return { reasons };
  return { proposal: { ...wished, lambda, classLambdas }, moved };
}

/** What is asked for: the station's column of the tables, and the column of each class, -1 where it may not pass. */
interface Asked {
  readonly station: number;
  readonly classes: readonly number[];
}

function columnsAsked(
  { classes, classLambdas }: Proposal,
  lambda: number,
  certificate: Certificate,
  classNames: readonly string[],
  reasons: string[],
): Asked | undefined {
  const station = columnOf(lambda, certificate, "lambda", reasons);
  const columns = classNames.map((name, c) => {
    const own = classLambdas.get(c);
    if (!classes.includes(c)) return -1;
    if (own === undefined) return station ?? -1;
    if (!(own <= lambda)) reasons.push(`${name}: its lambda ${own} is looser than the station's ${lambda}`);
    return columnOf(own, certificate, `${name}: lambda`, reasons) ?? -1;
  });
  return reasons.length > 0 || station === undefined ? undefined : { station, classes: columns };
}

/**
 * The bounds of what is asked, the station's being the lowest that anything proves: a rule that is exactly this,
 * or what the bounds of the classes imply. Undefined where no rule is that loose.
 */
function tightestBounds(asked: Asked, certificate: Certificate): RuleBounds | undefined {
  let tightest: RuleBounds | undefined;
  const own = new Map(asked.classes.entries());
  for (const [chain, limits] of certificate.limits.entries()) {
    const allowed = limits.map((limit) => Math.min(limit, asked.station));
    if (!asked.classes.every((column, c) => column <= allowed[c]!)) continue;
    const bounds = boundsAt(certificate, chain, asked.station, own);
    const implied = impliedBound(certificate, passingIn(bounds));
    const station = implied.upperBound < bounds.station.upperBound ? implied : bounds.station;
    if (tightest === undefined || station.upperBound < tightest.station.upperBound) {
      tightest = { ...bounds, station };
    }
  }
  return tightest;
}

function passingIn({ classes }: RuleBounds): ClassBound[] {
  return classes.filter(({ passes }) => passes);
}

/** For each class that no rule lets pass at what is asked: how far one does. */
function tooLoose(asked: Asked, certificate: Certificate, classNames: readonly string[]): string[] {
  const { limits, lambdas, coarse } = certificate;
  return asked.classes.flatMap((column, c) => {
    const furthest = Math.max(-1, ...limits.map((row) => Math.min(row[c]!, asked.station)));
    if (column <= furthest) return [];
    const allowed = furthest < 0 ? "never" : `up to ${lambdas[coarse[furthest]!]}`;
    return [
      `${classNames[c]}: is to pass up to lambda ${lambdas[coarse[column]!]}, the certificate lets it pass ${allowed}`,
    ];
  });
}

/** The column of the tables at exactly this lambda; where there is none, a reason that names the next stricter one. */
function columnOf(
  lambda: number,
  certificate: Certificate,
  what: string,
  reasons: string[],
): number | undefined {
  const column = snapLambda(certificate, lambda);
  const snapped = certificate.lambdas[certificate.coarse[column] ?? -1];
  if (snapped === lambda) return column;
  const advice = snapped === undefined ? "none is stricter" : `the next stricter is ${snapped}`;
  reasons.push(`${what} ${lambda} is not on the grid; ${advice}`);
  return undefined;
}

function shortfallsOf(
  bounds: RuleBounds,
  { alpha, alphaClass }: Proposal,
  certificate: Certificate,
  classNames: readonly string[],
): Shortfall[] {
  const { station } = bounds;
  const passing = passingIn(bounds);
  const shortfalls: Shortfall[] = [];
  if (!(station.upperBound <= alpha)) {
    const { n, k, upperBound, method } = station;
    // Where only the bounds of the classes speak for the station, each of them has to come down to alpha.
    const cleanPartsNeeded =
      method === "classes"
        ? passing.reduce((sum, { cell }) => sum + missing(cell, alpha, certificate.classCellEta), 0)
        : missing(station, alpha, certificate.stationCellEta);
    shortfalls.push({ class: null, n, k, upperBound, limit: alpha, cleanPartsNeeded });
  }
  for (const { classIndex, cell } of passing) {
    if (cell.upperBound <= alphaClass) continue;
    const { n, k, upperBound } = cell;
    const cleanPartsNeeded = missing(cell, alphaClass, certificate.classCellEta);
    shortfalls.push({
      class: classNames[classIndex]!,
      ...{ n, k, upperBound, limit: alphaClass, cleanPartsNeeded },
    });
  }
  return shortfalls;
}

function missing(cell: Cell, rate: number, eta: number): number {
  return cell.upperBound <= rate ? 0 : Math.max(1, cleanPartsNeeded(cell, rate, eta));
}

function tooHigh({ class: name, n, k, upperBound, limit, cleanPartsNeeded }: Shortfall): string {
  const above = name === null ? "alpha" : "alphaClass";
  return (
    `${name ?? "station"}: bound ${percent(upperBound)} is above ${above} ${percent(limit)} ` +
    `(${k} unfaithful of ${n} that passed; ${cleanPartsNeeded} more, all faithful, would suffice)`
  );
}

function percent(rate: number): string {
  return `${(100 * rate).toPrecision(3)}%`;
}
