/** The life of a review: which acts and events it takes in which state, and what it then is. */

import type { ActError, ReviewAct, Reviewer, ReviewRecord } from "./review-record.ts";
import { blindProblem, verdictProblem } from "./verdict.ts";

/** What happens to a review without a person. */
export type ReviewHappening =
  /** An alert of its own is due to it, which stands for so many. */
  | { readonly kind: "announce"; readonly count: number }
  /** Its deadline has passed. */
  | { readonly kind: "overdue" }
  /** Whoever claimed it has let the claim's time go by. */
  | { readonly kind: "lapse" }
  /** More reviews wait than may. */
  | { readonly kind: "expire" }
  /** So many frames stand behind its alert. */
  | { readonly kind: "recount"; readonly count: number };

export type Transition =
  | { readonly ok: true; readonly review: ReviewRecord; readonly isPublished: boolean }
  | { readonly ok: false; readonly error: ActError; readonly message: string };

export interface ActContext {
  readonly nowMs: number;
  readonly claimMs: number;
  /** Classes of the station's bundle; none where the station is no longer known. */
  readonly classes: readonly string[];
}

export function isUnresolved({ state }: Pick<ReviewRecord, "state">): boolean {
  return state === "held" || state === "open" || state === "claimed";
}

/** A claim that has run out binds nobody, whether or not it has been noted yet. */
function isClaimedByOther(review: ReviewRecord, by: Reviewer, nowMs: number): boolean {
  return review.state === "claimed" && review.claimedBy !== by.name && nowMs < (review.claimedUntilMs ?? 0);
}

/**
 * What becomes of a review by the act of a person. Nothing changes where it is refused; the very same review comes back
 * where the person had done it already.
 */
export function actOn(review: ReviewRecord, act: ReviewAct, by: Reviewer, context: ActContext): Transition {
  if (isRepeated(review, act, by)) return { ok: true, review, isPublished: false };
  if (!isUnresolved(review)) return refused("closed", closedWords(review));
  if (isClaimedByOther(review, by, context.nowMs)) {
    const until = new Date(review.claimedUntilMs!).toISOString();
    return refused("claimed-by-other", `${review.claimedBy} has claimed it until ${until}`);
  }
  // What happened without a person, a deadline say, makes no answer wrong; another person's act may.
  if (!(act.reviewRevision >= review.actedRevision && act.reviewRevision <= review.revision)) {
    return refused(
      "stale-revision",
      `expected revision ${review.revision}, found ${act.reviewRevision}: somebody has acted on it meanwhile; look again`,
    );
  }
  switch (act.kind) {
    case "claim":
      return acted(review, {
        state: "claimed",
        claimedBy: by.name,
        claimedUntilMs: context.nowMs + context.claimMs,
      });
    case "release":
      if (review.state !== "claimed")
        return refused("stale-revision", "it is not claimed; nothing to release");
      return acted(review, { ...UNCLAIMED, state: restingState(review) });
    case "resolve": {
      const problem =
        blindProblem(act.verdict, review.reason) ?? verdictProblem(act, review.className, context.classes);
      if (problem !== undefined) return refused(problem.error, problem.message);
      return acted(review, {
        ...UNCLAIMED,
        state: "resolved",
        verdict: act.verdict,
        verdictClass: act.verdict === "confirm" ? review.className : (act.class ?? null),
        reviewer: by.name,
        vouched: by.vouched,
        resolvedAtMs: context.nowMs,
      });
    }
    default:
      return unreachable(act);
  }
}

/** What becomes of a review by what happens; undefined where it does not concern it (any more). */
export function happenTo(
  review: ReviewRecord,
  happening: ReviewHappening,
  nowMs: number,
): Extract<Transition, { ok: true }> | undefined {
  if (!isUnresolved(review)) return undefined;
  const isAnnounced = review.announcedAtMs !== null;
  switch (happening.kind) {
    case "announce":
      if (review.state !== "held") return undefined;
      return changed(review, { state: "open", announcedAtMs: nowMs, count: happening.count }, true);
    case "overdue":
      if (review.overdue || nowMs < review.deadlineAtMs) return undefined;
      return changed(review, { overdue: true }, isAnnounced);
    case "lapse":
      if (review.state !== "claimed" || nowMs < review.claimedUntilMs!) return undefined;
      return changed(review, { ...UNCLAIMED, state: restingState(review) }, true);
    case "expire":
      return changed(review, { ...UNCLAIMED, state: "expired", resolvedAtMs: nowMs }, isAnnounced);
    case "recount":
      if (!isAnnounced || happening.count <= review.count) return undefined;
      return changed(review, { count: happening.count }, true);
    default:
      return unreachable(happening);
  }
}

/**
 * Whether a person has done this already: the broker delivers a message again, or a reply was lost. It is answered as
 * the first time.
 */
function isRepeated(review: ReviewRecord, act: ReviewAct, by: Reviewer): boolean {
  if (act.reviewRevision >= review.revision) return false;
  switch (act.kind) {
    case "claim":
      return review.state === "claimed" && review.claimedBy === by.name;
    case "release":
      return false;
    case "resolve":
      return (
        review.state === "resolved" &&
        review.reviewer === by.name &&
        review.verdict === act.verdict &&
        (act.class === undefined || act.class === review.verdictClass)
      );
    default:
      return unreachable(act);
  }
}

const UNCLAIMED = { claimedBy: null, claimedUntilMs: null } as const;

/** Where a review goes back to that nobody has claimed any more. */
function restingState(review: ReviewRecord): "open" | "held" {
  return review.announcedAtMs === null ? "held" : "open";
}

function acted(review: ReviewRecord, change: Partial<ReviewRecord>): Transition {
  const revision = review.revision + 1;
  return {
    ok: true,
    review: { ...review, ...change, revision, actedRevision: revision },
    isPublished: true,
  };
}

/** A resolved audit, once it is to be told that a part which passed was found wrong. */
export function alarmed(review: ReviewRecord): ReviewRecord {
  return { ...review, revision: review.revision + 1 };
}

function changed(
  review: ReviewRecord,
  change: Partial<ReviewRecord>,
  isPublished: boolean,
): Extract<Transition, { ok: true }> {
  return { ok: true, review: { ...review, ...change, revision: review.revision + 1 }, isPublished };
}

function refused(error: ActError, message: string): Transition {
  return { ok: false, error, message };
}

function closedWords({ state, reviewer, resolvedAtMs }: ReviewRecord): string {
  const at = new Date(resolvedAtMs ?? 0).toISOString();
  return state === "expired"
    ? `it expired at ${at}: more reviews waited than may`
    : `${reviewer} answered it at ${at}; the first answer stands`;
}

function unreachable(value: never): never {
  throw new Error(`no such act or happening: ${JSON.stringify(value)}`);
}
