/** What a report is made from. Names of classes, files and bundles are anybody's text. */

import type { TeacherBand } from "../core/envelope/types.ts";
import type { Evaluation } from "../core/evaluation/evaluate.ts";
import type { FrameFacts } from "../core/evaluation/facts.ts";

export interface ReportData {
  /** Name and version of the bundle. */
  readonly bundle: string;
  readonly envelopeSha256: string;
  readonly framesFile: string;
  readonly framesSha256: string;
  /** RFC 3339. */
  readonly madeAt: string;
  readonly classes: readonly string[];
  readonly bands: readonly TeacherBand[];
  readonly evaluation: Evaluation;
  /** Frames shown as pictures, most unfaithful first. */
  readonly shown: { readonly passed: readonly ShownFrame[]; readonly reviewed: readonly ShownFrame[] };
}

/** A frame and what it looks like. */
export interface ShownFrame {
  readonly facts: FrameFacts;
  readonly look: Look;
}

export type Look =
  | { readonly kind: "image"; readonly pngBase64: string }
  /** Rows along the last axis. */
  | { readonly kind: "signal"; readonly rows: readonly (readonly number[])[] };
