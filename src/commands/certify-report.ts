/** What `certify` says: one JSON document, or a table for a person. */

import { boundsAt, type ClassBound, classPartsNeeded } from "../core/envelope/lookup.ts";
import type { Certificate, FittedEnvelope } from "../core/envelope/types.ts";

export interface CertifySummary {
  readonly delta: number;
  /** Nine parts in ten move the teacher itself no further than this over the neighbourhood. */
  readonly deltaFloor: number;
  readonly alpha: number;
  readonly alphaClass: number;
  readonly eta: number;
  readonly lambda: number | null;
  readonly station: {
    readonly certified: boolean;
    readonly n: number;
    readonly k: number;
    readonly upperBound: number;
    readonly method: string;
  };
  readonly parts: { readonly fit: number; readonly cal: number; readonly ref: number };
  readonly classes: readonly {
    readonly class: string;
    readonly passes: boolean;
    readonly n: number;
    readonly k: number;
    readonly upperBound: number;
    readonly cleanPartsNeeded: number;
  }[];
  readonly expectedPassRate: number;
  /** Whether U was found over each frame's neighbourhood, or at the frame alone. */
  readonly neighbourhood: "recorded" | "frame-only";
}

/** The certificate in numbers, at the rule chosen, or where none holds at the one that came nearest. */
export function summaryOf(
  fitted: FittedEnvelope,
  certificate: Certificate,
  floor: number,
  neighbourhood: CertifySummary["neighbourhood"],
): CertifySummary {
  const { chosen, coarse, alpha, alphaClass, etaTarget, parts } = certificate;
  const rule = chosen ?? nearestRule(certificate);
  const { station, classes } = boundsAt(certificate, rule.chain, coarse.indexOf(rule.lambdaIndex));
  const classRow = ({ classIndex, passes, cell }: ClassBound) => ({
    class: fitted.classes[classIndex]!,
    passes: chosen !== null && passes,
    n: cell.n,
    k: cell.k,
    upperBound: cell.upperBound,
    cleanPartsNeeded: classPartsNeeded(certificate, classIndex, cell),
  });
  return {
    delta: fitted.delta,
    deltaFloor: floor,
    alpha,
    alphaClass,
    eta: etaTarget,
    lambda: chosen?.lambda ?? null,
    station: { ...station, certified: chosen !== null },
    parts,
    classes: classes.map(classRow),
    expectedPassRate: chosen?.expectedPassRate ?? 0,
    neighbourhood,
  };
}

/** Where nothing is certified: the rule of the smallest class set whose station bound is lowest. */
function nearestRule({ stationCells, coarse }: Certificate): { chain: number; lambdaIndex: number } {
  const chain = stationCells.length - 1;
  const bounds = stationCells[chain]!.map((cell) => cell.upperBound);
  return { chain, lambdaIndex: coarse[bounds.indexOf(Math.min(...bounds))]! };
}

export function tableOf(summary: CertifySummary): string {
  const {
    station,
    parts,
    classes,
    delta,
    deltaFloor: floor,
    alpha,
    alphaClass,
    eta,
    expectedPassRate,
  } = summary;
  const verdict = station.certified
    ? `certified: at most ${percent(station.upperBound)} of what passes is unfaithful (${station.method}; ${station.k} of ${station.n} on cal)`
    : `not certified: everything goes to a person (nearest rule: ${station.k} unfaithful of ${station.n}, bound ${percent(station.upperBound)})`;
  const rows = classes.map((row) =>
    [
      row.class.padEnd(16),
      (row.passes ? "passes" : "reviewed").padEnd(9),
      String(row.n).padStart(7),
      String(row.k).padStart(6),
      percent(row.upperBound).padStart(9),
      row.cleanPartsNeeded === 0 ? "" : `   ${row.cleanPartsNeeded} more clean parts would do`,
    ].join(""),
  );
  return `${[
    `delta ${delta} (the teacher itself moves ${floor.toFixed(3)} on one part in ten), alpha ${percent(alpha)}, alphaClass ${percent(alphaClass)}, eta ${percent(eta)}`,
    `parts: fit ${parts.fit}, cal ${parts.cal}, ref ${parts.ref}`,
    verdict,
    ...(station.certified ? [`expected to pass: ${percent(expectedPassRate)} of all parts`] : []),
    ...(summary.neighbourhood === "frame-only"
      ? ["frame-only: U was found at each frame alone; compare this with no certificate over neighbourhoods"]
      : []),
    "",
    `${"class".padEnd(16)}${"".padEnd(9)}${"n".padStart(7)}${"k".padStart(6)}${"bound".padStart(9)}`,
    ...rows,
  ].join("\n")}\n`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)}%`;
}
