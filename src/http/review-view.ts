/** A review as the API shows it. */

import type { ReviewRow } from "../gateway/desk.ts";
import type { ReviewView } from "./api-schemas.ts";

const timeText = (ms: number): string => new Date(ms).toISOString();

export function reviewView(r: ReviewRow): ReviewView {
  return {
    review: r.id,
    reviewRevision: r.revision,
    station: r.station,
    source: r.source,
    frame: r.frame,
    ...(r.part !== null && { part: r.part }),
    reason: r.reason,
    state: r.state,
    overdue: r.overdue,
    ...(r.lead !== null && { lead: r.lead }),
    text: r.text,
    openedAt: timeText(r.openedAtMs),
    deadline: timeText(r.deadlineAtMs),
    priority: r.priority,
    count: r.count,
    class: r.className,
    classIndex: r.classIndex,
    confidence: r.confidence,
    score: r.score,
    lambda: r.lambda,
    band: r.bandLow === null || r.bandHigh === null ? null : [r.bandLow, r.bandHigh],
    mode: r.mode,
    revision: r.thresholdsRevision,
    at: timeText(r.decidedAtMs),
    hasFrame: r.hasFrame,
    ...(r.claimedBy !== null && { claimedBy: r.claimedBy, claimedUntil: timeText(r.claimedUntilMs!) }),
    ...(r.verdict !== null && {
      verdict: r.verdict,
      ...(r.verdictClass !== null && { verdictClass: r.verdictClass }),
      ...(r.reviewer !== null && { reviewer: r.reviewer }),
      ...(r.vouched !== null && { vouched: r.vouched }),
    }),
    ...(r.resolvedAtMs !== null && { closedAt: timeText(r.resolvedAtMs) }),
  };
}
