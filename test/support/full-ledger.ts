/** A ledger with all that one can hold, cut by retention, and its copies from before: what tampering is tried on. */

import { copyFileSync, writeFileSync } from "node:fs";
import type { Judged } from "../../src/core/record.ts";
import { actOn, alarmed, happenTo, type ReviewHappening } from "../../src/core/review-lifecycle.ts";
import type { ReviewAct } from "../../src/core/review-record.ts";
import type { ActKind } from "../../src/gateway/ports.ts";
import type { ChainHead } from "../../src/ledger/published-head.ts";
import { aFrame, aJudged } from "./builders.ts";
import { aLedgerFile, aRealLedger, DAY_MS } from "./ledger.ts";
import { HANAKO, TARO } from "./reviews.ts";

export interface FullLedger {
  readonly path: string;
  /** Heads that can still be compared, each with a copy of the file as it was then. */
  readonly published: readonly { readonly head: ChainHead; readonly copy: string }[];
}

const DAYS = 24;
const KINDS: readonly ActKind[] = ["revision", "refused", "monitor", "audit-policy"];

export function aFullLedger(): FullLedger {
  const path = aLedgerFile();
  writeFileSync(`${path}-wal`, "what is left of a ledger that is gone"); // Which is set aside.
  const now = { ms: DAY_MS };
  const ledger = aRealLedger({ path, retentionMs: 10 * DAY_MS, nowMs: () => now.ms });
  const published: { readonly head: ChainHead; readonly copy: string }[] = [];
  ledger.nextSession();
  for (let day = 0; day < DAYS; day++) {
    now.ms += DAY_MS;
    for (const batch of batchesOf(day, now.ms)) ledger.append(batch);
    if (day % 2 === 0) {
      const body = JSON.stringify({ day, why: "a test" });
      ledger.acts.append([
        { station: "press", kind: KINDS[day % 4]!, revision: day, atMs: now.ms, body },
        { station: "oven", kind: "monitor", revision: null, atMs: now.ms, body: '{"state":"green"}' },
      ]);
    }
    for (const [review, what] of transitionsOf(day)) happen(ledger, review, what, now.ms);
    if (day % 6 === 5) ledger.audits.answer(`audit-${day - 1}`, "teacher", day % 12 === 5, now.ms, "{}");
    const pending = ledger.alertsAfter(0, 1000).map(({ id }) => id);
    ledger.settle(ledger.decisionsAfter(0, 1000).at(-1)!.id, pending.slice(0, -5));
    while (ledger.maintain());
    const copy = `${path}-of-day-${day}`;
    // With the log emptied into it, the file is all there is.
    ledger.maintain();
    copyFileSync(path, copy);
    published.push({ head: ledger.chainHead(), copy });
  }
  const fault = ledger.verifyChain();
  if (fault !== undefined) throw new Error(`the ledger is at fault before anybody was at it: ${fault.found}`);
  ledger.close();
  return { path, published };
}

function batchesOf(day: number, atMs: number): readonly (readonly Judged[])[] {
  const at = { decidedAtMs: atMs };
  const kept = { payload: new Uint8Array(40).fill(day) };
  const reviewed = aJudged({
    ...at,
    id: `b-${day}`,
    review: `r-${day}`,
    held: day % 4 === 1,
    priority: 1 / (day + 1),
    ...(day % 4 === 1 && { lead: `r-${day - 1}` }),
  });
  const blind = { ...reviewed.review!, alert: `{"day":${day}}`, lead: undefined };
  const audited = { deadlineAtMs: atMs + 2 * DAY_MS, frames: undefined };
  const isAudited = day % 6 === 4;
  const isKnown = day % 6 === 1;
  const passed = aJudged({ ...at, id: `a-${day}`, correlation: Uint8Array.of(day) });
  const decisions: Judged[] = [
    {
      ...passed,
      ...((isAudited || isKnown) && { review: { ...blind, id: `${isKnown ? "known" : "audit"}-${day}` } }),
      frame: { ...passed.frame, ...kept },
      passed: {
        ...{ pi: day < 12 ? 0.25 : 0.5, piMin: 0.25, audit: isAudited ? audited : undefined },
        known: isKnown ? { label: "bad", contentType: "image/png", payload: kept.payload } : undefined,
      },
    },
    { ...reviewed, frame: aFrame({ id: `b-${day}`, ...kept }) },
    aJudged({ ...at, id: `p-${day}`, part: `part-${day}`, partCount: 2 }),
  ];
  // Of every third part the decision stays away.
  const isDecided = day % 3 !== 2;
  const closing = aJudged({ ...at, id: `q-${day}`, part: `part-${day}`, frames: 1 });
  return isDecided ? [decisions, [closing]] : [decisions];
}

type What = ReviewHappening | ReviewAct["kind"];

function transitionsOf(day: number): readonly (readonly [string, What])[] {
  const review = `r-${day}`;
  switch (day % 6) {
    case 0:
      return [
        [review, "claim"],
        [review, { kind: "overdue" }],
      ];
    case 1:
      return [[review, { kind: "announce", count: 2 }]];
    case 2:
      return [
        [review, { kind: "recount", count: 4 }],
        [review, "claim"],
        [review, "resolve"],
      ];
    case 3:
      return [[review, { kind: "expire" }]];
    case 4:
      return [
        [review, "claim"],
        [review, "release"],
      ];
    default:
      return [];
  }
}

function happen(ledger: ReturnType<typeof aRealLedger>, id: string, what: What, nowMs: number): void {
  const before = ledger.reviews.find(id)!;
  const context = { nowMs, claimMs: 1000, classes: ["good", "bad"] };
  const by = nowMs % (2 * DAY_MS) === 0 ? HANAKO : TARO;
  const base = { review: id, reviewRevision: before.revision };
  const transition =
    typeof what !== "string"
      ? happenTo(before, what, nowMs + 1)
      : actOn(
          before,
          what === "resolve"
            ? { ...base, kind: what, verdict: "correct", class: "bad" }
            : { ...base, kind: what },
          by,
          context,
        );
  if (transition?.ok !== true) return;
  const { review: after, isPublished } = transition;
  const message = (revision: number): string => JSON.stringify({ review: id, revision });
  const change = {
    ...{ before, after, by: typeof what === "string" ? by : undefined },
    transaction: what === "resolve" ? "t-1" : undefined,
    atMs: typeof what === "string" ? nowMs : nowMs + 1,
    message: isPublished ? message(after.revision) : undefined,
  };
  // As behind an audit that finds a part wrong.
  const alarm = { ...change, before: after, after: alarmed(after), message: message(after.revision + 1) };
  ledger.reviews.change(what === "resolve" ? [change, alarm] : [change]);
}
