/** What a reviewer is shown of a frame: fetched once, kept for the few that are looked at, the next one beforehand. */

import type { FrameView } from "../../../../src/http/frame-view-schemas.ts";
import { ApiError, get, getBlob } from "../../api.ts";

export type Signal = NonNullable<FrameView["signal"]>;
export type ClassConfidence = FrameView["student"][number];
export type Neighbour = FrameView["neighbours"][number];

export type Picture =
  | { readonly kind: "image"; readonly url: string }
  | { readonly kind: "signal"; readonly signal: Signal }
  | { readonly kind: "vector"; readonly vector: NonNullable<FrameView["vector"]> }
  /** `gone`: it had to make room for newer ones. `unreadable`: nobody could draw it. */
  | { readonly kind: "none"; readonly why: "gone" | "unreadable" };

export interface Sight {
  readonly picture: Picture;
  readonly view: FrameView;
}

interface Asked {
  readonly review: string;
  readonly hasFrame: boolean;
}

/** Pictures are given back to the browser's memory beyond so many. */
const KEPT_MAX = 12;
/** Where many frames are being drawn at once. */
const BUSY_MS = 500;
const BUSY_TRIES = 6;
const NOTHING: FrameView = { student: [], band: null, topTwo: null, neighbours: [] };
const GONE: Sight = { picture: { kind: "none", why: "gone" }, view: NOTHING };

const kept = new Map<string, Promise<Sight>>();

/** @throws ApiError where the gateway does not answer; it is asked anew the next time */
export function sightOf({ review, hasFrame }: Asked): Promise<Sight> {
  if (!hasFrame) return Promise.resolve(GONE);
  const known = kept.get(review);
  if (known !== undefined) {
    kept.delete(review);
    kept.set(review, known);
    return known;
  }
  const asked = fetchSight(review);
  kept.set(review, asked);
  asked.catch(() => kept.delete(review));
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT_MAX) break;
    forget(oldest);
  }
  return asked;
}

/** So that it is there when one comes to it. */
export function preload(asked: Asked | undefined): void {
  // Whoever looks at it is told what went wrong.
  if (asked !== undefined) sightOf(asked).catch(() => {});
}

function forget(review: string): void {
  const asked = kept.get(review);
  kept.delete(review);
  asked?.then(
    ({ picture }) => {
      if (picture.kind === "image") URL.revokeObjectURL(picture.url);
    },
    () => {},
  );
}

async function fetchSight(review: string): Promise<Sight> {
  try {
    const view = await fetchView(review);
    return { view, picture: await pictureOf(view, review) };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return GONE;
    throw error;
  }
}

async function fetchView(review: string): Promise<FrameView> {
  for (let tries = 1; ; tries++) {
    const view = await get<FrameView>(pathOf(review, "view"));
    if (view.notShown !== "busy" || tries === BUSY_TRIES) return view;
    await new Promise((resolve) => setTimeout(resolve, BUSY_MS * tries));
  }
}

async function pictureOf({ picture, signal, vector, notShown }: FrameView, review: string): Promise<Picture> {
  if (picture !== undefined) {
    return { kind: "image", url: URL.createObjectURL(await getBlob(pathOf(review, picture.image))) };
  }
  if (signal !== undefined) return { kind: "signal", signal };
  if (vector !== undefined) return { kind: "vector", vector };
  if (notShown === "busy") throw new ApiError("unavailable", "many frames are being drawn", 503);
  return { kind: "none", why: notShown === "gone" ? "gone" : "unreadable" };
}

/** Of what is beside a review. */
export function pathOf(review: string, what: string): string {
  return `/reviews/${encodeURIComponent(review)}/${what}`;
}
