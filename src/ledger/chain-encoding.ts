/**
 * The canonical encoding of a batch, and its SHA-256: the same bytes whether the rows come from the gateway or back
 * from the file.
 *
 * A batch is hashed as: the hash before it, its seq and time, blocks of up to 256 rows, the number of rows. A block is,
 * row by row, numbers (float64), lengths of texts (uint32, in UTF-16 units) and blobs behind their lengths; then all its
 * texts, in UTF-8. A row of a part has two numbers more at its end. The number of rows comes before the texts of the
 * last block. Where the batch has transitions of reviews, blocks of them and their number follow in the same way. All
 * numbers are little-endian; what is absent has all bits set, which no finite number and no length has.
 *
 * The hash of a batch is the SHA-256 of that digest, the number of the last act, its hash, and the seq at which the
 * chain begins: what has been deleted by then. Batches from before there were acts have the digest itself as their hash,
 * and nothing of a review's priority, its lead and its frame's content type. Once there is a log of audits, the number and
 * the hash of its last entry follow; and the row of a part that passed where parts are drawn has one number more at its
 * end, its place among them.
 */

import { createHash, hash as sha256Of } from "node:crypto";
import type { DecisionRecord } from "../core/record.ts";

/** What the ledger keeps of a frame beside its record; `null` where no review opened. */
export interface ChainedColumns {
  readonly identified: number;
  readonly receivedAtMs: number;
  readonly bundle: string;
  readonly review: string | null;
  readonly openedAtMs: number | null;
  readonly deadlineAtMs: number | null;
  /** SHA-256 of the alert, which leaves the ledger when it has been delivered. */
  readonly alertDigest: Uint8Array | null;
  /** SHA-256 of the frame, where it was kept. */
  readonly frameDigest: Uint8Array | null;
  readonly priority: number | null;
  /** The review whose alert announces this one as well. */
  readonly lead: string | null;
  /** The content type of the frame, where it was kept. */
  readonly frameType: string | null;
  /** 1 for a row that is of a part. */
  readonly ofPart: number | null;
  readonly partCount: number | null;
  /** The place of a passed part among those of its station and revision, where parts are drawn. */
  readonly passedAs: number | null;
}

/** Added to the number of a row that says whether its frame has an id, so that rows of parts do not read like others. */
const OF_PART = 2;
/** The same for rows of parts that passed where parts are drawn. */
const PASSED = 4;

/** One transition of a review, as the ledger keeps it. */
export interface EventColumns {
  readonly review: string;
  readonly revision: number;
  readonly at: number;
  readonly state: string;
  readonly overdue: number;
  readonly count: number;
  readonly announcedAt: number | null;
  readonly claimedUntil: number | null;
  /** Who did it, by which way, and whether they were vouched for; null where nobody did. */
  readonly person: string | null;
  readonly via: string | null;
  readonly vouched: number | null;
  readonly verdict: string | null;
  readonly class: string | null;
  readonly transactionId: string | null;
  /** SHA-256 of the message that tells of it. */
  readonly digest: Uint8Array | null;
}

const ROWS_PER_BLOCK = 256;
const ABSENT = 0xffff_ffff;
const DIGEST_BYTES = 32;
const FIXED_BYTES_A_ROW = 256;
const UTF8_BYTES_MAX = 3;

