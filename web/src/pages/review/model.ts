/** The review that is looked at, and what one may do with it. */

import { computed, signal } from "@preact/signals";
import type { ActReply, ReviewView } from "../../../../src/http/api-schemas.ts";
import { ApiError, get, post } from "../../api.ts";
import { onReview, type ReviewEvent } from "../../events.ts";
import { clockTime, t } from "../../i18n/index.ts";
import { gate, mayAct } from "../../session.ts";
import { errorInWords } from "../../ui/errors.ts";
import { notify } from "../../ui/notices.tsx";
import type { Verdict } from "./class-keys.ts";
import { answered, holdBack, type Outcome, undo } from "./held-back.ts";
import { looked } from "./pace.ts";
import { hasMore, putBack, readMore, replaceRow, rows } from "./queue.ts";
import { preload } from "./sight.ts";

/** A second touch of the same finger is none of the next review. */
const TOUCH_AGAIN_MS = 350;

export const selected = signal<ReviewView | undefined>(undefined);
/** How the one that is looked at was closed by somebody else meanwhile. */
export const closed = signal<ReviewEvent | undefined>(undefined);
/** Those that are shown in the queue. */
export const visible = computed(() => rows.value.filter(({ review }) => !answered.value.has(review)));
/** When its picture came up; undefined before. */
const shownAtMs = signal<number | undefined>(undefined);
/** Whether it has been there for long enough to be meant by whoever answers. */
export const isReady = signal(false);
let ready: ReturnType<typeof setTimeout> | undefined;

export function select(row: ReviewView | undefined): void {
  if (row?.review !== selected.value?.review) {
    clearTimeout(ready);
    isReady.value = false;
    shownAtMs.value = undefined;
    closed.value = undefined;
  }
  selected.value = row;
  if (row !== undefined) preload(neighbourOf(row, 1));
}

/** The picture of this one is there, or that there is none is. */
export function shown(review: string): void {
  if (selected.value?.review !== review || shownAtMs.value !== undefined) return;
  shownAtMs.value = performance.now();
  ready = setTimeout(() => {
    isReady.value = true;
  }, TOUCH_AGAIN_MS);
}

function neighbourOf(row: ReviewView, step: 1 | -1): ReviewView | undefined {
  const list = visible.value;
  const at = list.findIndex(({ review }) => review === row.review);
  if (at + step >= list.length - 1 && hasMore.value) readMore();
  return at < 0 ? list[0] : list[at + step];
}

/** Goes to the next or the one before, where there is one. */
export function go(step: 1 | -1): void {
  const now = selected.value;
  const to = now === undefined ? visible.value[0] : neighbourOf(now, step);
  if (to !== undefined) select(to);
  else if (closed.value !== undefined) select(visible.value[0]);
}

export type Hindrance = "none" | "role" | "closed" | "claimed" | "loading";

/** What keeps one from answering. */
export const hindrance = computed<Hindrance>(() => {
  const row = selected.value;
  if (row === undefined || shownAtMs.value === undefined) return "loading";
  if (!mayAct("reviewer")) return "role";
  if (closed.value !== undefined) return "closed";
  return row.claimedBy !== undefined && !isMine(row) ? "claimed" : "none";
});

export function isMine({ claimedBy }: Pick<ReviewView, "claimedBy">): boolean {
  return gate.value.kind === "signed-in" && gate.value.session.name === claimedBy;
}

export function answer(verdict: Verdict): void {
  const row = selected.value;
  if (row === undefined || hindrance.value !== "none" || !isReady.value) return;
  const lookMs = performance.now() - shownAtMs.value!;
  const to = neighbourOf(row, 1) ?? neighbourOf(row, -1);
  looked(lookMs);
  holdBack(row, verdict);
  select(to);
}

export function takeBack(): void {
  const row = undo();
  if (row !== undefined) select(row);
}

/** Claims it, or gives it back. */
export async function toggleClaim(): Promise<void> {
  const row = selected.value;
  if (row === undefined || !mayAct("reviewer") || closed.value !== undefined) return;
  const act = isMine(row) ? "release" : "claim";
  try {
    const { reviewRevision } = row;
    await post<ActReply>(`/reviews/${encodeURIComponent(row.review)}/${act}`, { reviewRevision });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify("warn", error.status === 409 ? t("review.conflict.claim") : errorInWords(error));
  }
  await lookAgain(row.review);
}

/** Reads one anew. @returns undefined where it is not to be had */
async function lookAgain(review: string): Promise<ReviewView | undefined> {
  try {
    const row = await get<ReviewView>(`/reviews/${encodeURIComponent(review)}`);
    if (row.closedAt === undefined) putBack(row);
    else replaceRow(review, undefined);
    if (selected.value?.review === review) selected.value = row;
    return row;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return undefined;
  }
}

/** What becomes of verdicts, in plain words. */
export const inWords: Outcome = {
  sent: ({ review }) => replaceRow(review, undefined),
  refused: (row, _, error) => void explain(row, error),
};

async function explain(row: ReviewView, error: ApiError): Promise<void> {
  const now = await lookAgain(row.review);
  notify("warn", `${t("review.conflict.which", whichOf(row))} ${refusalInWords(error, now)}`);
}

function whichOf({ source, openedAt }: ReviewView) {
  return { source, time: clockTime(openedAt) };
}

function refusalInWords(error: ApiError, now: ReviewView | undefined): string {
  switch (error.code) {
    case "closed":
      return now?.reviewer === undefined
        ? t("review.conflict.expired")
        : t("review.conflict.closed", {
            name: now.reviewer,
            answer: now.verdictClass ?? t("review.unusable"),
          });
    case "claimed-by-other":
      return t("review.conflict.claimed", { name: now?.claimedBy ?? "" });
    case "stale-revision":
      return t("review.conflict.stale");
    case "unknown-review":
      return t("review.conflict.unknown");
    case "unauthenticated":
      return t("review.conflict.signedOut");
    default:
      return errorInWords(error);
  }
}

/** Keeps what is looked at true. @returns to be called to let it be */
export function keepSelected(): () => void {
  const stop = [
    rows.subscribe((list) => {
      const now = selected.peek();
      const found = now && list.find(({ review }) => review === now.review);
      if (now === undefined && list.length > 0) select(visible.peek()[0]);
      else if (found !== undefined && found !== now) selected.value = found;
    }),
    onReview((event) => {
      if (event.type === "alarm") notify("bad", alarmInWords(event), true);
      if (event.type !== "close" || event.review !== selected.value?.review) return;
      closed.value = event;
    }),
  ];
  return () => {
    for (const call of stop) call();
  };
}

function alarmInWords({ source, part, frame, passedAs, class: found, reviewer }: ReviewEvent): string {
  return t("review.alarm", {
    source,
    which: part ?? frame,
    passedAs: passedAs ?? "",
    found: found ?? "",
    reviewer: reviewer ?? "",
  });
}
