/** Frames of which the plant knows what they show, to be put among the audits: from an .npz with labels, or a folder. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { frameSpecOf } from "../bundle/manifest.ts";
import { NpzError, readNpz } from "../bundle/npz.ts";
import type { KnownFrame, KnownFrames } from "../core/audit.ts";
import { type FrameSpec, frameLength } from "../core/frame.ts";
import { CONTENT_TYPE_OF } from "../gateway/station.ts";
import type { StationSetup } from "./station-setup.ts";
import { Refusal } from "./terminal.ts";

/** They are kept in memory while the gateway runs. */
const BYTES_MAX = 64 * 2 ** 20;
const IMAGES: Readonly<Record<string, string>> = {
  ".png": CONTENT_TYPE_OF.png,
  ".jpg": CONTENT_TYPE_OF.jpeg,
  ".jpeg": CONTENT_TYPE_OF.jpeg,
};

/**
 * The known frames of a station; undefined where its configuration names none.
 * @throws Refusal that names what was expected and found
 */
export async function readKnownFrames({
  name,
  config,
  bundle,
  envelope,
}: StationSetup): Promise<KnownFrames | undefined> {
  if (config.knownFrames === undefined) return undefined;
  const { from, perAudit } = config.knownFrames;
  const refuse = (problem: string): never => {
    throw new Refusal(`stations.${name}.knownFrames.from: ${from}: ${problem}`);
  };
  const { classes } = envelope.fitted;
  const frames: readonly KnownFrame[] = await (from.endsWith(".npz")
    ? inArrays(from, frameSpecOf(bundle.manifest.frame), classes, refuse)
    : inFolder(from, classes, refuse));
  if (frames.length === 0) refuse("expected frames with labels, found none");
  const bytes = frames.reduce((sum, { payload }) => sum + payload.length, 0);
  if (bytes > BYTES_MAX) refuse(`expected at most ${BYTES_MAX} bytes of frames, found ${bytes}; give fewer`);
  const allowed = new Set<string>(config.frames.encodings.map((encoding) => CONTENT_TYPE_OF[encoding]));
  const foreign = frames.find(({ contentType }) => !allowed.has(contentType));
  if (foreign !== undefined) {
    refuse(
      `expected frames as the station's sensors send them (${[...allowed].join(", ")}), found ${foreign.contentType}: reviewers would tell them apart`,
    );
  }
  return { perAudit, frames };
}

async function inArrays(
  file: string,
  spec: FrameSpec,
  classes: readonly string[],
  refuse: (problem: string) => never,
): Promise<readonly KnownFrame[]> {
  const arrays = await readNpz(file, file).catch((error: Error) => {
    throw error instanceof NpzError ? new Refusal(error.message) : error;
  });
  const [frames, labels] = [arrays.get("frames"), arrays.get("labels")];
  if (frames === undefined || labels === undefined)
    return refuse(`expected arrays frames and labels, found ${[...arrays.keys()].join(", ") || "none"}`);
  const type = spec.kind === "image" ? "u8" : spec.type;
  const { values } = frames;
  const isOfType = values instanceof { u8: Uint8Array, i16: Int16Array, f32: Float32Array }[type];
  const [count = 0] = frames.shape;
  const length = frameLength(spec);
  if (!isOfType || values.length !== count * length || labels.shape[0] !== count)
    return refuse(
      `expected frames of ${length} numbers of type ${type}, a label each, found ${frames.shape}`,
    );
  return Array.from({ length: count }, (_, i) => {
    const label = classes[Number(labels.values[i])];
    if (label === undefined)
      return refuse(
        `frame ${i}: expected a label from 0 to ${classes.length - 1}, found ${labels.values[i]}`,
      );
    const row = values.slice(i * length, (i + 1) * length);
    return { label, contentType: CONTENT_TYPE_OF.raw, payload: new Uint8Array(row.buffer) };
  });
}

function inFolder(
  folder: string,
  classes: readonly string[],
  refuse: (problem: string) => never,
): readonly KnownFrame[] {
  const visible = (path: string): string[] => readdirSync(path).filter((name) => !name.startsWith("."));
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    return refuse("expected an .npz, or a folder of images, one folder a class");
  return visible(folder).flatMap((label) => {
    if (!classes.includes(label))
      return refuse(`${label}: the bundle has no such class; it has ${classes.join(", ")}`);
    return visible(join(folder, label)).map((file): KnownFrame => {
      const contentType = IMAGES[extname(file).toLowerCase()];
      if (contentType === undefined) return refuse(`${label}/${file}: expected a .png or .jpg`);
      return { label, contentType, payload: readFileSync(join(folder, label, file)) };
    });
  });
}