export function createChainHasher() {
  let bytes = Buffer.allocUnsafeSlow(64 * 1024);
  let view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = createHash("sha256");
  let at = 0;
  let texts = "";
  let rows = 0;
  let events = 0;
  let coversRanks = true;

  function makeRoom(more: number): void {
    if (at + more <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (at + more));
    bytes.copy(larger, 0, 0, at);
    bytes = larger;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  function number(value: number | null): void {
    if (value === null) {
      view.setUint32(at, ABSENT, true);
      view.setUint32(at + 4, ABSENT, true);
    } else {
      view.setFloat64(at, value + 0, true); // SQLite does not keep the sign of zero.
    }
    at += 8;
  }

  function text(value: string | null): void {
    view.setUint32(at, value === null ? ABSENT : value.length, true);
    at += 4;
    if (value !== null) texts += value;
  }

  function blob(value: Uint8Array | null): void {
    view.setUint32(at, value === null ? ABSENT : value.length, true);
    at += 4;
    if (value === null) return;
    makeRoom(value.length + FIXED_BYTES_A_ROW);
    bytes.set(value, at);
    at += value.length;
  }

  function endBlock(): void {
    makeRoom(UTF8_BYTES_MAX * texts.length);
    at += bytes.write(texts, at);
    hash.update(bytes.subarray(0, at));
    at = 0;
    texts = "";
  }

  function endRows(count: number): void {
    makeRoom(8);
    number(count);
    endBlock();
  }

  return {
    /**
     * Begins a batch; what was not finished of another is forgotten.
     * @param isWithActs false for a batch from before there were acts
     */
    begin(before: Uint8Array, seq: number, atMs: number, isWithActs: boolean): void {
      coversRanks = isWithActs;
      hash = createHash("sha256");
      at = 0;
      texts = "";
      rows = 0;
      events = 0;
      bytes.set(before, 0);
      at = before.length;
      number(seq);
      number(atMs);
    },

    /** Adds one row of the batch; rows come in the order of their ids. */
    add(record: DecisionRecord, more: ChainedColumns): void {
      makeRoom(FIXED_BYTES_A_ROW);
      number(record.id);
      const isOfPart = more.ofPart !== null;
      const hasPlace = more.passedAs !== null;
      number(more.identified + (isOfPart ? OF_PART : 0) + (hasPlace ? PASSED : 0));
      number(more.receivedAtMs);
      number(record.decidedAtMs);
      number(record.classIndex);
      number(record.confidence);
      number(record.score);
      number(record.lambda);
      number(record.bandLow);
      number(record.bandHigh);
      number(record.novelty);
      number(record.revision);
      text(record.station);
      text(record.source);
      text(record.frame);
      text(record.part);
      text(record.decision);
      text(record.reason);
      text(record.would);
      text(record.className);
      text(record.mode);
      text(more.bundle);
      text(more.review);
      number(more.openedAtMs);
      number(more.deadlineAtMs);
      blob(record.correlation);
      blob(more.alertDigest);
      blob(more.frameDigest);
      if (more.review !== null && coversRanks) {
        number(more.priority);
        text(more.lead);
        text(more.frameType);
      }
      if (isOfPart) {
        number(record.frames);
        number(more.partCount);
      }
      if (hasPlace) number(more.passedAs);
      rows++;
      if (rows % ROWS_PER_BLOCK === 0) endBlock();
    },

    /** Adds one transition of the batch, behind all its rows and in the order of their numbers. */
    addEvent(event: EventColumns): void {
      if (events === 0) endRows(rows);
      makeRoom(FIXED_BYTES_A_ROW);
      number(event.revision);
      number(event.at);
      number(event.overdue);
      number(event.count);
      number(event.announcedAt);
      number(event.claimedUntil);
      number(event.vouched);
      text(event.review);
      text(event.state);
      text(event.person);
      text(event.via);
      text(event.verdict);
      text(event.class);
      text(event.transactionId);
      blob(event.digest);
      events++;
      if (events % ROWS_PER_BLOCK === 0) endBlock();
    },

    rows: (): number => rows,
    events: (): number => events,

    /** The digest of the batch's rows. */
    end(): Buffer {
      endRows(events === 0 ? rows : events);
      return hash.digest();
    },
  };
}

interface LastEntry {
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** The hash of a batch: of its rows, of all acts and audits up to its end, and of where the chain began. */
export function endOfBatch(
  ofRows: Uint8Array,
  lastAct: LastEntry,
  base: number,
  lastAudit: LastEntry,
): Buffer {
  const hasAudits = lastAudit.seq > 0;
  const bytes = Buffer.allocUnsafe(2 * (DIGEST_BYTES + 8) + (hasAudits ? 8 + DIGEST_BYTES : 0));
  bytes.set(ofRows, 0);
  bytes.writeDoubleLE(lastAct.seq, DIGEST_BYTES);
  bytes.set(lastAct.hash, DIGEST_BYTES + 8);
  bytes.writeDoubleLE(base, 2 * DIGEST_BYTES + 8);
  if (hasAudits) {
    bytes.writeDoubleLE(lastAudit.seq, 2 * DIGEST_BYTES + 16);
    bytes.set(lastAudit.hash, 2 * DIGEST_BYTES + 24);
  }
  return sha256Of("sha256", bytes, "buffer");
}
