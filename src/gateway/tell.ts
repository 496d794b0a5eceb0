/** What is told of a batch once it is on disk: its decisions published, and each row counted. */

import { type Committed, guardedOf } from "../core/record.ts";
import type { createNotes } from "./notes.ts";
import type { Parts } from "./parts.ts";
import type { Alike, Clock, Metrics } from "./ports.ts";
import type { Relay } from "./relay.ts";
import type { Taken } from "./station.ts";

export interface TellOptions {
  readonly relay: Relay;
  readonly parts: Parts;
  readonly metrics: Metrics;
  readonly notes: ReturnType<typeof createNotes>;
  readonly clock: Clock;
}

export function createTell({ relay, parts, metrics, notes, clock }: TellOptions) {
  return {
    publish(committed: readonly Committed[]): void {
      const fresh = committed.filter((one) => !one.isRedelivery).map((one) => one.record);
      relay.committed(
        fresh,
        committed.flatMap(({ alert }) => alert ?? []),
      );
      for (const { record, isRedelivery } of committed) {
        const standing = isRedelivery ? parts.standing(record) : undefined;
        if (standing !== undefined) relay.again(standing);
      }
    },

    /** @param batch the frames of the first rows; the rows behind them are of parts */
    count(committed: readonly Committed[], batch: readonly Taken[]): void {
      const nowMs = clock.monotonicMs();
      // A batch's decisions are mostly alike: each kind is counted once, since a labelled count costs as much as it does.
      const tallies = new Map<string, { readonly alike: Alike; count: number }>();
      for (const [i, { record, isRedelivery }] of committed.entries()) {
        const { station, decision, reason, className } = record;
        if (isRedelivery) {
          metrics.redelivered(station);
          continue;
        }
        if (decision === "reject") notes.reject(record);
        const taken = batch[i];
        if (taken !== undefined) metrics.latency(station, (nowMs - taken.takenAtMs) / 1000);
        const of = taken === undefined ? "part" : "frame";
        const key = `${of} ${station} ${decision} ${reason} ${className}`;
        const tally = tallies.get(key);
        if (tally === undefined)
          tallies.set(key, { alike: { station, of, decision, reason, className }, count: 1 });
        else tally.count++;
        const would = reason === "shadow" ? guardedOf(record.would) : undefined;
        if (would !== undefined) metrics.wouldBe(station, would.kind, would.reason);
      }
      for (const { alike, count } of tallies.values()) metrics.decided(alike, count);
    },
  };
}
