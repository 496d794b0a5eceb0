/** The neighbourhood recipe: default magnitudes, magnitudes set by hand, or estimated from repeats. */

import { frameSpecOf, type Manifest } from "../../bundle/manifest.ts";
import { readNuisances } from "../../bundle/nuisances-file.ts";
import type { TeacherOutputs } from "../../bundle/teacher-outputs.ts";
import {
  IMAGE_NUISANCES,
  type NeighbourhoodRecipe,
  type Nuisance,
  TENSOR_NUISANCES,
} from "../../core/nuisance.ts";
import { magnitudesOf, type RepeatsEvidence } from "../../core/repeats/magnitudes.ts";
import type { Student } from "../../engine/student.ts";
import { openFrames } from "../frames.ts";
import { Refusal, refuse, showProgress, type Terminal } from "../terminal.ts";
import { indexParts } from "./parts.ts";

export interface RecipeOptions {
  readonly nuisances?: string;
  readonly repeats?: string;
  readonly teacherOutputs?: string;
  readonly copies: number;
  readonly seed: number;
}

/** Where magnitudes come from; recorded with them, but for the defaults. */
export type Basis =
  | { readonly kind: "default" }
  | { readonly kind: "by-hand" }
  | ({ readonly kind: "estimated-from-repeats"; readonly repeatsSha256: string } & RepeatsEvidence);

export interface Neighbourhood {
  /** All kinds, with which frames may also be compared. */
  readonly nuisances: readonly Nuisance[];
  readonly basis: Basis;
  /** How copies are made; for outputs made elsewhere only their number counts. */
  readonly recipe: NeighbourhoodRecipe;
}

export async function neighbourhoodOf(
  options: RecipeOptions,
  manifest: Manifest,
  terminal: Terminal,
): Promise<Neighbourhood> {
  const chosen = await nuisancesOf(options, manifest, terminal);
  // Copy j suffers nuisance j modulo their number: what comes behind the last copy would be recorded as if it
  // had been tried.
  const nuisances = chosen.nuisances.slice(0, options.copies);
  return { ...chosen, recipe: { nuisances, copies: options.copies, seed: options.seed } };
}

async function nuisancesOf(
  options: RecipeOptions,
  manifest: Manifest,
  terminal: Terminal,
): Promise<Omit<Neighbourhood, "recipe">> {
  const spec = frameSpecOf(manifest.frame);
  const named = options.nuisances ?? options.repeats;
  if (named !== undefined && options.teacherOutputs !== undefined) {
    throw new Refusal(
      "record: --nuisances and --repeats go with --teacher; outputs made elsewhere bring copies of their own",
    );
  }
  if (options.nuisances !== undefined && options.repeats !== undefined) {
    throw new Refusal("record: give magnitudes by one of --nuisances and --repeats");
  }
  if (options.nuisances !== undefined) {
    const read = readNuisances(options.nuisances, spec);
    if (!read.ok) return refuse(read.problems);
    return { nuisances: read.nuisances, basis: { kind: "by-hand" } };
  }
  if (options.repeats !== undefined) return estimated(options.repeats, manifest, terminal);
  return {
    nuisances: spec.kind === "image" ? IMAGE_NUISANCES : TENSOR_NUISANCES,
    basis: { kind: "default" },
  };
}

async function estimated(
  file: string,
  manifest: Manifest,
  terminal: Terminal,
): Promise<Omit<Neighbourhood, "recipe">> {
  const repeats = await openFrames(file, manifest, terminal);
  if (!repeats.partsKnown) {
    throw new Refusal(`${file}: expected part ids, which say what frames show the same part (array "parts")`);
  }
  let progress: ReturnType<typeof showProgress> | undefined;
  const { partOf } = indexParts(repeats);
  const found = await magnitudesOf(repeats, partOf, frameSpecOf(manifest.frame), (done, total) => {
    progress ??= showProgress(terminal, "comparing repeats", total, Date.now);
    progress.at(done);
  });
  if (!found.ok) throw new Refusal(`${file}: ${found.problem}`);
  progress?.end();
  return {
    nuisances: found.nuisances,
    basis: { kind: "estimated-from-repeats", repeatsSha256: repeats.sha256, ...found.evidence },
  };
}

/** What the evidence keeps of it; evidence without copies judges U at the frame alone, and is marked so. */
export function describeNeighbourhood(
  { recipe, basis }: Neighbourhood,
  teacher: Student | TeacherOutputs,
): object {
  if ("logitsOf" in teacher) {
    return teacher.copies === 0 ? { kind: "frame-only" } : { kind: "made-elsewhere", copies: teacher.copies };
  }
  if (recipe.copies === 0) return { kind: "frame-only" };
  return { kind: "recipe", ...recipe, ...(basis.kind !== "default" && { basis }) };
}
