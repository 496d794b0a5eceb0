/**
 * What bundles in shadow were found to do, as counts and a few examples of each. No promise rests on it, so it is in no
 * chain; it is bounded, and outlives restarts.
 */

import type { Compared, Comparison, Said } from "../core/shadow.ts";
import type { PairCount, ShadowBook, ShadowStanding } from "../gateway/ports.ts";
import type { Database } from "../sqlite/database.ts";
import { openReadOnly } from "./read-only.ts";

/** A migration's step. */
export const SHADOW_STEP = `
  CREATE TABLE shadow_runs (
    run INTEGER PRIMARY KEY AUTOINCREMENT,
    station TEXT NOT NULL,
    live_bundle TEXT NOT NULL,
    live_revision INTEGER NOT NULL,
    shadow_bundle TEXT NOT NULL,
    shadow_revision INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    judged INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    UNIQUE (station, live_bundle, live_revision, shadow_bundle, shadow_revision)
  ) STRICT;
  CREATE TABLE shadow_pairs (
    run INTEGER NOT NULL,
    live TEXT NOT NULL,
    live_class TEXT NOT NULL,
    shadow TEXT NOT NULL,
    shadow_class TEXT NOT NULL,
    frames INTEGER NOT NULL,
    examples TEXT NOT NULL,
    PRIMARY KEY (run, live, live_class, shadow, shadow_class)
  ) STRICT, WITHOUT ROWID;
`;

/** Comparisons of a station that are kept, and pairs of each that are told apart. */
const RUNS_MAX = 20;
const PAIRS_MAX = 2000;
const EXAMPLES_MAX = 5;
/** Stands for the classes of all pairs beyond. */
const OTHERS = "(others)";

interface Run {
  readonly run: number;
  readonly station: string;
  readonly liveBundle: string;
  readonly liveRevision: number;
  readonly shadowBundle: string;
  readonly shadowRevision: number;
  readonly beganAtMs: number;
  readonly lastAtMs: number;
  readonly judged: number;
  readonly dropped: number;
  readonly lost: number;
}

interface PairKey {
  readonly run: number;
  readonly live: string;
  readonly liveClass: string;
  readonly shadow: string;
  readonly shadowClass: string;
}

export function openShadowBook(db: Database): ShadowBook {
  const runOf = db
    .prepare(
      `INSERT INTO shadow_runs (station, live_bundle, live_revision, shadow_bundle, shadow_revision, began_at, last_at,
         judged, dropped, lost)
       VALUES (@station, @liveBundle, @liveRevision, @shadowBundle, @shadowRevision, @atMs, @atMs, @judged, @dropped, @lost)
       ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at), judged = judged + excluded.judged,
         dropped = dropped + excluded.dropped, lost = lost + excluded.lost
       RETURNING run`,
    )
    .pluck();
  const forget = {
    pairs: db.prepare("DELETE FROM shadow_pairs WHERE run NOT IN (SELECT run FROM shadow_runs)"),
    runs: db.prepare(
      `DELETE FROM shadow_runs WHERE station = ? AND run NOT IN
         (SELECT run FROM shadow_runs WHERE station = ? ORDER BY last_at DESC, run DESC LIMIT ${RUNS_MAX})`,
    ),
  };
  const pairCount = db.prepare("SELECT count(*) FROM shadow_pairs WHERE run = ?").pluck();
  const where =
    "run = @run AND live = @live AND live_class = @liveClass AND shadow = @shadow AND shadow_class = @shadowClass";
  const examplesOf = db.prepare(`SELECT examples FROM shadow_pairs WHERE ${where}`).pluck();
  const addPair = db.prepare(
    `INSERT INTO shadow_pairs VALUES (@run, @live, @liveClass, @shadow, @shadowClass, @frames, @examples)
     ON CONFLICT DO UPDATE SET frames = frames + excluded.frames, examples = excluded.examples`,
  );

  function noteAll(key: PairKey, { frames, examples }: PairCount): void {
    const before = examplesOf.get(key) as string | undefined;
    const isKnown = before !== undefined;
    const kept =
      isKnown || (pairCount.get(key.run) as number) < PAIRS_MAX
        ? key
        : { ...key, liveClass: OTHERS, shadowClass: OTHERS };
    const known = JSON.parse(before ?? (examplesOf.get(kept) as string | undefined) ?? "[]") as object[];
    addPair.run({
      ...kept,
      frames,
      examples: JSON.stringify([...known, ...examples].slice(0, EXAMPLES_MAX)),
    });
  }

  const note = db.transaction(
    (comparison: Comparison, counts: Parameters<ShadowBook["note"]>[1], atMs: number) => {
      const { judged, dropped, lost } = counts;
      const run = runOf.get({ ...comparison, ...{ judged, dropped, lost }, atMs }) as number;
      for (const pair of counts.pairs) noteAll({ run, ...keyOf(pair) }, pair);
      if (forget.runs.run(comparison.station, comparison.station).changes > 0) forget.pairs.run();
    },
  );
  return { note: (comparison, counts, atMs) => void note(comparison, counts, atMs), latest: latestOf(db) };
}

/** The comparison of a station noted last, from a ledger that is in use by a gateway. */
export function readShadow(path: string, station: string): ShadowStanding | undefined {
  const db = openReadOnly(path);
  try {
    return latestOf(db)(station);
  } finally {
    db.close();
  }
}

function latestOf(db: Database): ShadowBook["latest"] {
  const latest = db.prepare(
    `SELECT run, station, live_bundle AS liveBundle, live_revision AS liveRevision, shadow_bundle AS shadowBundle,
       shadow_revision AS shadowRevision, began_at AS beganAtMs, last_at AS lastAtMs, judged, dropped, lost
     FROM shadow_runs WHERE station = ? ORDER BY last_at DESC, run DESC LIMIT 1`,
  );
  const pairs = db.prepare(
    `SELECT live, live_class AS liveClass, shadow, shadow_class AS shadowClass, frames, examples FROM shadow_pairs
     WHERE run = ? ORDER BY frames DESC, live, shadow, live_class, shadow_class`,
  );
  return (station) => {
    const found = latest.get(station) as Run | undefined;
    if (found === undefined) return undefined;
    const { run, beganAtMs, lastAtMs, judged, dropped, lost, ...comparison } = found;
    const rows = pairs.all(run) as (Omit<PairKey, "run"> & {
      readonly frames: number;
      readonly examples: string;
    })[];
    return {
      ...{ comparison, beganAtMs, lastAtMs, judged, dropped, lost },
      pairs: rows.map(({ live, liveClass, shadow, shadowClass, frames, examples }) => ({
        live: said(live, liveClass),
        shadow: said(shadow, shadowClass),
        frames,
        examples: JSON.parse(examples) as PairCount["examples"],
      })),
    };
  };
}

/** A class that is not there is the empty text: a primary key takes no null. */
function keyOf({ live, shadow }: Compared): Omit<PairKey, "run"> {
  return {
    ...{ live: live.decision, liveClass: live.className ?? "" },
    ...{ shadow: shadow.decision, shadowClass: shadow.className ?? "" },
  };
}

function said(decision: string, className: string): Said {
  return { decision: decision as Said["decision"], className: className === "" ? undefined : className };
}
