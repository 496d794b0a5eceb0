/** The backlog: frames taken in that no engine has yet, over all stations; bounded in number and in bytes. */

import type { Station, Taken } from "./station.ts";

/** What may wait before the intake holds, or the oldest are shed. */
export interface BacklogBounds {
  readonly frames: number;
  /** Of payloads. The frame that reaches the bound is the last one taken. */
  readonly bytes: number;
}

/** A station's policy at the bound: `hold` loses nothing and lets the broker wait; `shed-oldest` keeps up. */
export type Overload = "hold" | "shed-oldest";

export function framesWaiting(stations: readonly Station[]): number {
  return stations.reduce((sum, station) => sum + station.waiting.length, 0);
}

export function isFull(stations: readonly Station[], bounds: BacklogBounds): boolean {
  return framesWaiting(stations) >= bounds.frames || bytesWaiting(stations) >= bounds.bytes;
}

/** Half of the bound is free again: less would have the intake stop and go with every batch. */
export function hasDrained(stations: readonly Station[], bounds: BacklogBounds): boolean {
  return framesWaiting(stations) <= bounds.frames / 2 && bytesWaiting(stations) <= bounds.bytes / 2;
}

/**
 * Takes the frames to shed off the backlog: the oldest of the station that sheds and has waited longest. Several
 * at a time, since each commit costs a turn of the disk: a batch or an eighth of the bound, whichever is more, but
 * never more than half of what waits there.
 * @returns nothing where no station that sheds has a frame waiting
 */
export function takeToShed(
  stations: readonly Station[],
  batchMax: number,
  bounds: BacklogBounds,
): { readonly station: Station; readonly batch: readonly Taken[] } | undefined {
  let station: Station | undefined;
  for (const one of stations) {
    if (one.overload !== "shed-oldest" || one.waiting.length === 0) continue;
    if (station === undefined || one.waiting[0]!.ticket < station.waiting[0]!.ticket) station = one;
  }
  if (station === undefined) return undefined;
  const count = Math.max(batchMax, Math.ceil(bounds.frames / 8));
  const oldest = removeFirst(station, Math.min(count, Math.ceil(station.waiting.length / 2)));
  // What cannot be judged at all keeps its own reason.
  return { station, batch: oldest.map((taken) => ({ ...taken, reject: taken.reject ?? "shed" })) };
}

/** Puts a frame behind those that wait; where it is the next delivery of one of them, in its stead. */
export function admit(station: Station, taken: Taken): void {
  const earlier = station.expected.size === 0 ? undefined : station.expected.get(keyOf(taken));
  if (earlier !== undefined) {
    station.expected.delete(keyOf(taken));
    station.waiting.splice(station.waiting.indexOf(earlier), 1);
    station.waitingBytes -= earlier.frame.payload.length;
    taken.suspicion = earlier.suspicion;
  }
  append(station, taken);
}

function append(station: Station, taken: Taken): void {
  station.waiting.push(taken);
  station.waitingBytes += taken.frame.payload.length;
}

export function removeFirst(station: Station, count: number): Taken[] {
  const removed = station.waiting.splice(0, count);
  for (const taken of removed) {
    station.waitingBytes -= taken.frame.payload.length;
    if (station.expected.size > 0) station.expected.delete(keyOf(taken));
  }
  return removed;
}

/** Gives frames back to their places, in the order of receipt. */
export function insert(station: Station, batch: readonly Taken[]): void {
  for (const taken of batch) append(station, taken);
  station.waiting.sort((a, b) => a.ticket - b.ticket);
}

/**
 * The broker is about to deliver again what has no acknowledgement. A frame with an id waits on until it comes: a
 * broker that crashed may have found its session as it was some time before, without that frame, and nobody else
 * has it. One without an id would be judged as two, and is left to the broker.
 */
export function expectAgain(station: Station): void {
  const kept = station.waiting.filter(({ comesAgain, frame }) => !comesAgain || frame.identified);
  removeFirst(station, station.waiting.length);
  for (const taken of kept) {
    append(station, taken);
    if (taken.comesAgain) station.expected.set(keyOf(taken), taken);
  }
}

function keyOf({ frame: { source, id } }: Taken): string {
  return JSON.stringify([source, id]);
}

function bytesWaiting(stations: readonly Station[]): number {
  return stations.reduce((sum, station) => sum + station.waitingBytes, 0);
}

/** No frame waits and none is with an engine. */
export function areIdle(stations: readonly Station[]): boolean {
  return stations.every((one) => one.batchesInFlight === 0 && one.waiting.length === 0);
}
