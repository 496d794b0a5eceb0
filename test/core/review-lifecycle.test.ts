/** The life of a review: each act and each happening, in each state. */

import { describe, expect, test } from "vitest";
import { actOn, happenTo, type ReviewHappening } from "../../src/core/review-lifecycle.ts";
import {
  REVIEW_STATES,
  type ReviewAct,
  type Reviewer,
  type ReviewRecord,
  type ReviewState,
} from "../../src/core/review-record.ts";
import { aReview, HANAKO, TARO } from "../support/reviews.ts";

const NOW_MS = 50_000;
const context = { nowMs: NOW_MS, claimMs: 600_000, classes: ["good", "bad"] };

/** A review in a state; where it is claimed, by Hanako, for a while yet. */
function aReviewThatIs(state: ReviewState, is: Partial<ReviewRecord> = {}): ReviewRecord {
  const isOver = state === "resolved" || state === "expired";
  return aReview({
    state,
    announcedAtMs: state === "held" ? null : 1000,
    ...(state === "claimed" && {
      claimedBy: "hanako",
      claimedUntilMs: NOW_MS + 1,
      revision: 2,
      actedRevision: 2,
    }),
    ...(isOver && { resolvedAtMs: 40_000, revision: 2 }),
    ...(state === "resolved" && {
      actedRevision: 2,
      verdict: "confirm",
      verdictClass: "good",
      reviewer: "hanako",
      vouched: true,
    }),
    ...is,
  });
}

const ACTS = ["claim", "release", "confirm"] as const;
function anAct(kind: (typeof ACTS)[number], reviewRevision: number): ReviewAct {
  if (kind === "confirm") return { kind: "resolve", review: "r-1", reviewRevision, verdict: "confirm" };
  return { kind, review: "r-1", reviewRevision };
}

function outcome(review: ReviewRecord, kind: (typeof ACTS)[number], by: Reviewer): string {
  const transition = actOn(review, anAct(kind, review.revision), by, context);
  return transition.ok ? transition.review.state : transition.error;
}

describe("what a person does", () => {
  // By Hanako, who has it where it is claimed; and by Taro, who has not.
  const TABLE: Readonly<
    Record<ReviewState, Readonly<Record<(typeof ACTS)[number], readonly [string, string]>>>
  > = {
    held: {
      claim: ["claimed", "claimed"],
      release: ["stale-revision", "stale-revision"],
      confirm: ["resolved", "resolved"],
    },
    open: {
      claim: ["claimed", "claimed"],
      release: ["stale-revision", "stale-revision"],
      confirm: ["resolved", "resolved"],
    },
    claimed: {
      claim: ["claimed", "claimed-by-other"],
      release: ["open", "claimed-by-other"],
      confirm: ["resolved", "claimed-by-other"],
    },
    resolved: {
      claim: ["closed", "closed"],
      release: ["closed", "closed"],
      confirm: ["closed", "closed"],
    },
    expired: {
      claim: ["closed", "closed"],
      release: ["closed", "closed"],
      confirm: ["closed", "closed"],
    },
  };

  test.each(REVIEW_STATES.flatMap((state) => ACTS.map((act) => [act, state] as const)))(
    "%s where it is %s",
    (act, state) => {
      const [own, other] = TABLE[state][act];
      expect(outcome(aReviewThatIs(state), act, HANAKO)).toBe(own);
      expect(outcome(aReviewThatIs(state), act, TARO)).toBe(other);
    },
  );

  test("an answer says who gave it, whether they were vouched for, and is the last word", () => {
    const transition = actOn(
      aReviewThatIs("claimed"),
      { kind: "resolve", review: "r-1", reviewRevision: 2, verdict: "correct", class: "bad" },
      HANAKO,
      context,
    );
    expect(transition).toMatchObject({
      ok: true,
      isPublished: true,
      review: {
        state: "resolved",
        revision: 3,
        actedRevision: 3,
        verdict: "correct",
        verdictClass: "bad",
        reviewer: "hanako",
        vouched: true,
        claimedBy: null,
        claimedUntilMs: null,
        resolvedAtMs: NOW_MS,
      },
    });
  });

  test("a review that was never announced goes back to being held", () => {
    const transition = actOn(
      aReviewThatIs("claimed", { announcedAtMs: null }),
      { kind: "release", review: "r-1", reviewRevision: 2 },
      HANAKO,
      context,
    );
    expect(transition).toMatchObject({ ok: true, review: { state: "held" } });
  });

  test("a claim that has run out keeps nobody from answering, before it is noted as well", () => {
    const review = aReviewThatIs("claimed", { claimedUntilMs: NOW_MS });
    expect(outcome(review, "confirm", TARO)).toBe("resolved");
  });
});

