/** How well a station's reviewers see, by the known frames among its audits. */

import { binomialInterval, type Interval } from "../core/statistics/binomial-interval.ts";
import type { AuditBook } from "../gateway/ports.ts";

/** Failure probability of the interval, both sides together. */
const ETA = 0.05;

/** Undefined where no known frame has been answered. */
export function sensitivityOf(
  audits: Pick<AuditBook, "knownAnswers">,
  station: string,
): Interval | undefined {
  const { answered, found } = audits.knownAnswers(station);
  return answered === 0 ? undefined : binomialInterval(found, answered, ETA);
}

/** The same as the API shows it. */
export function reviewersOf(audits: Pick<AuditBook, "knownAnswers">, station: string) {
  const { answered, found } = audits.knownAnswers(station);
  const interval = sensitivityOf(audits, station);
  return interval && { known: answered, found, sensitivity: [interval.low, interval.high] };
}
