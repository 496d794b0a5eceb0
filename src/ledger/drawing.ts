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

/** Parts in a row that passed and were not drawn, under one policy. */
export interface Run {
  readonly station: string;
  readonly revision: number;
  readonly ordinal: number;
  readonly count: number;
  readonly pi: number;
  readonly piMin: number;
}

export type Drawing = ReturnType<typeof openDrawing>;

export function openDrawing(db: Database, log: AuditLog, frames: KeptFrames) {
  const runs = new Map<string, Run>();
  /** Runs as the transaction leaves them. */
  const changed = new Map<string, Run>();
  const save = db.prepare(
    `INSERT INTO audit_runs (station, revision, ordinal, count, pi, pi_min) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET
       ordinal = excluded.ordinal, count = excluded.count, pi = excluded.pi, pi_min = excluded.pi_min`,
  );
  const insert = db.prepare(`INSERT INTO audits (
      decision, id, station, source, frame, part, revision, bundle, ordinal, pi, pi_min, drawn_at, deadline_at, frames,
      frames_digest, teacher, person
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 'waiting')`);
  const keyOf = (station: string, revision: number): string => `${revision} ${station}`;
  const read = db.prepare("SELECT station, revision, ordinal, count, pi, pi_min AS piMin FROM audit_runs");
  for (const run of read.all() as Run[]) runs.set(keyOf(run.station, run.revision), run);

  function runOf({ frame, revision, passed }: Judged): Run {
    const key = keyOf(frame.station, revision);
    const { pi, piMin } = passed!;
    return (
      changed.get(key) ??
      runs.get(key) ?? { station: frame.station, revision, ordinal: 0, count: 0, pi, piMin }
    );
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
    begin: (): void => changed.clear(),

    /** The place of a passed part; null where parts are not drawn. */
    placeOf(judged: Judged): number | null {
      if (judged.passed === undefined) return null;
      const { ordinal, count } = runOf(judged);
      return ordinal + count;
    },

    /** Notes a passed part whose decision has just been written. */
    add(id: number, judged: Judged, record: DecisionRecord, place: number): void {
      const { pi, piMin, audit } = judged.passed!;
      const { station, revision, decidedAtMs } = record;
      const run = runOf(judged);
      const isSamePolicy = run.pi === pi && run.piMin === piMin;
      const isDrawn = audit !== undefined;
      if (isDrawn || !isSamePolicy) close(run, decidedAtMs);
      if (isDrawn) drawn(id, judged, record, place);
      // A run that is counted on has its probability in the log: nothing else says under which it was not drawn.
      else if (!isSamePolicy || place === 0)
        log.add({ kind: "policy", station, revision, at: decidedAtMs, pi, piMin });
      const next =
        isDrawn || !isSamePolicy
          ? { ordinal: isDrawn ? place + 1 : place, count: isDrawn ? 0 : 1 }
          : { ordinal: run.ordinal, count: run.count + 1 };
      changed.set(keyOf(station, revision), { station, revision, pi, piMin, ...next });
    },

    /** Writes the counts, at the end of the transaction. */
    end(): void {
      for (const { station, revision, ordinal, count, pi, piMin } of changed.values())
        save.run(station, revision, ordinal, count, pi, piMin);
    },

    committed(): void {
      for (const [key, run] of changed) runs.set(key, run);
      changed.clear();
    },

    rolledBack: (): void => changed.clear(),

    /** The run that goes on, of a station's revision. */
    openRun: (station: string, revision: number): Run | undefined => runs.get(keyOf(station, revision)),
  };
}

/** SHA-256 of the frames' own, in their order. */
export function digestOf(payloads: readonly Uint8Array[]): Buffer {
  return hash("sha256", Buffer.concat(payloads.map((one) => hash("sha256", one, "buffer"))), "buffer");
}
