/** A file of nuisances set by hand: `{"shift": 2, "noise": 0.01}`, each kind with its magnitude. */

import { readFileSync } from "node:fs";
import Type from "typebox";
import type { FrameSpec } from "../core/frame.ts";
import { IMAGE_NUISANCES, MAGNITUDES_MAX, type Nuisance, TENSOR_NUISANCES } from "../core/nuisance.ts";
import { type Problem, readDocument } from "../schema/document.ts";

export type ReadNuisances =
  | { readonly ok: true; readonly nuisances: readonly Nuisance[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads the kinds and magnitudes that are to make up a neighbourhood; a kind that is not named is left out. */
export function readNuisances(file: string, spec: FrameSpec): ReadNuisances {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const message = `cannot read the nuisances: ${(error as Error).message}`;
    return { ok: false, problems: [{ file, line: 1, column: 1, message }] };
  }
  const kinds = (spec.kind === "image" ? IMAGE_NUISANCES : TENSOR_NUISANCES).map(({ kind }) => kind);
  const parsed = readDocument(text, file, schemaOf(kinds));
  if (!parsed.ok) return parsed;
  const magnitudes = parsed.value as Partial<Record<Nuisance["kind"], number>>;
  const nuisances = kinds.flatMap((kind) => {
    const magnitude = magnitudes[kind];
    return magnitude === undefined ? [] : [{ kind, magnitude }];
  });
  return { ok: true, nuisances };
}

function schemaOf(kinds: readonly Nuisance["kind"][]) {
  const entries = kinds.map((kind) => {
    const maximum = MAGNITUDES_MAX[kind];
    const isSteps = kind === "shift" || kind === "time-shift";
    const magnitude = isSteps
      ? Type.Integer({ minimum: 1, maximum })
      : Type.Number({ exclusiveMinimum: 0, maximum });
    return [kind, Type.Optional(magnitude)] as const;
  });
  return Type.Object(Object.fromEntries(entries), { additionalProperties: false, minProperties: 1 });
}
