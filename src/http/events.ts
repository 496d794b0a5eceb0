/** Live events over HTTP: reviews and stations as they change, to a bounded number of clients that keep up. */

import type { ServerResponse } from "node:http";
import type { Desk, ReviewEvent } from "../gateway/desk.ts";
import type { Clock, Log } from "../gateway/ports.ts";
import type { StationView } from "./api-schemas.ts";

export interface EventsOptions {
  readonly desk: Pick<Desk, "watch">;
  readonly stations: () => readonly StationView[];
  readonly clock: Clock;
  readonly log: Log;
  readonly clientsMax?: number;
  /** What may wait for a client before it is cut off; it connects again, and reads how things stand. */
  readonly bufferBytesMax?: number;
}

interface Client {
  readonly out: ServerResponse;
  readonly station: string | undefined;
  readonly isStillAdmitted: () => boolean;
}

const CLIENTS_MAX = 64;
const BUFFER_BYTES_MAX = 262_144;
const LOOK_EVERY_MS = 1000;
/** Shorter than the shortest idle time of the usual proxies. */
const HEARTBEAT_LOOKS = 15;

export function createEvents({
  desk,
  stations,
  clock,
  log,
  clientsMax = CLIENTS_MAX,
  bufferBytesMax = BUFFER_BYTES_MAX,
}: EventsOptions) {
  const clients = new Set<Client>();
  /** As last sent, by station. */
  const told = new Map<string, string>();
  let looks = 0;
  let cancelLook: (() => void) | undefined;
  let cancelWatch: (() => void) | undefined;

  function send(client: Client, text: string): void {
    client.out.write(text);
    if (client.out.writableLength > bufferBytesMax) drop(client);
  }

  /** Ends it here and now: what waits for it is not waited for. */
  function drop(client: Client): void {
    leave(client);
    client.out.destroy();
  }

  function leave(client: Client): void {
    clients.delete(client);
    if (clients.size > 0) return;
    cancelLook?.();
    cancelWatch?.();
    told.clear();
  }

  function tell(station: string, text: string): void {
    for (const client of clients) {
      if (client.station === undefined || client.station === station) send(client, text);
    }
  }

  const tellReview = (event: ReviewEvent): void => tell(event.station, messageOf("review", bodyOf(event)));

  function tellStations(): void {
    for (const view of stations()) {
      const body = JSON.stringify(view);
      if (told.get(view.station) === body) continue;
      told.set(view.station, body);
      tell(view.station, messageOf("station", body));
    }
  }

  function look(): void {
    cancelLook = clock.after(LOOK_EVERY_MS, look);
    for (const client of clients) if (!client.isStillAdmitted()) drop(client);
    looks = (looks + 1) % HEARTBEAT_LOOKS;
    if (looks === 0) for (const client of clients) send(client, ": still here\n\n");
    try {
      if (clients.size > 0) tellStations();
    } catch (error) {
      log.warn({ error: (error as Error).message }, "the stations' status cannot be read; trying again");
    }
  }

  return {
    isFull: (): boolean => clients.size >= clientsMax,
    count: (): number => clients.size,

    /** From now on it is told; first of all, how the stations stand. */
    join(out: ServerResponse, station: string | undefined, isStillAdmitted: () => boolean): void {
      if (out.destroyed) return; // Gone while it was let in: no close would ever take it off the list.
      const client: Client = { out, station, isStillAdmitted };
      out.on("error", () => {}); // Its close follows.
      out.on("close", () => leave(client));
      out.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-accel-buffering": "no",
      });
      if (clients.size === 0) {
        cancelWatch = desk.watch(tellReview);
        cancelLook = clock.after(LOOK_EVERY_MS, look);
      }
      clients.add(client);
      send(client, ": listening\n\n"); // Or it would not know before the first event.
      for (const view of stations()) {
        const body = JSON.stringify(view);
        if (station === undefined || station === view.station) send(client, messageOf("station", body));
        if (clients.size === 1) told.set(view.station, body);
      }
    },

    close(): void {
      for (const client of [...clients]) drop(client);
    },
  };
}

function messageOf(event: "review" | "station", body: string): string {
  return `event: ${event}\ndata: ${body}\n\n`;
}

/** As it is published, but for the frame: who wants to see it asks for it. */
function bodyOf({ type, body }: ReviewEvent): string {
  if (type !== "open") return body;
  return JSON.stringify({ ...(JSON.parse(body) as object), frameInline: undefined });
}
