/** Which of a station's two bundles is in force: the thresholds say so. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MANIFEST_FILE } from "../bundle/bundle.ts";
import { ManifestSchema } from "../bundle/manifest.ts";
import type { StationConfig } from "../config/schema.ts";
import { readDocument } from "../schema/document.ts";

/**
 * The folder of the bundle in force. Thresholds name the envelope that they are for: where that is the envelope of the
 * bundle in shadow, it has been promoted. One file so says what is in force, and one write switches it.
 */
export function folderInForce({ bundle, shadow }: StationConfig, envelope: string): string {
  if (shadow === undefined || envelopeOf(bundle) === envelope) return bundle;
  return envelopeOf(shadow.bundle) === envelope ? shadow.bundle : bundle;
}

/** The digest of the envelope that a bundle names; undefined where it names none, or cannot be read. */
function envelopeOf(folder: string): string | undefined {
  const file = join(folder, MANIFEST_FILE);
  try {
    const read = readDocument(readFileSync(file, "utf8"), file, ManifestSchema);
    return read.ok ? read.value.envelope?.sha256 : undefined;
  } catch {
    return undefined; // Who reads the bundle says why it cannot be read.
  }
}
