/** What a reviewer is shown of a frame: fetched once, kept for the few that are looked at, the next one beforehand. */

import { ApiError, get, getBlob } from "../../api.ts";

export interface ClassConfidence {
  readonly class: string;
  readonly confidence: number;
}

export interface Signal {
  /** Smallest and largest of each stretch, one behind the other, where there are more samples than can be shown. */
  readonly samples: readonly number[];
  /** Samples a second of the sensor. */
  readonly rate?: number;
  readonly spectrum: readonly number[];
}

export interface Neighbour {
  readonly class: string;
  readonly confidenceTeacher: number;
  readonly confidenceStudent: number;
  /** A picture's path beside the review, or the picture itself. */
  readonly image?: string;
  readonly signal?: Signal;
  readonly distance: number;
}

/** As `GET /api/reviews/ID/view` gives it; of an audit without anything that the student said. */
export interface View {
  readonly image?: string;
  readonly signal?: Signal;
  readonly vector?: readonly { readonly name?: string; readonly value: number }[];
  readonly student?: readonly ClassConfidence[];
  readonly band?: readonly [number, number] | null;
  readonly neighbours?: readonly Neighbour[];
}

export type Picture =
  | { readonly kind: "image"; readonly url: string }
  | { readonly kind: "signal"; readonly signal: Signal }
  | { readonly kind: "vector"; readonly vector: NonNullable<View["vector"]> }
  /** `gone`: it had to make room for newer ones. `unreadable`: nobody could draw it. */
  | { readonly kind: "none"; readonly why: "gone" | "unreadable" };

export interface Sight {
  readonly picture: Picture;
  readonly view: View;
}

interface Asked {
  readonly review: string;
  readonly hasFrame: boolean;
}

/** Pictures are given back to the browser's memory beyond so many. */
const KEPT_MAX = 12;
const GONE: Sight = { picture: { kind: "none", why: "gone" }, view: {} };

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
  const path = `/reviews/${encodeURIComponent(review)}`;
  try {
    const view = await get<View>(`${path}/view`);
    return { view, picture: await pictureOf(view, path) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) return GONE;
    if (error.status === 422) return { picture: { kind: "none", why: "unreadable" }, view: {} };
    throw error;
  }
}

async function pictureOf({ image, signal, vector }: View, path: string): Promise<Picture> {
  if (image !== undefined)
    return { kind: "image", url: URL.createObjectURL(await getBlob(`${path}/${image}`)) };
  if (signal !== undefined) return { kind: "signal", signal };
  if (vector !== undefined) return { kind: "vector", vector };
  return { kind: "none", why: "unreadable" };
}
