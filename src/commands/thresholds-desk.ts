/** Where proposals, approvals, stops and roll-backs come in, by whichever way, and are put in force or refused. */

import { readFileSync, rmSync } from "node:fs";
import type { MonitorState } from "../core/judge.ts";
import type { ActBook, Clock, Log } from "../gateway/ports.ts";
import { writeFileAtomically } from "../schema/atomic-file.ts";
import { formatJson } from "../schema/format-json.ts";
import { parseThresholds, type Thresholds } from "../thresholds/file.ts";
import type { Refusals } from "./refusals.ts";
import { type Acts, commitAdmitted, judgeLooked, lastAccepted, type Via } from "./revisions.ts";
import { placeOf, type StationSetup } from "./station-setup.ts";
import { lookAt } from "./thresholds-look.ts";

/** What became of what was handed in. */
export type Answer =
  | {
      readonly outcome: "accepted";
      readonly station: string;
      readonly revision: number;
      readonly certified: boolean;
      readonly reasons: readonly string[];
    }
  | {
      readonly outcome: "needs-second-person" | "refused" | "failed";
      readonly station: string;
      readonly reasons: readonly string[];
    };

export interface ThresholdsDeskOptions {
  readonly acts: Acts;
  /** Writes what was accepted on record; undefined where another, the running gateway, does. */
  readonly append: ActBook["append"] | undefined;
  /** The same of what was refused. */
  readonly refusals: Pick<Refusals, "note"> | undefined;
  readonly setupOf: (station: string) => StationSetup | undefined;
  readonly monitorOf: (station: string) => MonitorState;
  /** Puts in force what is on record; the station as it then judges. */
  readonly apply: (setup: StationSetup) => void;
  readonly countRefused: (station: string) => void;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Log;
}

/** Beside the thresholds of a station: what waits for its second person. */
export function proposalFileOf(thresholds: string): string {
  return `${thresholds.replace(/\.json$/, "")}.proposal.json`;
}

/** What waits for a second person; undefined where nothing does, or what it builds on is no longer the last. */
export function pendingOf(
  { config, name }: Pick<StationSetup, "config" | "name">,
  acts: Acts,
): Thresholds | undefined {
  let text: string;
  try {
    text = readFileSync(proposalFileOf(config.thresholds), "utf8");
  } catch {
    return undefined;
  }
  const parsed = parseThresholds(text, proposalFileOf(config.thresholds));
  if (!parsed.ok) return undefined;
  const last = lastAccepted(acts, name);
  const isNext = last === undefined || parsed.value.revision === last.document.revision + 1;
  return isNext ? parsed.value : undefined;
}

export type ThresholdsDesk = ReturnType<typeof createThresholdsDesk>;

export function createThresholdsDesk(options: ThresholdsDeskOptions) {
  const { acts, append, refusals, setupOf, monitorOf, apply, countRefused, clock, log } = options;

  /** On record only where a trusted person signed: nobody else may make the ledger grow. */
  function refuse(
    station: string,
    reasons: readonly string[],
    via: Via,
    signed: { readonly document: Thresholds; readonly persons: readonly string[] } | undefined,
  ): Answer {
    log.warn({ station, reasons, via }, "thresholds are refused");
    countRefused(station);
    if (signed !== undefined)
      refusals?.note({ station, via, reasons, revision: signed.document.revision, signed });
    return { outcome: "refused", station, reasons };
  }

  function submit(station: string, text: string, via: Via): Answer {
    const setup = setupOf(station);
    if (setup === undefined)
      return { outcome: "refused", station, reasons: [`there is no station ${station}`] };
    const parsed = parseThresholds(text, "thresholds");
    if (!parsed.ok) {
      return refuse(
        station,
        parsed.problems.map(({ message }) => message),
        via,
        undefined,
      );
    }
    const place = placeOf(setup);
    const look = lookAt(parsed.value, place, parsed.locate);
    if (!look.ok)
      return refuse(
        station,
        look.problems.map(({ message }) => message),
        via,
        undefined,
      );
    const monitor = monitorOf(station);
    const judged = judgeLooked(look.looked, place, acts, { monitor, via, atMs: clock.nowMs() });
    if (judged.outcome === "refused") {
      const { persons } = look.looked;
      return refuse(station, judged.reasons, via, { document: parsed.value, persons });
    }
    const { thresholds: file } = setup.config;
    if (judged.outcome === "needs-second-person") {
      writeFileAtomically(proposalFileOf(file), formatJson(parsed.value));
      log.info({ station, why: judged.why, via }, "thresholds wait for a second person");
      return { outcome: "needs-second-person", station, reasons: judged.why };
    }
    const { admitted } = judged;
    // The file first: torn between the two, the next start finds it as the next revision, and judges it anew.
    writeFileAtomically(file, formatJson(parsed.value));
    if (append !== undefined) commitAdmitted(admitted, { ...acts, append });
    apply({ ...setup, ...admitted.looked, faults: [] });
    rmSync(proposalFileOf(file), { force: true });
    const { certified } = admitted.looked;
    const { revision } = parsed.value;
    log.info({ station, revision, certified, via }, "other thresholds are in force");
    if (!certified) {
      log.warn(
        { station, revision },
        "these thresholds are stricter than before and not certified: no bound is published / この閾値は以前より厳しいが、保証されていない",
      );
    }
    const reasons = judged.ruling.outcome === "accepted" ? judged.ruling.reasons : [];
    return { outcome: "accepted", station, revision, certified, reasons };
  }

  return {
    /** Judges a document handed in, and puts it in force where nothing speaks against it. Never throws. */
    submit(station: string, text: string, via: Via): Answer {
      try {
        return submit(station, text, via);
      } catch (error) {
        const { message } = error as Error;
        log.error({ station, error: message }, "thresholds could not be put in force");
        return { outcome: "failed", station, reasons: [message] };
      }
    },
  };
}
