/** Frames named on the command line: an .npz, or a folder of images that is decoded as live frames are. */

import { statSync } from "node:fs";
import { type CalibrationFrames, readFrames } from "../bundle/frames.ts";
import { type DecodeImage, readImageFolder } from "../bundle/image-folder.ts";
import { frameSpecOf, type Manifest } from "../bundle/manifest.ts";
import type { FrameSpec, RejectReason } from "../core/frame.ts";
import { decode } from "../engine/decode.ts";
import { readImageHeader } from "../engine/image-header.ts";
import { showProgress, type Terminal } from "./terminal.ts";

export async function openFrames(
  path: string,
  manifest: Manifest,
  terminal: Terminal,
): Promise<CalibrationFrames> {
  const spec = frameSpecOf(manifest.frame);
  if (!isFolder(path)) return readFrames(path, spec, manifest.classes);
  let progress: ReturnType<typeof showProgress> | undefined;
  const frames = await readImageFolder(
    path,
    spec,
    manifest.classes,
    imageDecoder(spec, manifest.preprocessing),
    (done, total) => {
      progress ??= showProgress(terminal, "reading images", total, Date.now);
      progress.at(done);
    },
  );
  progress?.end();
  return frames;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The engine's own decoder, so that the same bytes give the same numbers as on the line. */
function imageDecoder(spec: FrameSpec, preprocessing: Manifest["preprocessing"]): DecodeImage {
  return async (payload) => {
    const encoding = readImageHeader(payload, "png") === undefined ? "jpeg" : "png";
    const decoded = await decode({ encoding, payload }, spec, preprocessing);
    if (decoded.kind === "values") return { values: decoded.values };
    const header = readImageHeader(payload, encoding);
    return { problem: inWords(decoded.reason, header, spec) };
  };
}

function inWords(reason: RejectReason, header: ReturnType<typeof readImageHeader>, spec: FrameSpec): string {
  if (header === undefined)
    return "expected a PNG or JPEG image, found other bytes; move it out of the folder";
  const size = `${header.width} x ${header.height} pixels`;
  if (reason === "wrong-shape" && spec.kind === "image") {
    return `has ${size}, the bundle's frames ${spec.width} x ${spec.height}; give images as the sensor sends them, or set preprocessing.resize to "fill"`;
  }
  return `an image of ${size} that cannot be decoded (${reason}): it is damaged or too large`;
}
