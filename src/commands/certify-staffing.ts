/** `certify --advise --review-share`: epsilon and delta from what was recorded to what people can look at, with the reasons. */

import type { EvidenceDescription } from "../bundle/evidence-description.ts";
import type { DeltaRange } from "../core/envelope/delta-range.ts";
import {
  affordableDelta,
  rehearsedReviewShare,
  type Staffed,
  staffRange,
} from "../core/envelope/staffing.ts";
import type { CertifyOptions, Evidence } from "../core/envelope/types.ts";
import type { Nuisance } from "../core/nuisance.ts";
import { layOut, paragraph, percent, rounded } from "./prose.ts";
import { showProgress, type Terminal } from "./terminal.ts";

const STEPS = { between: 3, halvings: 4 };
/** With the ends of the range and what is suggested. */
const DELTAS_MOST = STEPS.between + STEPS.halvings + 3;

/** Members of `certify --advise --json` beside the others. */
export interface StaffingAdvice {
  /** Share of parts that people can look at. */
  readonly reviewShare: number;
  /** Strictest delta expected to leave them no more; null where none of the range does. */
  readonly deltaForReviewShare: number | null;
  readonly reviewed: readonly Staffed[];
  /** The recorded neighbourhood, and where its magnitudes come from. */
  readonly epsilon: { readonly nuisances: readonly Nuisance[]; readonly basis: string };
}

/** What was recorded, and how much of it people can look at. */
interface Staffing {
  readonly evidence: Evidence;
  readonly description: EvidenceDescription;
  readonly range: DeltaRange;
  readonly reviewShare: number;
}

export function staffingOf(
  { evidence, description, range, reviewShare }: Staffing,
  settings: CertifyOptions & { readonly seed: number },
  terminal: Terminal,
): StaffingAdvice {
  const progress = showProgress(terminal, "rehearsing", DELTAS_MOST, Date.now);
  let done = 0;
  const rehearsed = (delta: number): number => {
    const share = rehearsedReviewShare(evidence, delta, settings.seed, settings);
    progress.at(++done);
    return share;
  };
  const reviewed = staffRange(range, reviewShare, rehearsed, STEPS);
  progress.end();
  return {
    reviewShare,
    deltaForReviewShare: affordableDelta(reviewed, reviewShare)?.delta ?? null,
    reviewed,
    epsilon: epsilonOf(description),
  };
}

/** The reasons in their order: what the line does, what the teacher does then, what people can take. */
export function staffingText(
  { reviewShare, deltaForReviewShare: delta, reviewed, epsilon }: StaffingAdvice,
  range: DeltaRange,
  columns: number,
): string {
  const named = epsilon.nuisances.map(({ kind, magnitude }) => `${kind} ${magnitude}`).join(", ");
  const line =
    named === ""
      ? `Epsilon: ${epsilon.basis}.`
      : `Epsilon: the neighbourhood is ${named}; ${epsilon.basis}. A wider one would ask the models about what the line does not do, a narrower one would leave out what it does: it is measured, and not traded against reviews.`;
  if (reviewed.length === 0) {
    const nowhere =
      "Delta: over this neighbourhood no delta says anything of this teacher, whatever people can look at; take a steadier teacher, or hold the line steadier.";
    return blocks([line, nowhere], columns);
  }
  const floor = rounded(range.floor, 2, "up");
  const ceiling = rounded(range.ceiling, 2, "down");
  const teacher = `Delta from below: over it the teacher itself moves ${floor} or less on half of the parts it is steady on; a stricter delta would ask more of the student than the teacher keeps. From above: from ${ceiling} on another class would fit within delta on more than one part in twenty.`;
  const table = layOut(
    [
      ["delta", "expected to be reviewed"],
      ...reviewed.map((of) => [String(rounded(of.delta, 3, "up")), percent(of.reviewed)]),
    ],
    columns,
  );
  const last = reviewed.at(-1)!;
  const choice =
    delta === null
      ? `People can look at ${percent(reviewShare)} of the parts, and even at ${ceiling} a certificate is expected to leave them ${percent(last.reviewed)}: it takes more people, a more faithful student, or more parts of cal.`
      : `People can look at ${percent(reviewShare)} of the parts: delta ${rounded(delta, 3, "up")} is the strictest of these that is expected to leave them no more. \`certify --delta ${rounded(delta, 3, "up")}\` proves or refuses it; the rehearsal is an expectation from fit.`;
  return `${blocks([line, teacher], columns)}\n${table.join("\n")}\n\n${blocks([choice], columns)}`;
}

function epsilonOf({ neighbourhood }: EvidenceDescription): StaffingAdvice["epsilon"] {
  const {
    kind,
    nuisances = [],
    basis,
  } = neighbourhood as {
    readonly kind: string;
    readonly nuisances?: readonly Nuisance[];
    readonly basis?: { readonly kind: string; readonly parts?: number; readonly coverage?: number };
  };
  return { nuisances, basis: basisInWords(kind, basis) };
}

function basisInWords(
  kind: string,
  basis: { readonly kind: string; readonly parts?: number; readonly coverage?: number } | undefined,
): string {
  if (kind === "frame-only")
    return "none was recorded, and faithful speaks of the frame alone (record --copies)";
  if (kind === "made-elsewhere")
    return "its copies were made elsewhere, and only who made them knows how far they go";
  if (basis?.kind === "estimated-from-repeats") {
    return `the largest that ${basis.parts} parts showed when they were recorded again, which bounds ${percent(basis.coverage ?? 0)} of parts in each kind with 95% confidence`;
  }
  return basis?.kind === "by-hand"
    ? "magnitudes set by hand"
    : "default magnitudes, which know nothing of your line: record parts twice and give them by record --repeats";
}

function blocks(texts: readonly string[], columns: number): string {
  return `${texts.map((text) => paragraph(text, columns).join("\n")).join("\n\n")}\n`;
}
