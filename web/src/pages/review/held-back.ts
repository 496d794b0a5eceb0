/** Verdicts that are held back for a few seconds, so that they can be undone, and then sent, whatever happens to the page. */

import { computed, signal } from "@preact/signals";
import type { ActReply, ReviewView, VerdictBody } from "../../../../src/http/api-schemas.ts";
import { ApiError, post } from "../../api.ts";
import { beforeSignOut } from "../../session.ts";
import type { Verdict } from "./class-keys.ts";

export interface HeldBack {
  readonly row: ReviewView;
  readonly verdict: Verdict;
  /** `held`: it can be undone. `sending`, and again where the gateway does not answer: it may have arrived. */
  readonly state: "held" | "sending" | "unsent";
  readonly givenAtMs: number;
}

export const UNDO_MS = 5000;
const RETRY_MS = { first: 1000, last: 15_000 };

export const heldBack = signal<readonly HeldBack[]>([]);
/** Ids of those that the queue does not show meanwhile. */
export const answered = computed(() => new Set(heldBack.value.map(({ row }) => row.review)));
/** The one that an undo takes back. */
export const undoable = computed(() => heldBack.value.findLast(({ state }) => state === "held"));

/** Told what has become of a verdict. */
export interface Outcome {
  sent(row: ReviewView): void;
  refused(row: ReviewView, verdict: Verdict, error: ApiError): void;
}
let outcome: Outcome = { sent() {}, refused() {} };

export function tellOutcome(to: Outcome): void {
  outcome = to;
}

const timers = new Map<string, ReturnType<typeof setTimeout>>();

export function holdBack(row: ReviewView, verdict: Verdict): void {
  heldBack.value = [...heldBack.value, { row, verdict, state: "held", givenAtMs: Date.now() }];
  later(row.review, UNDO_MS, RETRY_MS.first);
}

/** Takes the latest one back. @returns the review that is open again */
export function undo(): ReviewView | undefined {
  const last = undoable.value;
  if (last === undefined) return undefined;
  forget(last.row.review);
  return last.row;
}

function later(review: string, waitMs: number, retryMs: number): void {
  timers.set(
    review,
    setTimeout(() => void send(review, retryMs), waitMs),
  );
}

function forget(review: string): void {
  clearTimeout(timers.get(review));
  timers.delete(review);
  heldBack.value = heldBack.value.filter(({ row }) => row.review !== review);
}

async function send(review: string, retryMs: number, keepalive = false): Promise<void> {
  clearTimeout(timers.get(review));
  const one = heldBack.value.find(({ row }) => row.review === review);
  if (one === undefined || one.state === "sending") return;
  mark(review, "sending");
  const { row, verdict } = one;
  const body: VerdictBody = { reviewRevision: row.reviewRevision, ...verdict };
  try {
    await post<ActReply>(`/reviews/${encodeURIComponent(review)}/verdict`, body, { keepalive });
    forget(review);
    outcome.sent(row);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const mayBeTriedAgain = error.code === "unreachable" || error.status >= 500;
    if (mayBeTriedAgain) {
      mark(review, "unsent");
      later(review, retryMs, Math.min(RETRY_MS.last, 2 * retryMs));
      return;
    }
    forget(review);
    outcome.refused(row, verdict, error);
  }
}

function mark(review: string, state: HeldBack["state"]): void {
  heldBack.value = heldBack.value.map((one) => (one.row.review === review ? { ...one, state } : one));
}

/** Sends all of them at once. */
export async function flush(keepalive = false): Promise<void> {
  await Promise.all(heldBack.value.map(({ row }) => send(row.review, RETRY_MS.first, keepalive)));
}

// A tablet that is put aside may end the page without another word than this.
addEventListener("pagehide", () => void flush(true));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") void flush(true);
});
beforeSignOut(() => flush());
