/** The durable record: SQLite, one transaction a batch, on disk before anyone is told. */

import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Committed, DecisionRecord, Judged, Left, PendingAlert } from "../core/record.ts";
import type { ActBook, AuditBook, MonitorBook, ReviewBook, ShadowBook } from "../gateway/ports.ts";
import type { Database } from "../sqlite/database.ts";
import { openActs } from "./acts.ts";
import { appender } from "./append.ts";
import { openAuditLog } from "./audit-log.ts";
import { openAudits } from "./audits.ts";
import { type Ballast, openBallast } from "./ballast.ts";
import { openChain } from "./chain.ts";
import { openDrawing } from "./drawing.ts";
import { isFull, LedgerFull } from "./errors.ts";
import { openKeptFrames } from "./kept-frames.ts";
import { lookBack } from "./look-back.ts";
import { openMinuteCounts } from "./minute-counts.ts";
import { openMonitorBook } from "./monitors.ts";
import { openChecked, type SetAside } from "./open.ts";
import { openPartRows } from "./parts.ts";
import { openRetention } from "./retention.ts";
import { openReviews } from "./reviews.ts";
import { openShadowBook } from "./shadow.ts";
import { prepareStatements } from "./statements.ts";
import { type ChainFault, verifyLedger } from "./verify.ts";

export interface LedgerOptions {
  readonly path: string;
  /** How long a frame id stands for the same frame of its source. */
  readonly dedupeWindowMs: number;
  /** How long a decision is kept, at least; never less than the dedupe window. */
  readonly retentionMs: number;
  /** Above it the oldest decisions go before their time, as soon as they are out of the dedupe window. */
  readonly bytesMax: number;
  /** Frames of reviews that are kept; the oldest go first. 0 keeps none. */
  readonly frameBytesKeptMax: number;
  /** Room held in reserve for a full disk; 0 for none. */
  readonly ballastBytes: number;
  readonly nowMs: () => number;
}

/** Rows that retention deletes at a time: a few milliseconds on a slow disk. */
const ROWS_PER_STEP = 128;
/** Pages in the write-ahead log at which a commit also empties it, and waits for two more syncs. */
const WAL_PAGES = { min: 1000, max: 2000 };

export type Ledger = ReturnType<typeof openLedger>;

/**
 * Opens or makes a ledger. All calls are synchronous: when one returns, what it wrote is on disk.
 *
 * A file that is damaged is set aside under another name and a new ledger is begun, which says so (`setAside`): a
 * plant must go on. What the old one knew is then not known: frames decided before may be decided once more, and
 * decisions and alerts that had not left do not leave.
 * @throws LedgerError if the file cannot be opened, is no ledger, or `synchronous=FULL` does not hold
 */
