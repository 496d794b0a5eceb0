/** A bundle in shadow beside the live one: what each says of the same frame, and whether that differs. */

import type { Decision } from "./judge.ts";

/** What one bundle says of a frame on its evidence, whatever the mode. */
export interface Said {
  readonly decision: "pass" | "review" | "reject";
  /** Undefined where it predicts none. */
  readonly className: string | undefined;
}

/** What the live bundle and the one in shadow said of one frame. */
export interface Compared {
  readonly live: Said;
  readonly shadow: Said;
}

/** Which bundles and thresholds are compared. */
export interface Comparison {
  readonly station: string;
  /** Digest of the bundle. */
  readonly liveBundle: string;
  readonly liveRevision: number;
  readonly shadowBundle: string;
  readonly shadowRevision: number;
}

/** The decision as it would be in mode guarded. */
export function saidOf(decision: Decision, className: string | undefined): Said {
  const { kind } = "would" in decision ? decision.would : decision;
  return { decision: kind, className };
}

/** Whether the line would notice: one passes what the other does not, or both pass it as different classes. */
export function differ({ live, shadow }: Compared): boolean {
  if (live.decision !== shadow.decision) return true;
  return live.decision === "pass" && live.className !== shadow.className;
}
