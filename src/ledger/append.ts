/** Writes a batch: decisions, reviews, alerts, kept frames and the chain's row, in one transaction. */

import { hash } from "node:crypto";
import {
  type Committed,
  type DecisionRecord,
  type Judged,
  type Left,
  type PendingAlert,
  recordOf,
} from "../core/record.ts";
import { reviewReasonOf, shownFrame } from "../core/review-record.ts";
import type { Database } from "../sqlite/database.ts";
import type { Chain } from "./chain.ts";
import type { Drawing } from "./drawing.ts";
import { LedgerDamaged } from "./errors.ts";
import type { KeptFrames } from "./kept-frames.ts";
import type { PartRows } from "./parts.ts";
import type { Statements } from "./statements.ts";
import { wellFormed } from "./well-formed.ts";

const NOTHING_SHOWN = new Uint8Array(0);

/** @throws if the batch cannot be written, and then nothing of it is */
export function appender(
  db: Database,
  statements: Statements,
  chain: Chain,
  frames: KeptFrames,
  parts: PartRows,
  drawing: Drawing,
  dedupeWindowMs: number,
) {
  let firstId = 0;
  let lastId = 0;
  let alerts = 0;

  function earlierOf(judged: Judged, source: string, frame: string): DecisionRecord | undefined {
    const { station, identified } = judged.frame;
    if (!identified) return undefined;
    const since = judged.decidedAtMs - dedupeWindowMs;
    const earlier = statements.earlier.get(source, frame, station, since) as DecisionRecord | undefined;
    // A damaged index can lead to another frame's row: this one would then be acknowledged undecided.
    if (
      earlier !== undefined &&
      !(earlier.frame === frame && earlier.source === source && earlier.station === station)
    ) {
      throw new LedgerDamaged("the ledger's index of frames leads to another frame; it is damaged: restart");
    }
    return earlier;
  }

  function appendRow(judged: Judged): Committed {
    const { frame, review } = judged;
    // Filled in rather than copied: a copy that grows costs a tenth of what a frame allocates.
    const made: { -readonly [K in keyof DecisionRecord]: DecisionRecord[K] } = recordOf(judged, 0);
    const source = wellFormed(made.source);
    const name = wellFormed(made.frame);
    const earlier = earlierOf(judged, source, name);
    if (earlier !== undefined) return { record: earlier, isRedelivery: true, alert: undefined };

    const part = made.part === null ? null : wellFormed(made.part);
    const identified = frame.identified ? 1 : 0;
    const passedAs = drawing.placeOf(judged);
    const { lastInsertRowid } = statements.decision.run(
      made.station,
      source,
      name,
      identified,
      part,
      frame.receivedAtMs,
      made.decidedAtMs,
      made.decision,
      made.reason,
      made.would,
      made.className,
      made.classIndex,
      made.confidence,
      made.score,
      made.lambda,
      made.bandLow,
      made.bandHigh,
      made.novelty,
      made.mode,
      made.revision,
      judged.bundle,
      made.correlation,
      review?.id ?? null,
      passedAs,
    );
    const id = Number(lastInsertRowid);
    made.id = id;
    made.source = source;
    made.frame = name;
    made.part = part;
    const record: DecisionRecord = made;
    if (judged.part !== undefined && part !== null) parts.add(id, part, judged);
    const shown = review === undefined ? NOTHING_SHOWN : shownFrame(judged, review).payload;
    const isKept = review !== undefined && shown.length > 0 && frames.fits(shown.length);
    const alertDigest = review?.alert === undefined ? null : hash("sha256", review.alert, "buffer");
    const frameDigest = isKept ? hash("sha256", shown, "buffer") : null;
    const frameType = isKept ? wellFormed(review.contentType) : null;
    let alert: PendingAlert | undefined;
    if (review !== undefined) {
      const { alert: body } = review;
      statements.review.run(
        review.id,
        frame.station,
        source,
        reviewReasonOf(judged),
        id,
        made.decidedAtMs,
        review.deadlineAtMs,
        review.priority,
        review.lead ?? null,
        body === undefined ? "held" : "open",
        body === undefined ? null : made.decidedAtMs,
        alertDigest,
        frameDigest,
        frameType,
      );
      if (body !== undefined) {
        const { lastInsertRowid: alertId } = statements.alert.run(review.id, frame.station, body);
        alert = { id: Number(alertId), station: frame.station, body };
        alerts++;
      }
      if (frameType !== null) frames.keep(id, frameType, shown);
      else frames.refused();
    }
    if (passedAs !== null) drawing.add(id, judged, record, passedAs);
    chain.add(record, {
      identified,
      receivedAtMs: frame.receivedAtMs,
      bundle: judged.bundle,
      review: review?.id ?? null,
      openedAtMs: review === undefined ? null : made.decidedAtMs,
      deadlineAtMs: review?.deadlineAtMs ?? null,
      alertDigest,
      frameDigest,
      priority: review?.priority ?? null,
      lead: review?.lead ?? null,
      frameType,
      ofPart: judged.part === undefined ? null : 1,
      partCount: judged.part === undefined ? null : (frame.partCount ?? null),
      passedAs,
    });
    if (firstId === 0) firstId = id;
    lastId = id;
    return { record, isRedelivery: false, alert, extent: judged.prediction?.extent };
  }

  const write = db.transaction((batch: readonly Judged[], left: Left | undefined) => {
    firstId = 0;
    alerts = 0;
    const atMs = batch.at(-1)?.decidedAtMs ?? 0;
    chain.begin(atMs);
    drawing.begin();
    const committed = batch.map(appendRow);
    drawing.end();
    if (left !== undefined) alerts -= statements.noteLeft(left);
    if (alerts !== 0) statements.addToCounter("alerts", alerts);
    return { committed, head: chain.end(firstId, lastId, atMs) };
  });

  return (batch: readonly Judged[], left?: Left): readonly Committed[] => {
    try {
      const { committed, head } = write(batch, left);
      chain.committed(head);
      frames.committed();
      drawing.committed();
      return committed;
    } catch (error) {
      frames.rolledBack();
      drawing.rolledBack();
      throw error;
    }
  };
}