export function openLedger(options: LedgerOptions) {
  const { path, nowMs } = options;
  const ballast = openBallast(path, options.ballastBytes);
  const { db, setAside: setAsideNow } = orNoRoomAtStart(path, () =>
    openChecked(path, nowMs(), (work) => orWithoutBallast(ballast, work)),
  );
  const statements = prepareStatements(db);
  const chain = openChain(db);
  const frames = openKeptFrames(db, options.frameBytesKeptMax);
  const drawing = openDrawing(db, openAuditLog(db, chain), frames);
  const audits = openAudits(db, chain, frames, drawing);
  const reviews = openReviews(db, statements, chain, frames, audits);
  const acts = openActs(db, chain);
  const shadow = openShadowBook(db);
  const monitors = openMonitorBook(db);
  const retention = openRetention(db, chain, frames, options);
  const parts = openPartRows(db, statements, options.dedupeWindowMs);
  const write = appender(db, statements, chain, frames, parts, drawing, options.dedupeWindowMs);
  db.pragma(`wal_autocheckpoint = ${walPages(db, options.ballastBytes)}`);
  ballast.make();
  let isQuiet = true;
  let isCheckpointed = false;

  /** Does what waits for room on a full disk, and gives up the ballast for what cannot wait. */
  function written<T>(work: () => T): T {
    isQuiet = false;
    isCheckpointed = false;
    if (!ballast.isThere() && !ballast.make()) throw noRoom(options);
    try {
      return work();
    } catch (error) {
      if (!isFull(error)) throw error;
      ballast.giveUp();
      throw noRoom(options);
    }
  }

  const noteSettled = db.transaction((left: Left): void => {
    const settled = statements.noteLeft(left);
    if (settled > 0) statements.addToCounter("alerts", -settled);
  });
  const countSession = db.transaction((): number => {
    const session = (statements.counter.get("session") as number) + 1;
    statements.setCounter("session", session);
    return session;
  });

  return {
    /**
     * Commits a batch: decisions, reviews and their alerts, and what has left, together, or nothing.
     * @throws LedgerFull while there is no room for it
     */
    append(batch: readonly Judged[], left?: Left): readonly Committed[] {
      return written(() => write(batch, left));
    },

    isRecorded: parts.isRecorded,
    partStanding: parts.standing,
    openPartRows: parts.open,

    /** Decisions behind the cursor, oldest first. */
    decisionsAfter: (id: number, limit: number): readonly DecisionRecord[] =>
      statements.after.all(id, limit) as DecisionRecord[],

    /** Decisions newest first, from a bounded number of rows. */
    lookBack: lookBack(db),

    /** Decisions by the minute, from a span of ids. */
    minuteCounts: openMinuteCounts(db),

    /** Alerts not yet delivered, oldest first, from those with a larger id. */
    alertsAfter: (id: number, limit: number): readonly PendingAlert[] =>
      statements.alertsAfter.all(id, limit) as PendingAlert[],

    alertsPending: (): number => statements.counter.get("alerts") as number,

    /** The id up to which every decision has been published. */
    publishedUpTo: (): number => statements.counter.get("published") as number,

    /** Notes what has left: the publish cursor, and alerts that the broker has acknowledged. */
    settle(publishedUpTo: number, alertIds: readonly number[]): void {
      isCheckpointed = false;
      orWithoutBallast(ballast, () => noteSettled({ publishedUpTo, alertIds }));
    },

    /** Counts one more run of the gateway and returns its number. */
    nextSession: (): number => orNoRoomAtStart(path, () => orWithoutBallast(ballast, countSession)),

    /** Drawn when the file was made: ids that begin with it are never made with another file. */
    epoch: (): number => statements.counter.get("epoch") as number,

    /** The reviews; a transition throws LedgerFull while there is no room for it. */
    reviews: { ...reviews, change: (changes) => written(() => reviews.change(changes)) } satisfies ReviewBook,

    /** The audits; what is written of them throws LedgerFull while there is no room for it. */
    audits: {
      ...audits,
      answer: (...given) => written(() => audits.answer(...given)),
      expire: (nowMs) => (audits.hasDue(nowMs) ? written(() => audits.expire(nowMs)) : []),
      keepSeed: (seed) => written(() => audits.keepSeed(seed)),
      forgetSeed: (commitment) => written(() => audits.forgetSeed(commitment)),
    } satisfies AuditBook,

    /** What bundles in shadow were found to do; not noted while there is no room. */
    shadow: { ...shadow, note: (...found) => written(() => shadow.note(...found)) } satisfies ShadowBook,

    /** How far the monitors' tests are; not saved while there is no room. */
    monitors: { ...monitors, save: (rows) => written(() => monitors.save(rows)) } satisfies MonitorBook,

    /** The acts; with the ballast's room where there is no other, since one may be a stop. */
    acts: {
      ...acts,
      append(rows) {
        isQuiet = false;
        isCheckpointed = false;
        try {
          return orWithoutBallast(ballast, () => acts.append(rows));
        } catch (error) {
          throw isFull(error) ? noRoom(options) : error;
        }
      },
    } satisfies ActBook,

    /** The end of the hash chain; whoever keeps it elsewhere can tell later that nothing before it was changed. */
    chainHead(): { readonly seq: number; readonly sha256: string } {
      const { seq, hash } = chain.head();
      return { seq, sha256: Buffer.from(hash).toString("hex") };
    },

    /** The number of the last act; 0 where there is none. */
    lastAct: (): number => chain.head().acts ?? 0,

    /** Verifies everything against the chain; takes seconds on a large ledger. */
    verifyChain: (): ChainFault | undefined => verifyLedger(db),

    /** Files that were set aside as damaged before this ledger was begun. */
    setAside: (): readonly SetAside[] => statements.setAside.all() as SetAside[],

    /** The file that this very start has set aside. */
    setAsideNow,

    /**
     * One small step of upkeep, between batches: deletes what is past its time; where nothing has been written since
     * the last step, the write-ahead log is emptied into the file, which a batch then need not wait for.
     * @returns whether there is more to delete
     */
    maintain(): boolean {
      const hasMore = orWithoutBallast(ballast, () =>
        // On a full disk the log must be emptied after each batch, so that the next finds room in it.
        retention.step(nowMs(), ballast.isThere() ? ROWS_PER_STEP : 1),
      );
      if (hasMore) isCheckpointed = false;
      const isDue = !hasMore && isQuiet && !isCheckpointed;
      if (isDue || !ballast.isThere()) isCheckpointed = checkpoint(db);
      ballast.make();
      isQuiet = true;
      return hasMore;
    },

    usage: () => ({
      bytes: retention.usedBytes(),
      frameBytesKept: frames.bytes(),
      framesDropped: frames.dropped(),
      ballastGivenUp: ballast.timesGivenUp(),
      hasBallast: ballast.isThere(),
    }),

    close(): void {
      try {
        checkpoint(db);
      } finally {
        db.close();
      }
    },
  };
}

/** No more than half of the ballast's room where that matters: given up, it must be enough to empty the log. */
function walPages(db: Database, ballastBytes: number): number {
  const pageBytes = db.pragma("page_size", { simple: true }) as number;
  return Math.min(WAL_PAGES.max, Math.max(WAL_PAGES.min, Math.floor(ballastBytes / 2 / pageBytes)));
}

/** Empties the write-ahead log into the file. On a full disk it stays as it is: what it holds is safe there. */
function checkpoint(db: Database): boolean {
  try {
    db.pragma("wal_checkpoint(TRUNCATE)");
    return true;
  } catch (error) {
    if (!isFull(error)) throw error;
    return false;
  }
}

/** Does what must be written even on a full disk, with the room of the ballast if there is no other. */
function orWithoutBallast<T>(ballast: Ballast, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isFull(error)) throw error;
    ballast.giveUp();
    return work();
  }
}

/** A gateway that cannot begin has nothing that it could go on with: whoever starts it tries again. */
function orNoRoomAtStart<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isFull(error)) throw error;
    const { bavail, bsize } = statfsSync(dirname(path));
    throw new LedgerFull(
      `${path}: the disk is full, no room to begin (${bavail * bsize} bytes free in ${dirname(path)}); make room there, or set ledger.path to a place on another disk`,
    );
  }
}

function noRoom({ path, ballastBytes }: LedgerOptions): LedgerFull {
  const needed = ballastBytes > 0 ? `, ${2 * ballastBytes} bytes at least` : "";
  return new LedgerFull(`${path}: the disk is full; make room on it${needed}. It goes on by itself`);
}
