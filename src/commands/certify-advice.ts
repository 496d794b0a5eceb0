/** `certify --advise`: what fit alone says of delta and of the parts needed, before cal is looked at. */

import { type DeltaFacts, type DeltaRange, deltaShares } from "../core/envelope/delta-range.ts";
import { type FewestParts, fewestParts } from "../core/envelope/recording.ts";
import type { CertifyOptions } from "../core/envelope/types.ts";
import { chosenPercent, grouped, layOut, paragraph, percent, rounded } from "./prose.ts";

/** Deltas that are shown beside the ends of the range and the one suggested. */
const DELTAS = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3];

export interface Advice {
  readonly deltaFloor: number | null;
  readonly deltaCeiling: number | null;
  readonly deltaSuggested: number | null;
  readonly parts: { readonly fit: number; readonly agreeing: number; readonly steady: number };
  /** Shares of the parts of fit at several deltas. */
  readonly deltas: readonly {
    readonly delta: number;
    readonly faithful: number;
    readonly classOpen: number;
    readonly teacherMoves: number;
  }[];
  /** Parts of cal that must pass at the least, none of them unfaithful. */
  readonly partsNeeded: FewestParts;
}

export function adviceOf(
  facts: DeltaFacts,
  range: DeltaRange,
  options: CertifyOptions,
  classes: number,
): Advice {
  const { agreeing, steady, floor, ceiling, suggested } = range;
  const ends = [roundedTo(floor, "up"), roundedTo(ceiling, "down"), suggested];
  const deltas = [...new Set([...DELTAS, ...ends.filter(Number.isFinite)])].sort((a, b) => a - b);
  return {
    deltaFloor: finiteOrNull(floor),
    deltaCeiling: finiteOrNull(ceiling),
    deltaSuggested: finiteOrNull(suggested),
    parts: { fit: facts.parts, agreeing, steady },
    deltas: deltas.map((delta) => ({ delta, ...deltaShares(facts, delta) })),
    partsNeeded: fewestParts(options, classes),
  };
}

export function adviceText(
  advice: Advice,
  { alpha, alphaClass, eta }: CertifyOptions,
  columns: number,
): string {
  const { deltaFloor: floor, deltaCeiling: ceiling, deltaSuggested, parts, partsNeeded } = advice;
  const head =
    floor !== null && ceiling !== null && floor <= ceiling
      ? `Delta says something of this teacher from ${rounded(floor, 2, "up")} to ${rounded(ceiling, 2, "down")}` +
        (deltaSuggested === null ? "." : `; ${deltaSuggested} is the strictest that costs few parts.`)
      : "No delta says anything of this teacher: it moves too far by itself, or student and teacher do not agree.";
  const rows = advice.deltas.map(({ delta, faithful, classOpen, teacherMoves }) => [
    String(delta),
    percent(faithful),
    percent(teacherMoves),
    percent(classOpen),
  ]);
  const legend = `Of the ${grouped(parts.fit)} parts of fit. faithful: no threshold can pass more; teacher moves: it moves further than delta by itself; class open: faithful, but delta leaves room for another class.`;
  const needed =
    `At alpha ${chosenPercent(alpha)}, alphaClass ${chosenPercent(alphaClass)} and eta ${chosenPercent(eta)} a station needs at least ${grouped(partsNeeded.station)} parts of cal that pass, ` +
    `and each class at least ${grouped(partsNeeded.class)}, if none of them is unfaithful; more if some are. Nothing was certified, and cal was not looked at.`;
  return `${[
    paragraph(head, columns),
    layOut([["delta", "faithful", "teacher moves", "class open"], ...rows], columns),
    paragraph(legend, columns),
    paragraph(needed, columns),
  ]
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

function roundedTo(value: number, side: "up" | "down"): number {
  return Number.isFinite(value) ? Number(rounded(value, 2, side)) : Number.NaN;
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
