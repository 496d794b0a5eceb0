/** Tells operators of thresholds that nothing proves when they come into force, and of those that end it. */

import type { ActBook, ActRow, Clock, Log, Message, Publisher } from "./ports.ts";

export interface ToldRevisionsOptions {
  readonly stations: readonly string[];
  readonly acts: Pick<ActBook, "latest" | "list">;
  readonly publisher: Pick<Publisher, "onConnect" | "publish">;
  readonly message: (act: ActRow) => Message;
  readonly clock: Clock;
  readonly log: Log;
}

const ROUND_MS = 1000;

/**
 * The acts are the outbox: of each station the last revision is told until the broker has it, where it or the one
 * before it is not certified. What was told is not remembered over a restart: it is then told again, as the same bytes.
 */
export function tellRevisions({ stations, acts, publisher, message, clock, log }: ToldRevisionsOptions) {
  /** By station, the number of the act that was told, or needs not be. */
  const done = new Map<string, number>();
  /** Where the last that people heard of is not certified. */
  const alarmed = new Set<string>();
  /** Those under way. */
  const sent = new Map<string, number>();
  let cancel: (() => void) | undefined;
  let isClosed = false;
  let isFailing = false;

  function lookAt(station: string): void {
    const newest = acts.latest(station, "revision");
    if (newest === undefined || done.get(station) === newest.seq || sent.get(station) === newest.seq) return;
    const [last, before] = acts.list({ station, kinds: ["revision"], limit: 2 });
    if (last === undefined) return;
    const isCalm = isCertified(last) && (before === undefined || isCertified(before));
    if (isCalm && !alarmed.has(station)) {
      done.set(station, last.seq);
      return;
    }
    sent.set(station, last.seq);
    publisher.publish(message(last), (error) => {
      if (sent.get(station) === last.seq) sent.delete(station);
      if (error === undefined) {
        done.set(station, last.seq);
        if (isCertified(last)) alarmed.delete(station);
        else alarmed.add(station);
      } else if (error.failure !== "offline")
        log.warn({ station, error: error.message }, "that thresholds are not certified is told again");
    });
  }

  function look(): void {
    if (isClosed) return;
    try {
      for (const station of stations) lookAt(station);
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn({ error: (error as Error).message }, "revisions cannot be read; tried again");
      isFailing = true;
    }
  }

  function round(): void {
    look();
    if (!isClosed) cancel = clock.after(ROUND_MS, round);
  }

  publisher.onConnect(look);
  return {
    start: round,
    close(): void {
      isClosed = true;
      cancel?.();
    },
  };
}

function isCertified({ body }: ActRow): boolean {
  return (JSON.parse(body) as { certified?: boolean }).certified === true;
}
