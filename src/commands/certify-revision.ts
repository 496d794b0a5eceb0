/** Which revision of the certificate is made: the next one, of parts of cal that no other has counted. */

import type { EvidenceRevisions } from "../bundle/evidence-revisions.ts";
import { fewestParts } from "../core/envelope/recording.ts";
import type { Settings } from "./certify-checks.ts";
import { grouped } from "./prose.ts";
import { Refusal } from "./terminal.ts";

/** @param newest revision whose parts are recorded, which is meant where none is given */
export function revisionOf(text: string | undefined, newest: number): number {
  if (text === undefined) return newest;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new Refusal(`--revision: expected a whole number from 1, found "${text}"`);
}

/** Each revision has parts of its own, and all of them share one eta. */
export function refuseOtherRevision(
  folder: string,
  settings: Settings,
  { newest, certified }: EvidenceRevisions,
  classes: number,
): void {
  const { revision, eta } = settings;
  if (revision > newest) {
    const { station, class: ofClass } = fewestParts(settings, classes);
    const needed = grouped(Math.max(station, ofClass));
    const next = newest + 1;
    throw new Refusal(
      revision === next
        ? `the evidence has no fresh parts of cal for revision ${revision}, and ${needed} are missing: add them with \`sekisho record ${folder} --frames ... --as-cal ${revision}\`; ` +
            "testing the parts of an earlier revision again is no proof"
        : `--revision: the evidence has parts of cal up to revision ${newest}, so the next is ${next}, not ${revision}`,
    );
  }
  if (revision < newest) {
    throw new Refusal(
      `--revision: revision ${revision} is past, the newest parts of cal are of revision ${newest}; its parts have been counted, and are not counted again`,
    );
  }
  const other = certified.find((one) => one.eta !== eta);
  if (other === undefined) return;
  throw new Refusal(
    `--eta: revision ${other.revision} was certified with eta ${other.eta}, found ${eta}; eta is the failure probability of all revisions together, so it stays what it was`,
  );
}