describe("the revision that an answer names", () => {
  const answered = (review: ReviewRecord, reviewRevision: number): string => {
    const transition = actOn(review, anAct("confirm", reviewRevision), TARO, context);
    return transition.ok ? transition.review.state : transition.error;
  };

  test("may be older by what nobody did: a deadline or a count makes no answer wrong", () => {
    const review = aReviewThatIs("open", { revision: 7, actedRevision: 3, overdue: true });
    expect([2, 3, 5, 7, 8].map((revision) => answered(review, revision))).toEqual([
      "stale-revision",
      "resolved",
      "resolved",
      "resolved",
      "stale-revision",
    ]);
  });

  test("an answer given again gets the same answer, and changes nothing", () => {
    const review = aReviewThatIs("resolved");
    const again = actOn(review, anAct("confirm", 1), HANAKO, context);
    expect(again).toEqual({ ok: true, review, isPublished: false });
    expect(again.ok && again.review === review).toBe(true);
  });

  test.each<[string, Partial<Extract<ReviewAct, { kind: "resolve" }>>, Reviewer]>([
    ["another verdict", { verdict: "unusable" }, HANAKO],
    ["another class", { verdict: "correct", class: "bad" }, HANAKO],
    ["another reviewer", {}, TARO],
  ])("%s after the first is too late", (_, is, by) => {
    const act = { ...anAct("confirm", 1), ...is } as ReviewAct;
    expect(actOn(aReviewThatIs("resolved"), act, by, context)).toMatchObject({ ok: false, error: "closed" });
  });

  test("a claim made again is the same claim; with the revision that it made, it is renewed", () => {
    const review = aReviewThatIs("claimed");
    const claim = (reviewRevision: number) =>
      actOn(review, { kind: "claim", review: "r-1", reviewRevision }, HANAKO, context);
    expect(claim(1)).toEqual({ ok: true, review, isPublished: false });
    expect(claim(2)).toMatchObject({ ok: true, review: { revision: 3, claimedUntilMs: NOW_MS + 600_000 } });
  });
});

describe("what a verdict needs", () => {
  type Given = Pick<Extract<ReviewAct, { kind: "resolve" }>, "verdict" | "class">;
  const tried = (given: Given, className: string | null = "good"): string => {
    const act = { kind: "resolve", review: "r-1", reviewRevision: 1, ...given } as ReviewAct;
    const transition = actOn(aReviewThatIs("open", { className }), act, HANAKO, context);
    return transition.ok
      ? `${transition.review.verdict} ${transition.review.verdictClass}`
      : transition.error;
  };

  test.each<[Given, string]>([
    [{ verdict: "confirm" }, "confirm good"],
    [{ verdict: "confirm", class: "good" }, "class-not-expected"],
    [{ verdict: "correct", class: "bad" }, "correct bad"],
    [{ verdict: "correct", class: "good" }, "class-not-expected"],
    [{ verdict: "correct" }, "class-missing"],
    [{ verdict: "correct", class: "ugly" }, "unknown-class"],
    [{ verdict: "label", class: "good" }, "label good"],
    [{ verdict: "label", class: "bad" }, "label bad"],
    [{ verdict: "label" }, "class-missing"],
    [{ verdict: "label", class: "Good" }, "unknown-class"],
    [{ verdict: "unusable" }, "unusable null"],
    [{ verdict: "unusable", class: "bad" }, "class-not-expected"],
  ])("%o: %s", (given, expected) => {
    expect(tried(given)).toBe(expected);
  });

  test("where the student gave no class there is none to confirm, and every class is another", () => {
    expect(tried({ verdict: "confirm" }, null)).toBe("class-missing");
    expect(tried({ verdict: "correct", class: "good" }, null)).toBe("correct good");
  });
});

describe("what happens without a person", () => {
  const KINDS = ["announce", "overdue", "lapse", "expire", "recount"] as const;
  const happening = (kind: (typeof KINDS)[number]): ReviewHappening =>
    kind === "announce" || kind === "recount" ? { kind, count: 5 } : { kind };
  // At a time when deadline and claim have both run out.
  const LATE_MS = 100_000;
  const TABLE: Readonly<Record<(typeof KINDS)[number], Readonly<Record<ReviewState, string>>>> = {
    announce: { held: "open, told", open: "-", claimed: "-", resolved: "-", expired: "-" },
    overdue: { held: "held", open: "open, told", claimed: "claimed, told", resolved: "-", expired: "-" },
    lapse: { held: "-", open: "-", claimed: "open, told", resolved: "-", expired: "-" },
    expire: { held: "expired", open: "expired, told", claimed: "expired, told", resolved: "-", expired: "-" },
    recount: { held: "-", open: "open, told", claimed: "claimed, told", resolved: "-", expired: "-" },
  };

  test.each(KINDS.flatMap((kind) => REVIEW_STATES.map((state) => [kind, state] as const)))(
    "%s where it is %s",
    (kind, state) => {
      const review = aReviewThatIs(state);
      const next = happenTo(review, happening(kind), LATE_MS);
      const said = next === undefined ? "-" : `${next.review.state}${next.isPublished ? ", told" : ""}`;
      expect(said).toBe(TABLE[kind][state]);
      if (next !== undefined) {
        expect(next.review.revision).toBe(review.revision + 1);
        expect(next.review.actedRevision).toBe(review.actedRevision);
      }
    },
  );

  test("nothing comes before its time, or a second time", () => {
    const claimed = aReviewThatIs("claimed", { deadlineAtMs: 60_000, claimedUntilMs: 60_000 });
    for (const kind of ["overdue", "lapse"] as const) {
      expect(happenTo(claimed, { kind }, 59_999)).toBeUndefined();
      expect(happenTo(claimed, { kind }, 60_000)).toBeDefined();
    }
    expect(happenTo(aReviewThatIs("open", { overdue: true }), { kind: "overdue" }, LATE_MS)).toBeUndefined();
    expect(happenTo(aReviewThatIs("open", { count: 5 }), { kind: "recount", count: 5 }, 0)).toBeUndefined();
  });
});
