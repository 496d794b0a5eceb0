/** What judges a station when its files are read: the file if it may, else what the ledger accepted last, else nobody. */

import type { MonitorState } from "../core/judge.ts";
import type { ActBook, Clock, Log } from "../gateway/ports.ts";
import { formatProblems, type Locate, type Problem } from "../schema/document.ts";
import { isSameDocument } from "../thresholds/signed.ts";
import type { Refusals } from "./refusals.ts";
import {
  type Admitted,
  commitAdmitted,
  judgeLooked,
  lastAccepted,
  olderFault,
  verifiedLast,
} from "./revisions.ts";
import { placeOf, type StationReread, type StationSetup, setUpAgain } from "./station-setup.ts";
import { refuse } from "./terminal.ts";
import { everythingReviewed } from "./thresholds-look.ts";

export interface Settled {
  readonly setup: StationSetup;
  /** To be written into the ledger before it judges. */
  readonly admitted: Admitted | undefined;
  /** Why the file found is not what judges. */
  readonly refused: readonly Problem[] | undefined;
}

/**
 * Decides what judges. Never fails open: whatever is not verified now, by the keys and the certificate of now, lets
 * nothing pass.
 * @param found the station as its files say; its faults are what one look had against the thresholds
 */
export function settle(
  found: StationSetup,
  acts: Pick<ActBook, "latest" | "list">,
  monitor: MonitorState,
  nowMs: number,
): Settled {
  const place = placeOf(found);
  const last = lastAccepted(acts, found.name);
  const kept = last && verifiedLast(last, place);
  const instead = (problems: readonly Problem[]): Settled => {
    if (kept?.ok === true) {
      return { setup: { ...found, ...kept.looked, faults: [] }, admitted: undefined, refused: problems };
    }
    const why =
      kept && `revision ${last?.document.revision}, accepted last, cannot be verified: ${kept.reason}`;
    const looked = everythingReviewed(place, why ?? "no revision was ever accepted", atText(nowMs));
    return {
      setup: { ...found, ...looked, faults: [] },
      admitted: undefined,
      refused: why === undefined ? problems : [...problems, problemOf(found, why)],
    };
  };
  if (found.faults.length > 0) return instead(found.faults);
  if (last !== undefined && isSameDocument(last.document, found.thresholds)) {
    if (kept?.ok !== true) return instead([]);
    return { setup: found, admitted: undefined, refused: undefined };
  }
  const older = last && olderFault(found.thresholds, last.document);
  if (older !== undefined) return instead([problemOf(found, older)]);
  const judged = judgeLooked(found, place, acts, { monitor, via: "file", atMs: nowMs });
  switch (judged.outcome) {
    case "accepted": {
      const { admitted } = judged;
      return { setup: { ...found, ...admitted.looked }, admitted, refused: undefined };
    }
    case "needs-second-person":
      return instead([problemOf(found, `a second person has to sign it: ${judged.why.join("; ")}`)]);
    case "refused":
      return instead(judged.reasons.map((reason) => problemOf(found, reason)));
    default:
      return unreachable(judged);
  }
}

function problemOf({ config }: StationSetup, message: string): Problem {
  return { file: config.thresholds, line: 1, column: 1, message };
}

function atText(ms: number): string {
  return new Date(ms).toISOString();
}

function unreachable(value: never): never {
  throw new Error(`no such outcome: ${JSON.stringify(value)}`);
}

export interface SettleOptions {
  readonly acts: ActBook;
  readonly refusals: Pick<Refusals, "note">;
  readonly monitorOf: (station: string) => MonitorState;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Log;
  /** Counts a file that was not taken. */
  readonly countRefused: (station: string) => void;
}

/**
 * Settles all stations at start.
 * @returns the stations as they judge, and of each why its file does not
 * @throws Refusal where a station has never had thresholds, and those found cannot be any
 */
export function settleAtStart(stations: readonly StationSetup[], options: SettleOptions) {
  const { acts, monitorOf, clock, log, countRefused } = options;
  const unfit = stations.filter(
    ({ name, faults }) => faults.length > 0 && lastAccepted(acts, name) === undefined,
  );
  if (unfit.length > 0) refuse(unfit.flatMap(({ faults }) => faults));
  const refusals = new Map<string, string>();
  const settled = stations.map((found) => {
    const { setup, admitted, refused } = settle(found, acts, monitorOf(found.name), clock.nowMs());
    if (admitted !== undefined) commitAdmitted(admitted, acts);
    if (refused !== undefined) {
      const reason = formatProblems(refused);
      refusals.set(found.name, reason);
      const { revision, lambda } = setup.thresholds;
      log.error(
        { station: found.name, reason, revision, everythingReviewed: lambda === null },
        "the thresholds file is not in force; what the ledger accepted last goes on, or everything is reviewed",
      );
      countRefused(found.name);
      noteRefusal(found.name, found.thresholds.revision, reason, options);
    }
    return setup;
  });
  return { stations: settled, refusals };
}

/** Reads a station's files again, and settles what judges; a file that may not judge changes nothing. */
export function rereadSettled(
  station: StationSetup,
  locate: Locate,
  { acts, monitorOf, clock }: Pick<SettleOptions, "acts" | "monitorOf" | "clock">,
): StationReread {
  const read = setUpAgain(station, locate);
  if (!read.ok) return read;
  const { setup, admitted, refused } = settle(read.setup, acts, monitorOf(station.name), clock.nowMs());
  if (refused !== undefined) return { ok: false, problems: refused };
  if (admitted === undefined) return { ok: true, setup };
  return { ok: true, setup, commit: () => commitAdmitted(admitted, acts) };
}

/** Puts a refusal on record. That it cannot be, on a full disk say, must not stand in the way of judging. */
export function noteRefusal(
  station: string,
  revision: number,
  reason: string,
  { refusals, log }: Pick<SettleOptions, "refusals" | "log">,
): void {
  try {
    refusals.note({ station, via: "file", reasons: [reason], revision: revision > 0 ? revision : null });
  } catch (error) {
    log.error({ station, error: (error as Error).message }, "a refusal could not be put on record");
  }
}
