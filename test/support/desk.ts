/** A desk over a real ledger, on a clock that moves when asked; frames come in through it as through the gateway. */

import type { PendingAlert } from "../../src/core/record.ts";
import type { Log } from "../../src/gateway/ports.ts";
import { createDesk, type DeskOptions, type ReviewDesk } from "../../src/gateway/review-desk.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { aFrame, aJudged, type JudgedSketch } from "./builders.ts";
import { aLedgerFile, aRealLedger } from "./ledger.ts";
import { AN_ALERT } from "./reviews.ts";
import { aClock, type FakeClock } from "./world.ts";

/** A message as it is published. */
export interface Told {
  readonly type: "open" | "update" | "close" | "alarm";
  readonly review: string;
  readonly reviewRevision: number;
  readonly frame: string;
  readonly state?: string;
  readonly count?: number;
  readonly overdue?: boolean;
  readonly text: string;
  readonly [member: string]: unknown;
}

export interface DeskWorld {
  readonly desk: ReviewDesk;
  readonly ledger: Ledger;
  /** The ledger's file. */
  readonly path: string;
  readonly clock: FakeClock;
  /** All that has been published, oldest first, straight from the outbox. */
  readonly told: Told[];
  readonly counted: string[];
  readonly logged: string[];
  /** Reviews open with these frames, in one batch; the ids of the reviews are those of the frames behind an r. */
  frames(...sketches: JudgedSketch[]): void;
  /** The daemon ends without a word, and starts again. */
  restart(): DeskWorld;
}

const REVIEW_DEADLINE_MS = 60_000;

export function aDeskWorld(
  is: Partial<DeskOptions> = {},
  over: { path: string; clock: FakeClock; told: Told[] } = { path: aLedgerFile(), clock: aClock(), told: [] },
): DeskWorld {
  const { path, clock, told } = over;
  const ledger = aRealLedger({ path, nowMs: clock.nowMs });
  const counted: string[] = [];
  const logged: string[] = [];
  const log: Log = { debug() {}, info() {}, warn() {}, error: (_, message) => void logged.push(message) };
  const deliver = (alerts: readonly PendingAlert[]): void => {
    for (const { body } of alerts) told.push(JSON.parse(body) as Told);
  };
  const desk = createDesk({
    book: ledger.reviews,
    clock,
    log,
    metrics: {
      verdict: (_, verdict) => void counted.push(verdict),
      reviewOverdue: () => void counted.push("overdue"),
      reviewExpired: () => void counted.push("expired"),
    },
    classesOf: (station) => (station === "press" ? ["good", "bad"] : []),
    deliver,
    options: {
      ...AN_ALERT,
      alertsPerHour: 120,
      coalesceMs: 10_000,
      updateMs: 2000,
      claimMs: 600_000,
      unresolvedMax: 10_000,
      ...is,
    },
  });
  const world: DeskWorld = {
    desk,
    ledger,
    path,
    clock,
    told,
    counted,
    logged,
    frames(...sketches) {
      const batch = sketches.map((sketch) => {
        const made = aJudged({ held: true, review: `r-${sketch.id}`, decidedAtMs: clock.nowMs(), ...sketch });
        const review = made.review && { ...made.review, deadlineAtMs: clock.nowMs() + REVIEW_DEADLINE_MS };
        const frame = { ...made.frame, payload: aFrame().payload };
        return { ...made, frame, review };
      });
      const planned = desk.plan(batch);
      const committed = ledger.append(planned);
      deliver(committed.flatMap(({ alert }) => alert ?? []));
      desk.opened(planned, committed);
    },
    restart() {
      desk.close();
      ledger.close();
      return aDeskWorld(is, { path, clock, told });
    },
  };
  return world;
}
