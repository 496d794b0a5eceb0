/** `sekisho bundle gallery`: keeps some of the recorded frames in the bundle, for reviewers to compare theirs with. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MANIFEST_FILE, readBundle, sha256 } from "../../bundle/bundle.ts";
import { readEvidence } from "../../bundle/evidence.ts";
import { GALLERY_FILE, galleryFrameBytes, writeGallery } from "../../bundle/gallery.ts";
import { frameSpecOf } from "../../bundle/manifest.ts";
import { chooseGallery } from "../../core/envelope/gallery.ts";
import { writeFileAtomically } from "../../schema/atomic-file.ts";
import { formatJson } from "../../schema/format-json.ts";
import { openFrames } from "../frames.ts";
import { Refusal, refuse, type Terminal } from "../terminal.ts";

export interface GalleryOptions {
  readonly frames: string;
  readonly kilobytes: string;
  readonly json?: boolean;
}

const KILOBYTES_MAX = 16_000;

export async function gallery(dir: string, options: GalleryOptions, terminal: Terminal): Promise<void> {
  const kilobytes = Number(options.kilobytes);
  if (!(kilobytes > 0 && kilobytes <= KILOBYTES_MAX))
    throw new Refusal(`--kilobytes: expected a number up to ${KILOBYTES_MAX}, found "${options.kilobytes}"`);
  const read = readBundle(dir, ["envelope", "evidence"]);
  if (!read.ok) return refuse(read.problems);
  const { manifest, envelope } = read.bundle;
  if (envelope === undefined || manifest.evidence === undefined) {
    throw new Refusal(
      `${dir}: has no envelope or no evidence; run \`sekisho record\` and \`sekisho certify\` first`,
    );
  }
  const { evidence, description } = readEvidence(join(dir, manifest.evidence.file));
  const frames = await openFrames(options.frames, manifest, terminal);
  if (frames.sha256 !== description.framesSha256) {
    throw new Refusal(
      `${options.frames}: expected the frames that the evidence was recorded of (SHA-256 ${description.framesSha256}), found others (${frames.sha256})`,
    );
  }
  const { fitted } = envelope;
  const spec = frameSpecOf(manifest.frame);
  const { outputs } = fitted.projection;
  const room = Math.floor((1000 * kilobytes) / galleryFrameBytes(spec, outputs));
  const perClass = Math.floor(room / fitted.classes.length);
  if (perClass === 0)
    throw new Refusal(`--kilobytes: ${kilobytes} holds not one frame of each class; allow more`);
  const chosen = chooseGallery(evidence, fitted, perClass);
  const values = new Map<number, Float32Array>();
  for (const { row } of chosen) {
    await frames.load(row, 1);
    values.set(row, frames.values(row).slice());
  }
  const path = join(dir, GALLERY_FILE);
  writeGallery(path, spec, outputs, chosen, (row) => values.get(row)!);
  const bytes = readFileSync(path);
  const bound = { ...manifest, gallery: { file: GALLERY_FILE, sha256: sha256(bytes) } };
  writeFileAtomically(join(dir, MANIFEST_FILE), formatJson(bound));
  const summary = { gallery: path, frames: chosen.length, bytes: bytes.length };
  if (options.json) return terminal.out(formatJson(summary));
  terminal.out(
    `${path}: ${chosen.length} recorded frames, ${bytes.length} bytes; bundle.json is another now, sign it again where signatures are demanded\n`,
  );
}
