/** The reviews that wait: read by pages, highest priority first, and kept true by events. */

import { batch, computed, signal } from "@preact/signals";
import type { ReviewsReply, ReviewView } from "../../../../src/http/api-schemas.ts";
import { ApiError, get } from "../../api.ts";
import { onReturn, onReview, stations } from "../../events.ts";
import { merged, opened, updated } from "./rank.ts";

/** Of the first page, which must be there at once; the others come while one scrolls. */
const FIRST_PAGE = 100;
const PAGE = 500;
/** Reviews that open in a row are taken up together. */
const OPENING_MS = 200;
/** Until reviews without an alert are looked for: many consoles must not keep a gateway from judging. */
const REFRESH_MS = { short: 1000, long: 5000 };
const REFRESHED = 50;

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
    const { reviews, next: more } = await get<ReviewsReply>(`/reviews?${queryOf(REFRESHED, undefined)}`);
    if (mine !== beginning) return;
    const isAll = more === undefined;
    batch(() => {
      rows.value = isAll ? reviews : merged(rows.value, reviews);
      // Those between are read once more where all had been read, and are not all there.
      const isShort = next.value === undefined && waiting.value > rows.value.length;
      if (isAll || isShort || rows.value.length <= REFRESHED) next.value = more;
      load.value = { kind: "ready" };
    });
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
  const timers = new Set<ReturnType<typeof setTimeout>>();
  let opening: ReviewView[] = [];
  let isRefreshing = false;
  let told = -1;
  const after = (ms: number, call: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      call();
    }, ms);
    timers.add(timer);
  };
  const open = (row: ReviewView): void => {
    if (stationShown.value !== undefined && stationShown.value !== row.station) return;
    opening.push(row);
    if (opening.length > 1) return;
    after(OPENING_MS, () => {
      rows.value = merged(rows.value, opening);
      opening = [];
    });
  };
  const refreshSoon = (): void => {
    if (isRefreshing) return;
    isRefreshing = true;
    after(rows.value.length < FIRST_PAGE ? REFRESH_MS.short : REFRESH_MS.long, () => {
      isRefreshing = false;
      void refresh();
    });
  };
  const stop = [
    onReview((event) => {
      if (event.type === "open") open(opened(event));
      else if (event.type === "update") replaceRow(event.review, (row) => updated(row, event));
      else if (event.type === "close") replaceRow(event.review, undefined);
    }),
    onReturn(() => void readQueue()),
    // Reviews that stand behind another's alert open without an event of their own.
    stations.subscribe((known) => {
      const now = [...known.values()].reduce((sum, { heldReviews }) => sum + heldReviews, 0);
      if (told >= 0 && now > told) refreshSoon();
      told = now;
    }),
  ];
  void readQueue();
  return () => {
    for (const timer of timers) clearTimeout(timer);
    for (const call of stop) call();
  };
}
