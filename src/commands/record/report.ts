/** What `record` says: its plan before it starts, and what was recorded. */

import type { CalibrationFrames } from "../../bundle/frames.ts";
import type { Nuisance } from "../../core/nuisance.ts";
import type { NamedTeacher } from "../teacher.ts";
import { leastPartsNeeded } from "./checks.ts";
import { type Parts, partCounts } from "./parts.ts";
import type { Basis, Neighbourhood } from "./recipe.ts";

/** What will be done, a line each. */
export function planOf(
  frames: CalibrationFrames,
  parts: Parts,
  neighbourhood: Neighbourhood,
  { file, teacher }: NamedTeacher,
  classes: number,
): string {
  const { station, class: ofClass } = leastPartsNeeded(classes);
  const each = frames.partsKnown ? "" : " (without part ids each frame counts as a part of its own)";
  return [
    `frames: ${frames.count} of ${parts.parts.length} parts${each}; ${countsInWords(parts)}`,
    `neighbourhood: ${"logitsOf" in teacher ? madeElsewhere(teacher.copies) : recipeInWords(neighbourhood)}`,
    `teacher: ${file}${"logitsOf" in teacher ? ", what it said elsewhere" : ""}`,
    `to certify at alpha 1% a station needs at least ${station} parts of cal that pass, and at alphaClass 5% a class ${ofClass}, none of them unfaithful`,
    "",
  ].join("\n");
}

export function countsInWords({ parts }: Parts): string {
  const { fit, cal, ref } = partCounts(parts);
  return `fit ${fit}, cal ${cal}, ref ${ref}`;
}

function madeElsewhere(copies: number): string {
  return copies === 0
    ? "none; what is recorded is frame-only"
    : `${copies} copies of each frame, made elsewhere`;
}

function recipeInWords({ recipe, nuisances, basis }: Neighbourhood): string {
  if (recipe.copies === 0) return "none; what is recorded is frame-only";
  const left = nuisances.slice(recipe.nuisances.length);
  const untried = left.length === 0 ? "" : `, without ${list(left)}, for which there are too few copies`;
  return `${recipe.copies} copies of each frame: ${list(recipe.nuisances)}${untried}; ${basisInWords(basis)}`;
}

function list(nuisances: readonly Nuisance[]): string {
  return nuisances.map(({ kind, magnitude }) => `${kind} ${magnitude}${unitOf(kind)}`).join(", ");
}

function unitOf(kind: Nuisance["kind"]): string {
  if (kind === "shift") return " px";
  return kind === "time-shift" ? " samples" : "";
}

function basisInWords(basis: Basis): string {
  switch (basis.kind) {
    case "default":
      return "default magnitudes, which know nothing of your line (see --repeats and --nuisances)";
    case "by-hand":
      return "magnitudes set by hand";
    case "estimated-from-repeats":
      return (
        `the largest of ${basis.parts} parts with ${basis.frames} frames, each bounding ${(100 * basis.coverage).toFixed(1)}% ` +
        `of parts with ${100 * basis.confidence}% confidence`
      );
    default:
      return unreachable(basis);
  }
}

function unreachable(value: never): never {
  throw new Error(`no such basis: ${JSON.stringify(value)}`);
}
