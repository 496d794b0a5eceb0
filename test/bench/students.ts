/** The bench's two students: made into certified bundles by the commands that a process engineer types. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../src/core/random.ts";
import { npy, npz } from "../support/npz.ts";
import { aBar, aTone, CLASS_NAMES } from "./frames.ts";
import { MAIN, MODELS, ROOT } from "./places.ts";

export type StudentName = "image" | "signal";

export interface BenchStudent {
  readonly name: StudentName;
  readonly title: string;
  readonly bundle: string;
  readonly thresholds: string;
  readonly studentFile: string;
  /** Frames that go round: mostly plain ones, and the share of blends that opens reviews. */
  readonly pool: readonly Uint8Array[];
}

const TITLES: Readonly<Record<StudentName, string>> = {
  image: "28x28 image CNN",
  signal: "2,048-sample 1-D CNN",
};

const RECORDED_FRAMES = 6000;
/** Of the recorded frames; the networks were trained on as many. */
const RECORDED_BLENDS = 0.1;
const POOL_FRAMES = 256;
/** A line whose parts are mostly unambiguous: a review is rare enough for people to answer. */
const POOL_BLENDS = 0.02;

/** Makes the bundle in a folder, or takes the one made there before. @throws if a command refuses */
export function aBenchStudent(name: StudentName, folder: string): BenchStudent {
  const place = join(folder, name);
  const bundle = join(place, "bundle");
  const thresholds = join(place, "thresholds.json");
  const studentFile = join(MODELS, `${name}-student.onnx`);
  const done = join(place, "done");
  const made = madeOf(studentFile);
  if (!existsSync(done) || readFileSync(done, "utf8") !== made) {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    certifiedBundle(name, { place, bundle, thresholds, studentFile });
    writeFileSync(done, made);
  }
  const pool = framesOf(name, POOL_FRAMES, POOL_BLENDS, 7).map(bytesOf);
  return { name, title: TITLES[name], bundle, thresholds, studentFile, pool };
}

/** Digest of what a bundle follows from: its student, and the code that fits and certifies. */
function madeOf(studentFile: string): string {
  const hash = createHash("sha256").update(readFileSync(studentFile));
  const code = join(ROOT, "dist", "core", "envelope");
  for (const file of readdirSync(code).sort()) {
    if (file.endsWith(".js")) hash.update(readFileSync(join(code, file)));
  }
  return hash.digest("hex");
}

function certifiedBundle(
  name: StudentName,
  paths: { readonly place: string; readonly bundle: string; thresholds: string; studentFile: string },
): void {
  const { place, bundle, thresholds, studentFile } = paths;
  const teacher = join(MODELS, `${name}-teacher.onnx`);
  const frames = join(place, "frames.npz");
  const recorded = framesOf(name, RECORDED_FRAMES, RECORDED_BLENDS, 1);
  const columns = Buffer.concat(recorded.map(bytesOf));
  const values =
    name === "image" ? columns : new Float32Array(columns.buffer, columns.byteOffset, columns.length / 4);
  const shape = name === "image" ? [RECORDED_FRAMES, 28, 28] : [RECORDED_FRAMES, 1, 2048];
  writeFileSync(frames, npz({ frames: npy(shape, values, name === "image" ? "|u1" : "<f4") }));
  sekisho("bundle", "new", bundle, "--student", studentFile, "--classes", CLASS_NAMES);
  sekisho("record", bundle, "--frames", frames, "--teacher", teacher);
  sekisho("certify", bundle, "--thresholds", thresholds, "--station", "bench");
  rmSync(frames);
}

function framesOf(
  name: StudentName,
  count: number,
  blends: number,
  seed: number,
): (Uint8Array | Float32Array)[] {
  const random = seededRandom(seed);
  const frame = name === "image" ? aBar : aTone;
  return Array.from({ length: count }, () => frame(random, random.next() < blends));
}

function bytesOf(values: Uint8Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function sekisho(...args: string[]): void {
  execFileSync(process.execPath, [MAIN, ...args], { stdio: ["ignore", "ignore", "pipe"] });
}
