/** What `certify --json` prints: the certificate in numbers, at the rule chosen or the one that came nearest. */

import type { DeltaRange } from "../core/envelope/delta-range.ts";
import { explain } from "../core/envelope/explain.ts";
import type { StationBound } from "../core/envelope/lookup.ts";
import { partsToRecord } from "../core/envelope/recording.ts";
import type { TeacherReliability } from "../core/envelope/teacher-reliability.ts";
import type { Cell, Certificate, FittedEnvelope } from "../core/envelope/types.ts";
import { type LabelsSummary, labelsOf } from "./certify-labels.ts";

/**
 * How a class, or the station, stands: it passes; its own bound holds, but the rule that passes most leaves it out;
 * too few parts were counted; at every lambda too many of its parts were unfaithful for any number to prove the
 * rate; none of its parts passed the other checks; fit has no part of it.
 */
export type Standing =
  | "passes"
  | "left-out"
  | "too-few-parts"
  | "too-unfaithful"
  | "never-passed"
  | "not-recorded";

interface Missing {
  readonly standing: Standing;
  /** More parts of cal, all faithful, with which the bound would hold; 0 where it does. */
  readonly cleanPartsNeeded: number;
  /** Parts of all splits that a new recording would want, if parts go on as they did; null where that says nothing. */
  readonly partsToRecord: number | null;
}

export interface ClassSummary extends Missing {
  readonly class: string;
  readonly passes: boolean;
  readonly lambda: number | null;
  readonly n: number;
  readonly k: number;
  readonly upperBound: number;
  readonly method: "walk" | "table";
}

export interface CertifySummary {
  readonly delta: number;
  /** The range in which delta says something of this teacher. */
  readonly deltaFloor: number;
  readonly deltaCeiling: number;
  /** One within it; null where none keeps a part of fit. */
  readonly deltaSuggested: number | null;
  readonly alpha: number;
  readonly alphaClass: number;
  readonly eta: number;
  readonly revision: number;
  /** What this revision spends of eta. */
  readonly etaOfRevision: number;
  readonly lambda: number | null;
  readonly station: StationBound & Missing;
  readonly parts: Certificate["parts"];
  readonly classes: readonly ClassSummary[];
  readonly expectedPassRate: number;
  /** Whether U was found over each frame's neighbourhood, or at the frame alone. */
  readonly neighbourhood: "recorded" | "frame-only";
  /** Null: no part of cal is labelled, so what passes is faithful, and its correctness unknown. */
  readonly labels: LabelsSummary | null;
}

export interface Certified {
  readonly fitted: FittedEnvelope;
  readonly certificate: Certificate;
  readonly reliability: TeacherReliability | undefined;
  readonly range: DeltaRange;
  readonly neighbourhood: CertifySummary["neighbourhood"];
}

export function summaryOf(certified: Certified): CertifySummary {
  const { fitted, certificate, reliability, range, neighbourhood } = certified;
  const { alpha, alphaClass, etaTarget, parts } = certificate;
  const explained = explain(certificate, fitted.classes);
  const { station } = explained;
  return {
    delta: fitted.delta,
    deltaFloor: range.floor,
    deltaCeiling: range.ceiling,
    deltaSuggested: finiteOrNull(range.suggested),
    alpha,
    alphaClass,
    eta: etaTarget,
    revision: certificate.revision,
    etaOfRevision: certificate.eta,
    lambda: explained.lambda,
    station: {
      ...station,
      ...missing(station.certified, station.cleanPartsNeeded, stationProspect(certificate)),
    },
    parts,
    classes: explained.classes.map((row, c) => ({
      ...row,
      ...missing(row.passes, row.cleanPartsNeeded, classProspect(certificate, fitted, c)),
    })),
    expectedPassRate: explained.expectedPassRate,
    neighbourhood,
    labels: reliability === undefined ? null : labelsOf(certificate, explained, reliability),
  };
}

/** Why something is not proven yet, and what a new recording would want for it. */
interface Prospect {
  readonly isRecorded: boolean;
  readonly cells: readonly Cell[];
  readonly rate: number;
  readonly partsToRecord: number;
}

function missing(passes: boolean, cleanPartsNeeded: number, prospect: Prospect): Missing {
  const standing = passes ? "passes" : standingOf(cleanPartsNeeded, prospect);
  const inAll = standing === "too-few-parts" ? finiteOrNull(prospect.partsToRecord) : null;
  return { standing, cleanPartsNeeded, partsToRecord: inAll };
}

function standingOf(cleanPartsNeeded: number, { isRecorded, cells, rate }: Prospect): Standing {
  if (!isRecorded) return "not-recorded";
  if (cleanPartsNeeded === 0) return "left-out";
  const counted = cells.filter(({ n }) => n > 0);
  if (counted.length === 0) return "never-passed";
  return counted.every(({ n, k }) => k / n >= rate) ? "too-unfaithful" : "too-few-parts";
}

/** Of all class sets, each at its walk's share of eta, as a class is at that of its own. */
function stationProspect({ alpha, parts, stationCells, walk }: Certificate): Prospect {
  const inAll = stationCells.map((cells, m) => partsToRecord(cells, alpha, walk[m]!.eta, sum(parts)));
  return {
    isRecorded: true,
    cells: stationCells.flat(),
    rate: alpha,
    partsToRecord: Math.min(...inAll),
  };
}

function classProspect(
  { alphaClass, classCells, classWalk, parts }: Certificate,
  { noveltyMax }: FittedEnvelope,
  c: number,
): Prospect {
  const cells = classCells[c]!;
  return {
    isRecorded: Number.isFinite(noveltyMax[c]),
    cells,
    rate: alphaClass,
    partsToRecord: partsToRecord(cells, alphaClass, classWalk[c]!.eta, sum(parts)),
  };
}

function sum({ fit, cal, ref }: Certificate["parts"]): number {
  return fit + cal + ref;
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
