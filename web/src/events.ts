/** What happens at the gateway, as it happens: reviews by call, stations as a signal; connects again by itself. */

import { signal } from "@preact/signals";
import type { StationView } from "../../src/http/api-schemas.ts";
import { get } from "./api.ts";
import type { ReviewEvent } from "./event-types.ts";

/** `live`: events come. `connecting`: for the first time. `lost`: it tries again. */
export type Connection = "connecting" | "live" | "lost";

export const connection = signal<Connection>("connecting");
/** How each station stands, by name. */
export const stations = signal<ReadonlyMap<string, StationView>>(new Map());

const RETRY_MS = { first: 500, last: 15_000 };
const reviewListeners = new Set<(event: ReviewEvent) => void>();
const returnListeners = new Set<() => void>();

export function onReview(listener: (event: ReviewEvent) => void): () => void {
  reviewListeners.add(listener);
  return () => reviewListeners.delete(listener);
}

/** Called when events come again after a gap: what was missed is not sent again, so read how things stand. */
export function onReturn(listener: () => void): () => void {
  returnListeners.add(listener);
  return () => returnListeners.delete(listener);
}

/** Listens from now on. @returns to be called to listen no more */
export function listen(): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let retryMs = RETRY_MS.first;
  let wasLost = false;

  function open(): void {
    const one = new EventSource("/api/events");
    source = one;
    one.onopen = () => {
      retryMs = RETRY_MS.first;
      connection.value = "live";
      if (wasLost) for (const listener of returnListeners) listener();
      wasLost = false;
    };
    one.onerror = () => {
      one.close();
      connection.value = "lost";
      wasLost = true;
      // Its session may have ended: then the sign-in page comes, and nobody is told that the gateway is away.
      get("/session").catch(() => {});
      // Spread out, so that a restart is not met by every tablet of the plant at once.
      retry = setTimeout(open, retryMs * (0.5 + Math.random()));
      retryMs = Math.min(RETRY_MS.last, retryMs * 2);
    };
    one.addEventListener("station", (event) => {
      const view = JSON.parse((event as MessageEvent<string>).data) as StationView;
      stations.value = new Map(stations.value).set(view.station, view);
    });
    one.addEventListener("review", (event) => {
      const review = JSON.parse((event as MessageEvent<string>).data) as ReviewEvent;
      for (const listener of reviewListeners) listener(review);
    });
  }

  connection.value = "connecting";
  open();
  return () => {
    clearTimeout(retry);
    source?.close();
    stations.value = new Map();
  };
}
