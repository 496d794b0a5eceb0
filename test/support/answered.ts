/** Ledgers in which people have answered reviews. */

import type { Reviewer, ReviewRecord, VerdictKind } from "../../src/core/review-record.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { aFrame, aJudged } from "./builders.ts";

/** A review and the answer to it; by default Hanako confirms "good". */
export interface AnswerSketch {
  readonly id: string;
  readonly payload: Uint8Array;
  readonly contentType?: string;
  readonly station?: string;
  readonly source?: string;
  readonly part?: string;
  readonly bundle?: string;
  /** The student's. */
  readonly className?: string;
  /** Undefined leaves it open. */
  readonly verdict?: VerdictKind | undefined;
  /** The person's. */
  readonly class?: string;
  readonly vouched?: boolean;
  readonly atMs?: number;
}

/** Reviews open with these frames, and are answered in this order. */
export function answered(ledger: Ledger, sketches: readonly AnswerSketch[]): void {
  for (const is of sketches) {
    const made = aJudged({ id: `frame-${is.id}`, review: is.id });
    ledger.append([
      {
        ...made,
        frame: aFrame({
          id: `frame-${is.id}`,
          payload: is.payload,
          part: is.part,
          station: is.station ?? "press",
          source: is.source ?? "cam-1",
        }),
        className: is.className ?? "good",
        bundle: is.bundle ?? made.bundle,
        review: { ...made.review!, contentType: is.contentType ?? "application/octet-stream" },
      },
    ]);
    const verdict = "verdict" in is ? is.verdict : "confirm";
    if (verdict !== undefined) answer(ledger, is, verdict);
  }
}

function answer(ledger: Ledger, is: AnswerSketch, verdict: VerdictKind): void {
  const before = ledger.reviews.find(is.id)!;
  const by: Reviewer = { name: "hanako", vouched: is.vouched ?? true, via: "http" };
  const atMs = is.atMs ?? 2000;
  const after: ReviewRecord = {
    ...before,
    revision: before.revision + 1,
    actedRevision: before.revision + 1,
    state: "resolved",
    verdict,
    verdictClass: verdict === "confirm" ? before.className : (is.class ?? null),
    reviewer: by.name,
    vouched: by.vouched,
    resolvedAtMs: atMs,
  };
  ledger.reviews.change([{ before, after, by, transaction: undefined, atMs, message: undefined }]);
}
