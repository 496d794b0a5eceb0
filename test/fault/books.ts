/** Compares the books after a crash: what was sent, what the ledger holds, what was heard. */

import { expect } from "vitest";
import { Database } from "../../src/sqlite/database.ts";
import type { RecordingConsumer } from "./plant.ts";

export interface LedgerRow {
  readonly frame: string;
  readonly decision: string;
  readonly reason: string;
  readonly decidedAtMs: number;
}

export interface Books {
  readonly rows: readonly LedgerRow[];
  readonly frames: ReadonlySet<string>;
  /** Those that were announced. */
  readonly reviews: readonly string[];
  readonly alertsPending: number;
}

/** What the ledger of a gateway that has ended says. */
export function readBooks(ledger: string): Books {
  const db = new Database(ledger, { readonly: true });
  try {
    const rows = db
      .prepare("SELECT frame, decision, reason, decided_at AS decidedAtMs FROM decisions ORDER BY id")
      .all() as LedgerRow[];
    const reviews = db
      .prepare("SELECT id FROM reviews WHERE announced_at IS NOT NULL")
      .pluck()
      .all() as string[];
    const alertsPending = db.prepare("SELECT count(*) FROM outbox").pluck().get() as number;
    return { rows, frames: new Set(rows.map((row) => row.frame)), reviews, alertsPending };
  } finally {
    db.close();
  }
}

/** No frame has two rows. */
export function expectDecidedOnce({ rows, frames }: Books): void {
  expect(rows.length, "rows in the ledger, against distinct frames").toBe(frames.size);
}

/** What is in the first and not in the second; a few of them are enough to look into. */
export function missing(from: Iterable<string>, among: { has(id: string): boolean }): string[] {
  return [...from].filter((id) => !among.has(id)).slice(0, 10);
}

function revisionOf(text: string): number {
  return (JSON.parse(text) as { reviewRevision: number }).reviewRevision;
}

/** Every decision was heard at least once, as the ledger has it; every alert, always as the same bytes. */
export function expectAllHeard({ rows, reviews, alertsPending }: Books, consumer: RecordingConsumer): void {
  const { decisions, alerts } = consumer;
  expect(
    missing(
      rows.map((row) => row.frame),
      decisions,
    ),
    "decided and never published",
  ).toEqual([]);
  for (const { frame, decision, reason } of rows) {
    for (const text of decisions.get(frame)!) expect(JSON.parse(text)).toMatchObject({ decision, reason });
  }
  expect(missing(reviews, alerts), "alerts never delivered").toEqual([]);
  expect(missing(alerts.keys(), new Set(reviews)), "alerts of no review").toEqual([]);
  for (const [review, texts] of alerts) {
    const revisions = new Map(texts.map((text) => [revisionOf(text), text]));
    for (const text of texts) expect(revisions.get(revisionOf(text)), `alert ${review}`).toBe(text);
  }
  expect(alertsPending, "alerts left in the outbox").toBe(0);
}
