/** What is told of a batch once it is on disk: its decisions published, and each row counted. */

import { type Committed, type DecisionRecord, guardedOf } from "../core/record.ts";
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
      const tallies: Tally[] = [];
      for (const [i, { record, isRedelivery }] of committed.entries()) {
        const { station, reason } = record;
        if (isRedelivery) {
          metrics.redelivered(station);
          continue;
        }
        if (record.decision === "reject") notes.reject(record);
        const taken = batch[i];
        if (taken !== undefined) metrics.latency(station, (nowMs - taken.takenAtMs) / 1000);
        tallyOf(tallies, record, taken === undefined ? "part" : "frame").count++;
        const would = reason === "shadow" ? guardedOf(record.would) : undefined;
        if (would !== undefined) metrics.wouldBe(station, would.kind, would.reason);
      }
      for (const { alike, count } of tallies) metrics.decided(alike, count);
    },
  };
}

interface Tally {
  readonly alike: Alike;
  count: number;
}

/** Looked for, and not keyed: a batch has few kinds, and a key would be a text made for every frame. */
function tallyOf(
  tallies: Tally[],
  { station, decision, reason, className }: DecisionRecord,
  of: Alike["of"],
): Tally {
  for (const tally of tallies) {
    const { alike } = tally;
    const isAlike =
      alike.reason === reason &&
      alike.className === className &&
      alike.decision === decision &&
      alike.station === station &&
      alike.of === of;
    if (isAlike) return tally;
  }
  const tally = { alike: { station, of, decision, reason, className }, count: 0 };
  tallies.push(tally);
  return tally;
}
