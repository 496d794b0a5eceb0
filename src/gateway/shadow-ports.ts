/** What a bundle in shadow is compared by, and where that is kept. */

import type { Compared, Comparison } from "../core/shadow.ts";

/** Frames of one pair of answers, and a few of them by which it can be looked into. */
export interface PairCount extends Compared {
  readonly frames: number;
  readonly examples: readonly ShadowExample[];
}

export interface ShadowExample {
  /** Id of the live decision in the ledger. */
  readonly decision: number;
  readonly source: string;
  readonly frame: string;
}

/** What has come to a comparison since it was last noted. */
export interface ShadowCounts {
  /** Frames that both have judged. */
  readonly judged: number;
  /** Frames that came faster than the shadow could take them. */
  readonly dropped: number;
  /** Frames that were with an engine of the shadow that ended. */
  readonly lost: number;
  readonly pairs: readonly PairCount[];
}

/** A comparison as it stands, over all restarts. */
export interface ShadowStanding extends ShadowCounts {
  readonly comparison: Comparison;
  readonly beganAtMs: number;
  readonly lastAtMs: number;
}

/** The comparisons in the ledger. Every call returns when what it wrote is on disk, or throws. */
export interface ShadowBook {
  /** Adds to what is counted already. */
  note(comparison: Comparison, counts: ShadowCounts, atMs: number): void;
  /** The comparison of a station that was noted last. */
  latest(station: string): ShadowStanding | undefined;
}

export interface ShadowMetrics {
  /** Frames that the shadow judged, and what differs. */
  shadowJudged(station: string): void;
  shadowDifference(station: string, live: string, shadow: string): void;
  shadowDropped(station: string, why: "busy" | "engine-lost", frames: number): void;
}
