/**
 * Situations: reviews of one station, source and reason that come upon each other are one, announced by the first of
 * them, its lead. A fouled lens is one alert with a count.
 */

export interface Situation {
  /** The review whose alert announces it. */
  readonly lead: string;
  /** Reviews in it, the lead included. */
  readonly count: number;
  /** When the last of them opened. */
  readonly lastAtMs: number;
  /** The count that was published last, and when. */
  readonly toldCount: number;
  readonly toldAtMs: number;
}

export interface SituationTimes {
  /** A review joins if the last one of its key is no older than this. */
  readonly coalesceMs: number;
  /** Between two updates of a lead, at least. */
  readonly updateMs: number;
}

export function begin(lead: string, nowMs: number): Situation {
  return { lead, count: 1, lastAtMs: nowMs, toldCount: 1, toldAtMs: nowMs };
}

export function join(situation: Situation, nowMs: number): Situation {
  const { count, lastAtMs } = situation;
  return { ...situation, count: count + 1, lastAtMs: Math.max(lastAtMs, nowMs) };
}

/** Whether it goes on, and so covers what comes: a flood is one situation for as long as it lasts. */
export function covers({ lastAtMs }: Situation, nowMs: number, { coalesceMs }: SituationTimes): boolean {
  return nowMs - lastAtMs < coalesceMs;
}

/** What is to be told of it now. `over`: its last count, if that is news, and nothing more. */
export function tidings(
  situation: Situation,
  nowMs: number,
  times: SituationTimes,
): "none" | "update" | "over" {
  if (!covers(situation, nowMs, times)) return "over";
  // At doubling counts: of a flood of 10,000 a person hears 13 times.
  const isNews = situation.count >= 2 * situation.toldCount;
  return isNews && nowMs - situation.toldAtMs >= times.updateMs ? "update" : "none";
}

export function told(situation: Situation, nowMs: number): Situation {
  return { ...situation, toldCount: situation.count, toldAtMs: nowMs };
}
