/** The ledger of a simulation: a disk that outlives the daemon, fails, fills up, and remembers what was on it. */

import {
  type Committed,
  type DecisionRecord,
  type Judged,
  type Left,
  type OpenPartRow,
  type PendingAlert,
  recordOf,
} from "../../src/core/record.ts";
import type { ActBook, ActRow, AuditSeed, Ledger } from "../../src/gateway/ports.ts";
import { anAuditsBook, type FakeAuditsBook } from "../support/audits-book.ts";
import { aPartsBook } from "../support/parts-book.ts";
import type { Journal } from "./journal.ts";
import type { Life } from "./life.ts";
import { seqOf } from "./plant.ts";

export interface Alert {
  /** The decision that it is of. */
  readonly decision: number;
  readonly body: string;
}

export interface Disk {
  /** No transaction goes through: the disk is full, or fails. */
  trouble: string | undefined;
  isUnreadable: boolean;
  /** From when on the daemon may be expected to have got over the last trouble. */
  soundFromMs: number;
  readonly records: readonly DecisionRecord[];
  /** Which messages of the plant have a decision on disk, their own or an earlier one of their id. */
  readonly decided: ReadonlySet<number>;
  /** The message of the plant that each record was made of, by the record's id. */
  readonly messageOf: ReadonlyMap<number, number>;
  /** Alerts as they were written, by review, in order. */
  readonly alerts: ReadonlyMap<string, Alert>;
  readonly outbox: readonly PendingAlert[];
  readonly published: number;
  /** Rows of parts without a decision. */
  readonly waiting: readonly OpenPartRow[];
  readonly audits: FakeAuditsBook;
  /** Each with how many rows there were before it. */
  readonly acts: readonly (Omit<ActRow, "seq"> & { readonly rowsBefore: number })[];
  /** The life in which each row was written, by its id. */
  readonly lifeOf: ReadonlyMap<number, Life>;
  /** Ids of rows that were written while their part was open. */
  readonly inTime: ReadonlySet<number>;
  ledgerFor(
    life: Life,
    onAppend: (record: DecisionRecord) => void,
  ): Ledger & { readonly audits: FakeAuditsBook; readonly acts: Pick<ActBook, "append"> };
}

class DiskError extends Error {}

