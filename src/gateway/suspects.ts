/** Suspects: frames that engines ended with, tried alone until they are judged or have ended too many. */

import { insert } from "./backlog.ts";
import type { Suspicion } from "./ports.ts";
import type { Station, Taken } from "./station.ts";

const WEIGHT: Readonly<Record<Suspicion, number>> = { none: 0, slight: 1, strong: 3 };
/**
 * At this a frame is poison: two engines crashed over it. Those killed from outside count for less, so that who
 * kills engines gets no innocent frame rejected; but they count, or a frame that uses up all memory would go round
 * for ever: one with its batch and five alone.
 */
const POISON_WEIGHT = 6;

/** A frame whose engine was lost is suspect: it goes alone, so that the one that ends engines shows itself. */
export function isSuspect(taken: Taken | undefined): boolean {
  return taken !== undefined && taken.suspicion > 0 && taken.reject === undefined;
}

export function suspect(batch: readonly Taken[], suspicion: Suspicion): void {
  for (const taken of batch) taken.suspicion += WEIGHT[suspicion];
}

/** Gives the frames of a lost engine back, in the order of receipt; those that ended too many become rejects. */
export function putBack(station: Station, batch: readonly Taken[]): void {
  const again = batch.map((taken) =>
    taken.suspicion >= POISON_WEIGHT ? { ...taken, reject: "poison" as const } : taken,
  );
  insert(station, again);
}
