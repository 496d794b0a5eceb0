/** The reviews that wait: read by pages, highest priority first, and kept true by events. */

import { batch, computed, signal } from "@preact/signals";
import type { ReviewsReply, ReviewView } from "../../../../src/http/api-schemas.ts";
import { ApiError, get } from "../../api.ts";
import { onReturn, onReview, stations } from "../../events.ts";
import { merged, updated } from "./rank.ts";

/** Of the first page, which must be there at once; the others come while one scrolls. */
const FIRST_PAGE = 100;
const PAGE = 500;
/** Reviews that open in a row are read together. */
const REFRESH_AFTER_MS = 1000;

export const rows = signal<readonly ReviewView[]>([]);
export const load = signal<
  { readonly kind: "loading" | "ready" } | { readonly kind: "failed"; readonly error: ApiError }
>({ kind: "loading" });
/** Only of this station; all where undefined. */
export const stationShown = signal<string | undefined>(undefined);
const next = signal<string | undefined>(undefined);
export const hasMore = computed(() => next.value !== undefined);

/** How many wait at the gateway, whether or not they have been read. */
export const waiting = computed(() => {
  const chosen = [...stations.value.values()].filter(
    ({ station }) => stationShown.value === undefined || station === stationShown.value,
  );
  const known = chosen.reduce((sum, { openReviews, heldReviews }) => sum + openReviews + heldReviews, 0);
  return Math.max(known, rows.value.length);
});

/** Whether a further page is on its way. */
let isReading = false;
/** Counts up with each new beginning: a page that was asked for before is of another queue. */
let beginning = 0;

/** Reads the queue from its top. */
export async function readQueue(): Promise<void> {
  beginning++;
  isReading = false;
  if (rows.value.length === 0) load.value = { kind: "loading" };
  await read(undefined, FIRST_PAGE, (page) => page);
}

/** Reads the next page, where there is one and none is on its way. */
export function readMore(): void {
  if (next.value === undefined || isReading) return;
  isReading = true;
  void read(next.value, PAGE, (page) => merged(rows.value, page));
}

async function read(
  after: string | undefined,
  limit: number,
  joined: (page: readonly ReviewView[]) => readonly ReviewView[],
): Promise<void> {
  const mine = beginning;
  try {
    const reply = await get<ReviewsReply>(`/reviews?${queryOf(limit, after)}`);
    if (mine !== beginning) return;
    isReading = false; // Before anybody hears of the new rows, and wants more.
    batch(() => {
      rows.value = joined(reply.reviews);
      next.value = reply.next;
      load.value = { kind: "ready" };
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine !== beginning) return;
    isReading = false;
    if (rows.value.length === 0) load.value = { kind: "failed", error };
  }
}

function queryOf(limit: number, after: string | undefined): URLSearchParams {
  return new URLSearchParams({
    limit: String(limit),
    ...(stationShown.value !== undefined && { station: stationShown.value }),
    ...(after !== undefined && { after }),
  });
}

/** What has come in since, among the first ones; all that is new and less urgent comes when one scrolls to it. */
async function refresh(): Promise<void> {
  const mine = beginning;
  try {
    const { reviews, next: more } = await get<ReviewsReply>(`/reviews?${queryOf(FIRST_PAGE, undefined)}`);
    if (mine !== beginning) return;
    if (rows.value.length <= FIRST_PAGE) {
      rows.value = reviews;
      next.value = more;
    } else rows.value = merged(rows.value, reviews);
    load.value = { kind: "ready" };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // The connection's state says that the gateway is away.
  }
}

/** @param change undefined where it waits no more */
export function replaceRow(review: string, change: ((row: ReviewView) => ReviewView) | undefined): void {
  const at = rows.value.findIndex((row) => row.review === review);
  if (at < 0) return;
  rows.value =
    change === undefined ? rows.value.toSpliced(at, 1) : rows.value.with(at, change(rows.value[at]!));
}

/** Puts one back that is still waiting after all. */
export function putBack(row: ReviewView): void {
  rows.value = merged(rows.value, [row]);
}

/** Keeps the queue true from now on. @returns to be called to let it be */
export function keepQueue(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let told = -1;
  const refreshSoon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void refresh();
    }, REFRESH_AFTER_MS);
  };
  const stop = [
    onReview((event) => {
      if (event.type === "open") refreshSoon();
      else if (event.type === "update") replaceRow(event.review, (row) => updated(row, event));
      else if (event.type === "close") replaceRow(event.review, undefined);
    }),
    onReturn(() => void readQueue()),
    // Reviews that stand behind another's alert open without an event of their own.
    stations.subscribe(() => {
      const now = waiting.peek();
      if (told >= 0 && now > told) refreshSoon();
      told = now;
    }),
  ];
  void readQueue();
  return () => {
    clearTimeout(timer);
    for (const call of stop) call();
  };
}
