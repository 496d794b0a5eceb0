/** The alert budget of a station: a token bucket, so that a flood cannot bury the people who answer. */

export interface AlertBudget {
  /** Alerts that may be written now. */
  available(nowMs: number): number;
  take(nowMs: number): void;
}

const HOUR_MS = 3_600_000;

/**
 * Fills by so many an hour, evenly, and holds so many at most: after a quiet hour all of them may leave at once.
 * @param perHour at least 1
 */
export function createBudget(perHour: number): AlertBudget {
  let tokens = perHour;
  let atMs = Number.NEGATIVE_INFINITY;

  function refill(nowMs: number): void {
    // A clock that is set back adds nothing, and takes nothing away.
    if (nowMs <= atMs) return;
    if (atMs > Number.NEGATIVE_INFINITY)
      tokens = Math.min(perHour, tokens + ((nowMs - atMs) * perHour) / HOUR_MS);
    atMs = nowMs;
  }

  return {
    available(nowMs) {
      refill(nowMs);
      return Math.floor(tokens);
    },
    take(nowMs) {
      refill(nowMs);
      tokens -= 1;
    },
  };
}

/** How long ago alerts still bear on a budget: older ones only where it has never been full since. */
export const BUDGET_MEMORY_MS = 24 * HOUR_MS;

/** The share that reviews which were held may not use, so that what happens next can still be announced. */
export function reserveOf(perHour: number): number {
  return Math.floor(perHour / 10);
}