export function aDisk(dedupeWindowMs: number, journal: Journal): Disk {
  const records: DecisionRecord[] = [];
  const newest = new Map<string, DecisionRecord[]>();
  const decided = new Set<number>();
  const messageOf = new Map<number, number>();
  const alerts = new Map<string, Alert>();
  const book = aPartsBook();
  const audits = anAuditsBook();
  const acts: (Omit<ActRow, "seq"> & { readonly rowsBefore: number })[] = [];
  const lifeOf = new Map<number, Life>();
  const inTime = new Set<number>();
  let outbox: PendingAlert[] = [];
  let published = 0;

  const keyOf = ({ frame }: Judged): string => JSON.stringify([frame.station, frame.source, frame.id]);

  function earlierOf(judged: Judged): DecisionRecord | undefined {
    const since = judged.decidedAtMs - dedupeWindowMs;
    if (!judged.frame.identified) return undefined;
    return newest.get(keyOf(judged))?.findLast((record) => record.decidedAtMs >= since);
  }

  function appendOne(judged: Judged, life: Life, onAppend: (record: DecisionRecord) => void): Committed {
    const { frame, review } = judged;
    const key = keyOf(judged);
    const earlier = earlierOf(judged);
    const isOfFrame = judged.part?.frames === undefined;
    if (isOfFrame) decided.add(seqOf(frame.payload));
    if (earlier !== undefined) return { record: earlier, isRedelivery: true, alert: undefined };
    const record = recordOf(judged, records.length + 1);
    records.push(record);
    lifeOf.set(record.id, life);
    book.note(record, judged);
    audits.note(record, judged);
    if (judged.part?.isOpen === true) inTime.add(record.id);
    // What is written of a part beside a late frame's own row is no second decision on that frame.
    const isBeside = !frame.identified && record.reason === "late-frame";
    if (isOfFrame && !isBeside) messageOf.set(record.id, seqOf(frame.payload));
    if (frame.identified) newest.set(key, [...(newest.get(key) ?? []), record]);
    if (review?.alert !== undefined) {
      alerts.set(review.id, { decision: record.id, body: review.alert });
      outbox.push({ id: record.id, station: record.station, body: review.alert });
    }
    onAppend(record);
    const alert = review?.alert === undefined ? undefined : outbox.at(-1);
    return { record, isRedelivery: false, alert, extent: judged.prediction?.extent };
  }

  function note({ publishedUpTo, alertIds }: Left): void {
    if (publishedUpTo < published) {
      journal.violate(`the publish cursor went back from ${published} to ${publishedUpTo}`);
    }
    published = publishedUpTo;
    outbox = outbox.filter(({ id }) => !alertIds.includes(id));
  }

  /** Ahead of the first row: a batch is written whole or not at all. */
  function checkReviews(batch: readonly Judged[]): void {
    const taken = new Set(alerts.keys());
    for (const id of batch.flatMap(({ review }) => review?.id ?? [])) {
      if (taken.has(id)) {
        journal.violate(`two reviews have the id ${id}`);
        throw new DiskError(`the review id ${id} is taken`);
      }
      taken.add(id);
    }
  }

  const disk = {
    trouble: undefined as string | undefined,
    isUnreadable: false,
    soundFromMs: 0,
    records,
    decided,
    messageOf,
    alerts,
    get outbox() {
      return outbox;
    },
    audits,
    acts,
    lifeOf,
    inTime,
    get waiting() {
      return book.open();
    },
    get published() {
      return published;
    },
    ledgerFor(life: Life, onAppend: (record: DecisionRecord) => void) {
      const check = (): void => {
        if (!life.alive) throw new DiskError("this life is over");
        if (disk.trouble !== undefined) throw new DiskError(disk.trouble);
      };
      const readable = (): void => {
        if (disk.isUnreadable) throw new DiskError("disk I/O error");
      };
      const written = <T>(work: () => T): T => {
        check();
        return work();
      };
      return {
        audits: {
          ...audits,
          expire: (nowMs: number) => written(() => audits.expire(nowMs)),
          keepSeed: (seed: AuditSeed) => written(() => audits.keepSeed(seed)),
          forgetSeed: (commitment: string) => written(() => audits.forgetSeed(commitment)),
        },
        acts: {
          append: (given: readonly Omit<ActRow, "seq">[]) =>
            written(() => {
              acts.push(...given.map((one) => ({ ...one, rowsBefore: records.length })));
              return [];
            }),
        },
        append(batch: readonly Judged[], left?: Left) {
          life.passes("before-commit");
          check();
          checkReviews(batch);
          const committed = batch.map((judged) => appendOne(judged, life, onAppend));
          if (left !== undefined) note(left);
          journal.note(
            "commit",
            batch
              .map(({ frame, part }) => `${frame.id}${part === undefined ? "" : `/${frame.part}`}`)
              .join(" "),
          );
          life.passes("after-commit");
          return committed;
        },
        isRecorded(judged: Judged) {
          check();
          return earlierOf(judged) !== undefined;
        },
        partStanding: (station: string, part: string, atMs: number) =>
          book.standing(station, part, atMs - dedupeWindowMs),
        openPartRows: () => book.open(),
        decisionsAfter(id: number, limit: number) {
          readable();
          return records.slice(id, id + limit);
        },
        alertsAfter(id: number, limit: number) {
          readable();
          return outbox.filter((alert) => alert.id > id).slice(0, limit);
        },
        publishedUpTo: () => published,
        settle(upTo: number, ids: readonly number[]) {
          check();
          note({ publishedUpTo: upTo, alertIds: ids });
        },
      };
    },
  };
  return disk;
}
