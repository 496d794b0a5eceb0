/** Builder of audited parts. */

import type { AuditedPart } from "../../src/core/statistics/horvitz-thompson.ts";

/** A part drawn for certain and found faithful, but for what is given; piMin is pi. */
export function anAuditedPart(part: Partial<AuditedPart> = {}): AuditedPart {
  const pi = part.pi ?? 1;
  return { pi, piMin: pi, drawn: true, unfaithful: 0, ...part };
}
