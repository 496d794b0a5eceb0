/** What must hold of parts after a run: one decision each, none open, none passed with a missing or a failing frame. */

import type { DecisionRecord } from "../../src/core/record.ts";
import { outcomeOf } from "./plant.ts";
import { DEDUPE_WINDOW_MS, FRAMES_PER_PART_MAX, type World } from "./world.ts";

export function partViolations(world: World): string[] {
  const { disk } = world;
  const byPart = new Map<string, DecisionRecord[]>();
  for (const record of disk.records) {
    if (record.part === null) continue;
    const key = `${record.station} ${record.part}`;
    const known = byPart.get(key);
    if (known === undefined) byPart.set(key, [record]);
    else known.push(record);
  }
  return [
    ...disk.waiting.map(({ record }) => `row ${record.id} still waits for the decision on ${record.part}`),
    ...[...byPart].flatMap(([key, rows]) => [
      ...decidedTwice(world, key, rows),
      ...unsoundPasses(world, key, rows),
      ...reviewViolations(world, key, rows),
    ]),
  ];
}

/** The clock on the wall may have been set far ahead when the part was opened, and back when it was decided. */
function decidedTwice({ disk }: World, key: string, rows: readonly DecisionRecord[]): string[] {
  let before = Number.NEGATIVE_INFINITY;
  let openedAtMs: number | undefined;
  const twice: string[] = [];
  for (const { id, frames, decidedAtMs } of rows) {
    if (disk.inTime.has(id)) openedAtMs ??= decidedAtMs;
    if (frames === null) continue;
    if (openedAtMs === undefined || before >= openedAtMs - DEDUPE_WINDOW_MS)
      twice.push(`part ${key} was decided twice`);
    before = Math.max(before, decidedAtMs);
    openedAtMs = undefined;
  }
  return twice;
}

/** By what the plant sent, not by what the gateway made of it. */
function unsoundPasses({ disk, plant }: World, key: string, rows: readonly DecisionRecord[]): string[] {
  const found: string[] = [];
  let own: DecisionRecord[] = [];
  for (const row of rows) {
    if (row.frames === null) {
      if (disk.inTime.has(row.id)) own.push(row);
      continue;
    }
    const messages = own.map(({ id }) => plant.sent[disk.messageOf.get(id)!]!);
    const distinct = new Set(messages.map(({ topic, frameId, seq }) => `${topic} ${frameId ?? seq}`));
    const failing = messages.filter(({ payload, frameId }) => {
      const outcome = outcomeOf(payload);
      return frameId === undefined || outcome.kind === "reject" || outcome.prediction.score > 0.2;
    });
    const counts = messages.flatMap(({ partCount }) => partCount ?? []);
    // A frame without an id that comes again counts again, and its part cannot pass.
    const areNamed = messages.every(({ frameId }) => frameId !== undefined);
    if (areNamed && distinct.size !== row.frames)
      found.push(`part ${key} was decided by ${row.frames} of ${distinct.size} frames`);
    const isSound =
      failing.length === 0 &&
      own.every(({ decision }) => decision === "held") &&
      counts.every((count) => count === distinct.size) &&
      distinct.size <= FRAMES_PER_PART_MAX;
    if (row.decision === "pass" && !isSound)
      found.push(`part ${key} passed, row ${row.id}, and must not have`);
    own = [];
  }
  return found;
}

/** For each decision, with all that comes late: one alert at most; and one at least, once a frame is late. */
function reviewViolations({ disk }: World, key: string, rows: readonly DecisionRecord[]): string[] {
  const audited = disk.audits.reviewed;
  const announced = new Set(
    [...disk.alerts.values()].map(({ decision }) => decision).filter((id) => !audited.has(id)),
  );
  const decidedAt = rows.flatMap(({ frames }, i) => (frames === null ? [] : [i]));
  const before = rows.slice(0, decidedAt[0]);
  const found = before
    .filter(({ id }) => !disk.inTime.has(id) || announced.has(id))
    .map(({ id }) => `row ${id} does not wait, though part ${key} is not decided yet`);
  for (const [n, start] of decidedAt.entries()) {
    const since = rows.slice(start, decidedAt[n + 1]);
    const alerts = since.filter(({ id }) => announced.has(id)).length;
    const isOwed = since.some(({ decision }) => decision === "review");
    if (alerts > 1) found.push(`part ${key} has ${alerts} reviews from row ${rows[start]!.id} on`);
    if (isOwed && alerts === 0) found.push(`part ${key} needs a review from row ${rows[start]!.id} on`);
  }
  return found;
}
