/** What a certificate tells its user: what was proven where, and how many more clean parts would prove the rest. */

import {
  boundsAt,
  type ClassCell,
  classCellAt,
  classPartsNeeded,
  cleanPartsNeeded,
  type RuleBounds,
  type StationBound,
} from "./lookup.ts";
import type { Certificate } from "./types.ts";

/** One class, as `certify` prints it. */
export interface ClassExplanation {
  readonly class: string;
  /** Whether the chosen rule lets it pass. */
  readonly passes: boolean;
  /** Lambda at which its parts were counted; null where there is none. */
  readonly lambda: number | null;
  readonly n: number;
  readonly k: number;
  readonly upperBound: number;
  readonly method: ClassCell["method"];
  /** More parts, all faithful, with which its bound would be at most alphaClass. */
  readonly cleanPartsNeeded: number;
}

/** The chosen rule, or where none holds the one that came nearest. */
export interface Explanation {
  /** Of the chosen rule; null where everything is reviewed. */
  readonly lambda: number | null;
  /** `certified` only where a rule was chosen. */
  readonly station: StationBound & { readonly cleanPartsNeeded: number };
  readonly classes: readonly ClassExplanation[];
  /** Pass rate that fit predicts; 0 where everything is reviewed. */
  readonly expectedPassRate: number;
}

/**
 * Explains a certificate. A class that passes is shown at its own lambda under the rule; one that is reviewed, at
 * that lambda no looser than the rule's which wants the fewest clean parts.
 * @param classes names of the classes [K]
 */
export function explain(certificate: Certificate, classes: readonly string[]): Explanation {
  const { chosen } = certificate;
  const needed = certificate.classCells.map((cells, c) =>
    cells.map((_, at) => classPartsNeeded(certificate, c, classCellAt(certificate, c, at))),
  );
  const shown = chosen
    ? boundsAt(certificate, chosen.chain, certificate.coarse.indexOf(chosen.lambdaIndex))
    : nearestRule(certificate, needed);
  return {
    lambda: chosen?.lambda ?? null,
    station: explainStation(certificate, shown),
    classes: classes.map((name, c) => explainClass(certificate, shown, name, c, needed[c]!)),
    expectedPassRate: chosen?.expectedPassRate ?? 0,
  };
}

function explainStation(certificate: Certificate, shown: RuleBounds | null): Explanation["station"] {
  const isChosen = certificate.chosen !== null;
  const station: StationBound = shown?.station ?? {
    certified: false,
    n: 0,
    k: 0,
    upperBound: 1,
    method: "table",
  };
  return {
    ...station,
    certified: isChosen && station.certified,
    cleanPartsNeeded: stationPartsNeeded(certificate, shown?.chain ?? 0, station),
  };
}

function explainClass(
  certificate: Certificate,
  shown: RuleBounds | null,
  name: string,
  c: number,
  needed: readonly number[],
): ClassExplanation {
  const bound = shown?.classes[c];
  const passes = certificate.chosen !== null && bound?.passes === true;
  const at = bound?.passes === true ? bound.coarseIndex : fewest(needed, shown?.coarseIndex ?? -1);
  const cell = classCellAt(certificate, c, at);
  return {
    class: name,
    passes,
    lambda: certificate.lambdas[certificate.coarse[at] ?? -1] ?? null,
    n: cell.n,
    k: cell.k,
    upperBound: cell.upperBound,
    method: cell.method,
    cleanPartsNeeded: classPartsNeeded(certificate, c, cell),
  };
}

/** Of all rules, the one that wants the fewest clean parts in all; of equals, the one that passes more. */
function nearestRule(certificate: Certificate, needed: readonly (readonly number[])[]): RuleBounds | null {
  let nearest: RuleBounds | null = null;
  let fewestParts = Number.POSITIVE_INFINITY;
  certificate.limits.forEach((_, chain) => {
    for (let j = certificate.coarse.length - 1; j >= 0; j--) {
      const bounds = boundsAt(certificate, chain, j);
      let parts = stationPartsNeeded(certificate, chain, bounds.station);
      for (const { passes, classIndex, coarseIndex } of bounds.classes) {
        if (passes) parts += needed[classIndex]![coarseIndex]!;
      }
      if (parts < fewestParts) {
        fewestParts = parts;
        nearest = bounds;
      }
    }
  });
  return nearest;
}

function stationPartsNeeded(
  certificate: Certificate,
  chain: number,
  { certified, n, k }: StationBound,
): number {
  if (certified) return 0;
  const eta = certificate.walk[chain]?.eta ?? certificate.stationCellEta;
  return cleanPartsNeeded({ n, k, upperBound: 1 }, certificate.alpha, eta);
}

/** Index of the smallest of the first `last` + 1 values, the latest of equals; -1 where there is none. */
function fewest(values: readonly number[], last: number): number {
  let best = -1;
  for (let at = 0; at <= last; at++) if (best < 0 || values[at]! <= values[best]!) best = at;
  return best;
}
