/**
 * Refused thresholds on record: each in full up to so many an hour, and beyond that their count, since acts are never
 * deleted and whoever is refused may try again for ever.
 */

import { createHash } from "node:crypto";
import type { ActBook, Clock, Log } from "../gateway/ports.ts";
import type { Thresholds } from "../thresholds/file.ts";
import type { Via } from "./revisions.ts";

/** Of one station. A person who tries things out comes nowhere near. */
export const REFUSALS_AN_HOUR = 10;
const HOUR_MS = 3_600_000;
const ROUND_MS = 60_000;
const REASONS_CHARACTERS_MAX = 4000;
/** A document is some 1,000 characters; of one that is longer its digest is kept. */
const DOCUMENT_CHARACTERS_MAX = 4000;

export interface Refused {
  readonly station: string;
  readonly via: Via;
  readonly reasons: readonly string[];
  readonly revision: number | null;
  /** What was handed in, and who signed it; undefined of a file, which stays where it is. */
  readonly signed?: { readonly document: Thresholds; readonly persons: readonly string[] } | undefined;
}

export interface RefusalsOptions {
  readonly acts: Pick<ActBook, "append" | "latest" | "list">;
  readonly clock: Pick<Clock, "nowMs" | "after">;
  readonly log: Log;
}

/** Refusals that have no act of their own. */
interface Counted {
  count: number;
  firstAtMs: number;
  lastAtMs: number;
  /** By who signed; "" where nobody did. There are no more than trusted persons. */
  readonly by: Map<string, number>;
  last: readonly string[];
}

export type Refusals = ReturnType<typeof keepRefusals>;

export function keepRefusals({ acts, clock, log }: RefusalsOptions) {
  const counted = new Map<string, Counted>();
  let cancel: (() => void) | undefined;

  /** Counted on record and not here, so that a restart begins no new hour. */
  function isFull(station: string): boolean {
    const recent = acts.list({ station, kinds: ["refused"], limit: REFUSALS_AN_HOUR });
    const oldest = recent.at(-1);
    // A clock that went back must not open the gate either.
    return recent.length >= REFUSALS_AN_HOUR && Math.abs(clock.nowMs() - oldest!.atMs) < HOUR_MS;
  }

  function append(station: string, revision: number | null, body: string): void {
    acts.append([{ station, kind: "refused", revision, atMs: clock.nowMs(), body }]);
  }

  function count({ station, reasons, signed }: Refused): void {
    const nowMs = clock.nowMs();
    const so = counted.get(station) ?? {
      ...{ count: 0, firstAtMs: nowMs, lastAtMs: nowMs, by: new Map<string, number>(), last: reasons },
    };
    if (so.count === 0) {
      log.warn(
        { station, anHour: REFUSALS_AN_HOUR },
        "more thresholds are refused than are put on record one by one; further ones are counted",
      );
    }
    const who = signed?.persons.join(" and ") ?? "";
    so.by.set(who, (so.by.get(who) ?? 0) + 1);
    Object.assign(so, { count: so.count + 1, lastAtMs: nowMs, last: reasons });
    counted.set(station, so);
    cancel ??= clock.after(ROUND_MS, round);
  }

  /** One act for all that were counted. */
  function writeCounted(station: string): void {
    const so = counted.get(station);
    if (so === undefined) return;
    const { count: refused, firstAtMs, lastAtMs, by, last } = so;
    const at = (ms: number): string => new Date(ms).toISOString();
    const reasons = [
      `${refused} more were refused from ${at(firstAtMs)} to ${at(lastAtMs)}; the last: ${shortened(last).join("; ")}`,
    ];
    append(station, null, JSON.stringify({ refused, by: Object.fromEntries(by), reasons }));
    counted.delete(station);
  }

  function round(): void {
    cancel = undefined;
    try {
      for (const station of [...counted.keys()]) if (!isFull(station)) writeCounted(station);
    } catch (error) {
      log.warn({ error: (error as Error).message }, "refusals cannot be put on record; tried again");
    }
    if (counted.size > 0) cancel = clock.after(ROUND_MS, round);
  }

  return {
    /** Puts a refusal on record, unless the last act tells the same. @throws what the ledger throws */
    note(refusal: Refused): void {
      const { station, revision } = refusal;
      const body = bodyOf(refusal);
      if (acts.latest(station, "refused")?.body === body) return;
      if (!isFull(station)) writeCounted(station);
      if (isFull(station)) count(refusal);
      else append(station, revision, body);
    },

    /** Writes what was counted. */
    close(): void {
      cancel?.();
      try {
        for (const station of [...counted.keys()]) writeCounted(station);
      } catch (error) {
        log.warn({ error: (error as Error).message }, "refusals could not be put on record");
      }
    },
  };
}

function bodyOf({ via, reasons, signed }: Refused): string {
  return JSON.stringify({
    ...{ via, reasons: shortened(reasons) },
    ...(signed !== undefined && { document: keptOf(signed.document) }),
  });
}

function keptOf(document: Thresholds): object {
  const text = JSON.stringify(document);
  if (text.length <= DOCUMENT_CHARACTERS_MAX) return document;
  return { sha256: createHash("sha256").update(text).digest("hex"), characters: text.length };
}

function shortened(reasons: readonly string[]): readonly string[] {
  const text = reasons.join("; ");
  return text.length <= REASONS_CHARACTERS_MAX ? reasons : [text.slice(0, REASONS_CHARACTERS_MAX)];
}
