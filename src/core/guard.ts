/** The guard: accepts thresholds that the certificate supports, and says with numbers why it refuses others. */

import {
  boundsAt,
  type ClassBound,
  classCellAt,
  type RuleBounds,
  type StationBound,
  snapLambda,
} from "./envelope/lookup.ts";
import type { Certificate } from "./envelope/types.ts";

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
  | { readonly supported: false; readonly reasons: readonly string[] };

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
  if (asked === undefined) return { supported: false, reasons };

  const bounds = tightestBounds(asked, certificate);
  if (bounds === undefined) return { supported: false, reasons: tooLoose(asked, certificate, classNames) };
  const { station } = bounds;
  const passing = bounds.classes.filter((bound) => bound.passes);
  if (!(station.upperBound <= proposal.alpha)) {
    reasons.push(tooHigh("station", station.upperBound, "alpha", proposal.alpha, station));
  }
  for (const { classIndex, cell } of passing) {
    if (cell.upperBound <= proposal.alphaClass) continue;
    reasons.push(tooHigh(classNames[classIndex]!, cell.upperBound, "alphaClass", proposal.alphaClass, cell));
  }
  if (reasons.length > 0) return { supported: false, reasons };
  for (const { classIndex, coarseIndex } of passing) {
    inForce[classIndex] = certificate.lambdas[certificate.coarse[coarseIndex]!]!;
  }
  const lambdaAmber = amberLambdas(inForce, proposal.alphaClass, certificate);
  return { supported: true, station, classes: passing, lambda: inForce, lambdaAmber };
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
 * The bounds of the rule that is exactly what is asked, or else of what narrowing a looser rule to it implies.
 * Undefined where no rule is that loose.
 */
function tightestBounds(asked: Asked, certificate: Certificate): RuleBounds | undefined {
  let implied: RuleBounds | undefined;
  for (const [chain, limits] of certificate.limits.entries()) {
    const allowed = limits.map((limit) => Math.min(limit, asked.station));
    if (!asked.classes.every((column, c) => column <= allowed[c]!)) continue;
    const own = new Map(asked.classes.entries());
    const bounds = boundsAt(certificate, chain, asked.station, own);
    if (asked.classes.every((column, c) => column === allowed[c])) return bounds;
    implied ??= bounds;
  }
  return implied;
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

function tooHigh(
  who: string,
  bound: number,
  name: string,
  limit: number,
  { n, k }: { n: number; k: number },
): string {
  return `${who}: bound ${percent(bound)} is above ${name} ${percent(limit)} (${k} unfaithful of ${n} that passed)`;
}

function percent(rate: number): string {
  return `${(100 * rate).toPrecision(3)}%`;
}
