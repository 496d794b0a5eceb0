/** What a recording has to know of the certificates before it: cal may be counted once. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readEnvelope } from "../../bundle/envelope-file.ts";
import { readHistory } from "../../bundle/evidence.ts";
import { type CertifiedRevision, type EvidenceHistory, NO_HISTORY } from "../../bundle/evidence-revisions.ts";
import { ENVELOPE_FILE } from "../certify-checks.ts";

/** The last revision that was certified in this folder; undefined where none was. */
export function lastCertified(
  folder: string,
  earlier: readonly CertifiedRevision[],
): CertifiedRevision | undefined {
  const file = join(folder, ENVELOPE_FILE);
  const read = existsSync(file) ? readEnvelope(readFileSync(file, "utf8"), file) : undefined;
  const own = read?.ok ? read.envelope.certificate : undefined;
  const last = earlier.at(-1);
  if (own === undefined || (last !== undefined && last.revision >= own.revision)) return last;
  return { revision: own.revision, eta: own.etaTarget };
}

/** What evidence that replaces other evidence takes over from it: the next revision, and which frames are spent. */
export function historyOf(folder: string, evidence: string): EvidenceHistory {
  if (!existsSync(evidence)) return NO_HISTORY;
  const { revisions, spentUpTo } = readHistory(evidence);
  const last = lastCertified(folder, revisions.certified);
  if (last === undefined) return NO_HISTORY;
  const earlier = revisions.certified.filter(({ revision }) => revision < last.revision);
  return {
    revision: last.revision + 1,
    certified: [...earlier, last],
    spent: spentUpTo(last.revision),
  };
}

/** Names a few of many, and how many there are. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
