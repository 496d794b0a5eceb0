/** What is told of a batch once it is on disk: its decisions published, and each row counted. */

import { type Committed, guardedOf } from "../core/record.ts";
import type { createNotes } from "./notes.ts";
import type { Parts } from "./parts.ts";
import type { Clock, Metrics } from "./ports.ts";
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
      for (const [i, { record, isRedelivery }] of committed.entries()) {
        const { station, decision, reason } = record;
        const taken = batch[i];
        if (decision === "reject" && !isRedelivery) notes.reject(record);
        if (isRedelivery) metrics.redelivered(station);
        else if (taken === undefined) metrics.part(station, decision, reason);
        else metrics.frame(station, decision, reason, (nowMs - taken.takenAtMs) / 1000);
        const would = reason === "shadow" && !isRedelivery ? guardedOf(record.would) : undefined;
        if (would !== undefined) metrics.wouldBe(station, would.kind, would.reason);
      }
    },
  };
}
