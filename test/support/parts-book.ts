/** What a ledger in memory knows of parts; both such ledgers are built on it. */

import type { DecisionRecord, Judged, OpenPartRow, PartStanding } from "../../src/core/record.ts";

export interface PartsBook {
  /** Notes a row just written; of a part or not. */
  note(record: DecisionRecord, judged: Judged): void;
  open(): readonly OpenPartRow[];
  standing(station: string, part: string, sinceMs: number): PartStanding | undefined;
}

export function aPartsBook(): PartsBook {
  const rows: { readonly record: DecisionRecord; readonly judged: Judged; isOpen: boolean }[] = [];
  return {
    note(record, judged) {
      if (judged.part === undefined) return;
      const { station, part } = record;
      if (judged.part.frames !== undefined) {
        for (const row of rows)
          if (row.record.station === station && row.record.part === part) row.isOpen = false;
      }
      rows.push({ record, judged, isOpen: judged.part.isOpen });
    },
    open: () =>
      rows
        .filter(({ isOpen }) => isOpen)
        .map(({ record, judged: { frame, bundle } }) => ({
          record,
          identified: frame.identified,
          partCount: frame.partCount,
          bundle,
          receivedAtMs: frame.receivedAtMs,
        })),
    standing(station, part, sinceMs) {
      const own = rows
        .map(({ record }) => record)
        .filter((one) => one.station === station && one.part === part);
      const decision = own.findLast(({ frames, decidedAtMs }) => frames !== null && decidedAtMs >= sinceMs);
      if (decision === undefined) return undefined;
      const isReviewed = decision.decision === "review" && decision.reason !== "shadow";
      const late = own.find((one) => one.id > decision.id && one.decision === "review");
      return { decision, late: isReviewed ? undefined : late };
    },
  };
}
