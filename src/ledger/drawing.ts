/**
 * Writes how passed parts were drawn, with the batch that decides them: each gets its place among the passed ones of its
 * station and revision, and those not drawn are counted.
 */

import { hash } from "node:crypto";
import type { OpeningAudit } from "../core/audit.ts";
import type { DecisionRecord, Judged } from "../core/record.ts";
import type { Database } from "../sqlite/database.ts";
import type { AuditLog } from "./audit-log.ts";
import type { KeptFrames } from "./kept-frames.ts";
import { wellFormed } from "./well-formed.ts";

/** Parts in a row that passed and were not drawn, under one policy. */
export interface Run {
  readonly station: string;
  readonly revision: number;
  readonly ordinal: number;
  readonly count: number;
  readonly pi: number;
  readonly piMin: number;
  /** The decision of the last part that passed, drawn or not. */
  readonly last: number;
}

/** A run in the middle of a transaction. */
type OpenRun = { -readonly [Member in keyof Run]: Run[Member] };

export type Drawing = ReturnType<typeof openDrawing>;

export function openDrawing(db: Database, log: AuditLog, frames: KeptFrames) {
  const runs = new Map<string, Run>();
  /** Runs as the transaction leaves them. */
  const changed = new Map<string, OpenRun>();
  /** The one that was asked for last: mostly the next as well. */
  let touched: OpenRun | undefined;
  const save = db.prepare(
    `INSERT INTO audit_runs (station, revision, ordinal, count, pi, pi_min, last) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET
       ordinal = excluded.ordinal, count = excluded.count, pi = excluded.pi, pi_min = excluded.pi_min,
       last = excluded.last`,
  );
  const insert = db.prepare(`INSERT INTO audits (
      decision, id, station, source, frame, part, revision, bundle, ordinal, pi, pi_min, drawn_at, deadline_at, frames,
      frames_digest, teacher, person
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 'waiting')`);
  const insertKnown = db.prepare("INSERT INTO known_reviews (review, station, label) VALUES (?, ?, ?)");
  const keyOf = (station: string, revision: number): string => `${revision} ${station}`;
  const read = db.prepare(
    "SELECT station, revision, ordinal, count, pi, pi_min AS piMin, last FROM audit_runs",
  );
  for (const run of read.all() as Run[]) runs.set(keyOf(run.station, run.revision), run);

  /** The run of a part's station and revision, as the transaction has it so far. */
  function runOf({ frame: { station }, revision, passed }: Judged): OpenRun {
    if (touched?.station === station && touched.revision === revision) return touched;
    const key = keyOf(station, revision);
    let run = changed.get(key);
    if (run === undefined) {
      const { pi, piMin } = passed!;
      run = { ...(runs.get(key) ?? { station, revision, ordinal: 0, count: 0, pi, piMin, last: 0 }) };
      changed.set(key, run);
    }
    touched = run;
    return run;
  }

  function forget(): void {
    changed.clear();
    touched = undefined;
  }

  /** Ends a run: what is counted so far becomes an entry of the log. */
  function close({ station, revision, ordinal, count, pi, piMin }: Run, at: number): void {
    if (count > 0) log.add({ kind: "passed", station, revision, at, ordinal, count, pi, piMin });
  }

  function drawn(id: number, judged: Judged, record: DecisionRecord, ordinal: number): void {
    const { station, source, frame, part, revision, decidedAtMs: at } = record;
    const { bundle, review } = judged;
    const { pi, piMin, audit } = judged.passed!;
    const kept = keep(id, judged, audit!);
    const audited = review!.id;
    const { deadlineAtMs: deadlineAt } = audit!;
    log.add({
      ...{ kind: "drawn", station, revision, at, ordinal, pi, piMin, audit: audited, decision: id, bundle },
      ...{
        deadlineAt,
        details: JSON.stringify([source, frame, part, kept?.count ?? null]),
        framesDigest: kept?.digest ?? null,
      },
    });
    insert.run(
      ...[id, audited, station, source, frame, part, revision, bundle, ordinal, pi, piMin, at, deadlineAt],
      ...[kept?.count ?? null, kept?.digest ?? null],
    );
  }

  /** A known frame is asked about in the name of a part. */
  function asked(id: number, { review, bundle }: Judged, record: DecisionRecord, label: string): void {
    const { station, revision, decidedAtMs: at } = record;
    const details = wellFormed(label);
    log.add({ kind: "known", station, revision, at, audit: review!.id, decision: id, bundle, details });
    insertKnown.run(review!.id, station, details);
  }

  /** Keeps the frames of an audited part, all or none; the one that its review shows is kept with the review. */
  function keep(
    id: number,
    { frame: { payload }, review }: Judged,
    { frames: ofPart }: OpeningAudit,
  ): { readonly count: number; readonly digest: Uint8Array } | undefined {
    const all = ofPart ?? (payload.length > 0 ? [{ contentType: review!.contentType, payload }] : []);
    const bytes = all.reduce((sum, one) => sum + one.payload.length, 0);
    if (all.length === 0 || !frames.fits(bytes)) return undefined;
    if (ofPart !== undefined) frames.keepOfPart(id, ofPart);
    return { count: all.length, digest: digestOf(all.map((one) => one.payload)) };
  }

  return {
    /** To be called at the beginning of a transaction. */
    begin: forget,

    /** The place of a passed part; null where parts are not drawn. */
    placeOf(judged: Judged): number | null {
      if (judged.passed === undefined) return null;
      const { ordinal, count } = runOf(judged);
      return ordinal + count;
    },

    /** Notes a passed part whose decision has just been written. */
    add(id: number, judged: Judged, record: DecisionRecord, place: number): void {
      const { pi, piMin, audit, known } = judged.passed!;
      const run = runOf(judged);
      run.last = id;
      if (known !== undefined) asked(id, judged, record, known.label);
      const isDrawn = audit !== undefined;
      const isSamePolicy = run.pi === pi && run.piMin === piMin;
      // What is counted on has its probability in the log: nothing else says under which it was not drawn.
      const logPolicy = (): void =>
        log.add({
          ...{ kind: "policy", station: record.station, revision: record.revision },
          ...{ at: record.decidedAtMs, pi, piMin },
        });
      if (!isDrawn && isSamePolicy) {
        if (place === 0) logPolicy();
        run.count++;
        return;
      }
      close(run, record.decidedAtMs);
      if (isDrawn) drawn(id, judged, record, place);
      else logPolicy();
      run.ordinal = isDrawn ? place + 1 : place;
      run.count = isDrawn ? 0 : 1;
      run.pi = pi;
      run.piMin = piMin;
    },

    /** Writes the counts, at the end of the transaction. */
    end(): void {
      for (const { station, revision, ordinal, count, pi, piMin, last } of changed.values())
        save.run(station, revision, ordinal, count, pi, piMin, last);
    },

    committed(): void {
      for (const [key, run] of changed) runs.set(key, run);
      forget();
    },

    rolledBack: forget,

    /** The run that goes on, of a station's revision. */
    openRun: (station: string, revision: number): Run | undefined => runs.get(keyOf(station, revision)),
  };
}

/** SHA-256 of the frames' own, in their order. */
export function digestOf(payloads: readonly Uint8Array[]): Buffer {
  return hash("sha256", Buffer.concat(payloads.map((one) => hash("sha256", one, "buffer"))), "buffer");
}
