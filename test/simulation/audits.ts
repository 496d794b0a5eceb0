/** What must hold of audits after a run: none without its decision, no passed part uncounted, each drawn as was said before. */

import type { DecisionRecord } from "../../src/core/record.ts";
import { AUDITED, type World } from "./world.ts";

export function auditViolations(world: World): string[] {
  const { disk, journal } = world;
  const counted = new Map(disk.audits.passed.map((one) => [one.decision, one]));
  const found: string[] = [];
  if (counted.size !== disk.audits.passed.length) found.push("a passed part was counted twice");
  for (const record of disk.records) {
    const isCounted = counted.has(record.id);
    if (isCounted !== mustBeCounted(world, record))
      found.push(
        `row ${record.id}, ${record.decision}, is ${isCounted ? "" : "not "}counted as a passed part`,
      );
    const { audit } = counted.get(record.id) ?? {};
    if (audit === undefined && disk.audits.reviewed.has(record.id)) journal.note("known-frame");
    if (isCounted && !isOnRecord(world, record))
      found.push(`row ${record.id} was drawn by no policy on record`);
    if (audit === undefined) continue;
    journal.note(record.part === null ? "audit-drawn" : "audit-of-part");
    if (!disk.alerts.has(audit)) found.push(`audit ${audit} has no review`);
  }
  const audits = disk.audits.list({ limit: Number.MAX_SAFE_INTEGER });
  for (const { id, decision } of audits)
    if (disk.records[decision - 1]?.decision !== "pass") found.push(`audit ${id} has no passed part`);
  found.push(...seedsLost(world));
  return found;
}

/** Every part that passes at the station, but for those that were open when a life began. */
function mustBeCounted({ disk }: World, { id, station, decision, part, frames }: DecisionRecord): boolean {
  if (station !== AUDITED || decision !== "pass") return false;
  if (frames === null) return true;
  const before = disk.records.slice(0, id - 1);
  const last = before.findLast((one) => one.station === station && one.part === part && one.frames !== null);
  const first = before.find(
    (one) =>
      one.station === station && one.part === part && one.id > (last?.id ?? 0) && disk.inTime.has(one.id),
  );
  return disk.lifeOf.get(first!.id) === disk.lifeOf.get(id);
}

function isOnRecord({ disk }: World, { id, station }: DecisionRecord): boolean {
  return disk.acts.some((act) => {
    const { what } = JSON.parse(act.body) as { what: string };
    return what === "begins" && act.station === station && act.rowsBefore < id;
  });
}

/** Every seed but the last has been shown, once at least, and that one is kept to be shown. */
function seedsLost({ disk, journal }: World): string[] {
  const bodies = disk.acts.map(({ body }) => JSON.parse(body) as { what: string; commitment: string });
  const of = (what: string): Set<string> =>
    new Set(bodies.filter((one) => one.what === what).map(({ commitment }) => commitment));
  const [began, ended] = [of("begins"), of("ended")];
  if (ended.size > 0) journal.note("seed-shown");
  const secret = [...began].filter((commitment) => !ended.has(commitment));
  const kept = new Set(disk.audits.seeds().map(({ commitment }) => commitment));
  return [
    ...(secret.length > 1 ? [`${secret.length} seeds were never shown`] : []),
    ...secret.filter((one) => !kept.has(one)).map((one) => `the seed of ${one} is lost`),
  ];
}
