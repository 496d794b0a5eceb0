/** What a report is made from. Names of classes, files and bundles are anybody's text. */

import type { BoundsSummary, FrameBounds } from "../core/bounds/summary.ts";
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
  /** Undefined where no bounds were asked for. */
  readonly bounds?:
    | { readonly summary: BoundsSummary; readonly pictures: readonly BallPicture[] }
    | undefined;
  /** Frames shown as pictures, most unfaithful first. */
  readonly shown: { readonly passed: readonly ShownFrame[]; readonly reviewed: readonly ShownFrame[] };
}

/** A frame and what it looks like. */
export interface ShownFrame {
  readonly facts: FrameFacts;
  readonly look: Look;
}

/** What a model says of an input. */
export interface Answer {
  readonly class: number;
  readonly confidence: number;
}

/** Both models' confidence in one class, at even steps from one side of the ball to the other. */
export interface Direction {
  readonly name: string;
  readonly student: readonly number[];
  readonly teacher: readonly number[];
}

/** The ball around one frame. */
export interface BallPicture {
  readonly bounds: FrameBounds;
  /** The class whose confidence is drawn: the student's at the frame. */
  readonly shownClass: number;
  readonly frame: { readonly look: Look; readonly student: Answer; readonly teacher: Answer };
  /** Where the models were found to part most. */
  readonly worst: { readonly look: Look; readonly student: Answer; readonly teacher: Answer };
  readonly directions: readonly Direction[];
  /** Rows from one side of the second direction to the other, cells along the first. */
  readonly map: readonly (readonly { readonly gap: number; readonly differs: boolean }[])[];
}

export type Look =
  | { readonly kind: "image"; readonly pngBase64: string }
  /** Rows along the last axis. */
  | { readonly kind: "signal"; readonly rows: readonly (readonly number[])[] };
