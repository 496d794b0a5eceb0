/** `sekisho bundle`: `new` makes one from an ONNX file; `gallery`, `sign` and `verify` are files of their own. */

import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { MANIFEST_FILE, sha256 } from "../bundle/bundle.ts";
import { frameSpecOf, type Manifest } from "../bundle/manifest.ts";
import { runGolden } from "../engine/golden-frames.ts";
import { inspectModel, type ModelValue, type ModelValues } from "../engine/student.ts";
import { writeFileAtomically } from "../schema/atomic-file.ts";
import { formatJson } from "../schema/format-json.ts";
import { type GalleryOptions, gallery } from "./bundle/gallery.ts";
import { type SignOptions, sign } from "./bundle/sign.ts";
import { type VerifyOptions, verify } from "./bundle/verify.ts";
import { fileOf, number, numbers, pairs } from "./bundle-options.ts";
import { studentSpec } from "./models.ts";
import type { Surroundings } from "./run.ts";
import { Refusal, type Terminal } from "./terminal.ts";

interface NewOptions {
  readonly student: string;
  readonly teacher?: string;
  readonly classes?: string;
  readonly name?: string;
  readonly bundleVersion: string;
  readonly scale?: string;
  readonly mean: string;
  readonly std: string;
  readonly provenance?: readonly string[];
  readonly licence?: readonly string[];
  readonly json?: boolean;
}

const GOLDEN_SEEDS = [1, 2, 3];

export function registerBundle(program: Command, terminal: Terminal, { environment }: Surroundings): void {
  const bundle = program.command("bundle").description("make, sign and verify bundles");
  bundle
    .command("new <dir>")
    .description("write bundle.json from the ONNX file itself")
    .requiredOption("--student <file>", "the student, an ONNX file with logits and, where it can, features")
    .option("--teacher <file>", "the teacher, an ONNX file with the same input")
    .option("--classes <a,b,c>", "names of the classes, in the order of the logits")
    .option("--name <name>", "name of the bundle; the folder's where left out")
    .option("--bundle-version <version>", "version of the bundle", "1.0.0")
    .option(
      "--scale <number>",
      "factor on every number of a frame; 1/255 for images, 1 for tensors where left out",
    )
    .option("--mean <a,b,c>", "subtracted after scaling, one number or one for each channel", "0")
    .option("--std <a,b,c>", "divided by after that", "1")
    .option("--provenance <key=value...>", "where the models come from, kept in bundle.json")
    .option("--licence <of=licence...>", "licences of models and frames, kept in bundle.json")
    .option("--json", "print one JSON document")
    .action((dir: string, options: NewOptions) => newBundle(dir, options, terminal));
  bundle
    .command("verify <dir>")
    .description("check every file against its digest, and the student against its golden frames")
    .option("--config <file>", "also who has signed it, by the keys that this configuration trusts")
    .option("--json", "print one JSON document")
    .action((dir: string, options: VerifyOptions) => verify(dir, options, terminal, environment));
  bundle
    .command("sign <dir>")
    .description("answer for a bundle as it is: writes bundle.sig.json beside bundle.json")
    .requiredOption("--key <file>", "the private key, as `sekisho keys new` has made it")
    .option("--json", "print one JSON document")
    .action((dir: string, options: SignOptions) => sign(dir, options, terminal));
  bundle
    .command("gallery <dir>")
    .description("keep some of the recorded frames in the bundle, for reviewers to compare theirs with")
    .requiredOption("--frames <path>", "the frames that the evidence was recorded of")
    .option("--kilobytes <n>", "what the frames may take", "350")
    .option("--json", "print one JSON document")
    .action((dir: string, options: GalleryOptions) => gallery(dir, options, terminal));
}

async function newBundle(dir: string, options: NewOptions, terminal: Terminal): Promise<void> {
  if (existsSync(join(dir, MANIFEST_FILE))) {
    throw new Refusal(
      `${join(dir, MANIFEST_FILE)} exists; a bundle is made once: choose another folder or delete it`,
    );
  }
  const bytes = fileOf("--student", options.student);
  const refused = (error: Error): never => {
    throw new Refusal(`${options.student}: ${error.message}`);
  };
  const values = await inspectModel(bytes).catch(refused);
  const manifest = manifestOf(dir, options, bytes, values);
  const { frame, preprocessing } = manifest;
  const golden = await runGolden(
    bytes,
    studentSpec(manifest),
    frameSpecOf(frame),
    preprocessing,
    GOLDEN_SEEDS.map((seed) => ({ seed })),
  ).catch(refused);
  mkdirSync(dir, { recursive: true });
  put(options.student, dir);
  if (options.teacher !== undefined) put(options.teacher, dir);
  const complete: Manifest = { ...manifest, golden: golden as Manifest["golden"] };
  writeFileAtomically(join(dir, MANIFEST_FILE), formatJson(complete));
  if (options.json) return terminal.out(formatJson(complete));
  terminal.out(
    `${join(dir, MANIFEST_FILE)}: ${manifest.classes.length} classes, frames ${frame.kind} ${frame.type} [${frame.shape}]\n` +
      `preprocessing: ${inWords(preprocessing)}; if the student was trained otherwise, say so with --scale, --mean and --std\n` +
      `next: sekisho record ${dir} --frames frames.npz --teacher teacher.onnx\n`,
  );
}

function inWords({ scale, mean, std }: Manifest["preprocessing"]): string {
  return `scale ${scale === 1 / 255 ? "1/255" : scale}, mean ${mean}, std ${std}`;
}

function manifestOf(dir: string, options: NewOptions, bytes: Buffer, values: ModelValues): Manifest {
  const { input, logits, features, doubt } = roles(values, options.student);
  const count = sideOf(logits, 1, options.student);
  const classes =
    options.classes?.split(",").map((name) => name.trim()) ??
    Array.from({ length: count }, (_, c) => `class-${c}`);
  if (classes.length !== count) {
    throw new Refusal(
      `--classes names ${classes.length} classes, ${options.student} gives ${count} logits; name as many classes as there are logits`,
    );
  }
  const inputShape = input.shape.slice(1).map((_, i) => sideOf(input, i + 1, options.student));
  const { frame, layout } = frameOf(inputShape);
  const scale =
    options.scale === undefined ? (frame.kind === "image" ? 1 / 255 : 1) : number("--scale", options.scale);
  return {
    schema: "sekisho.bundle/1",
    name: options.name ?? basename(resolve(dir)),
    version: options.bundleVersion,
    classes,
    frame,
    preprocessing: {
      resize: "none",
      layout,
      scale,
      mean: numbers("--mean", options.mean),
      std: numbers("--std", options.std),
    },
    student: {
      file: basename(options.student),
      sha256: sha256(bytes),
      input: input.name,
      inputShape,
      logits: logits.name,
      features: features?.name ?? null,
      featureCount: features === undefined ? 0 : sideOf(features, 1, options.student),
      ...(doubt !== undefined && { doubt: doubt.name, doubtCount: sideOf(doubt, 1, options.student) }),
    },
    ...(options.teacher !== undefined && {
      teacher: teacherOf(options.teacher, input.name, logits.name, inputShape),
    }),
    golden: [],
    provenance: Object.fromEntries(pairs("--provenance", options.provenance)),
    licences: pairs("--licence", options.licence).map(([of, licence]) => ({ of, licence })),
  };
}

function teacherOf(
  file: string,
  input: string,
  logits: string,
  inputShape: number[],
): NonNullable<Manifest["teacher"]> {
  return { file: basename(file), sha256: sha256(fileOf("--teacher", file)), input, inputShape, logits };
}

/** Which output is which: by name, or the only one there is. */
function roles(
  { inputs, outputs }: ModelValues,
  file: string,
): {
  input: ModelValue;
  logits: ModelValue;
  features: ModelValue | undefined;
  doubt: ModelValue | undefined;
} {
  const [input] = inputs;
  const logits =
    outputs.find((output) => output.name === "logits") ?? (outputs.length === 1 ? outputs[0] : undefined);
  if (input === undefined || logits === undefined) {
    const names = outputs.map((output) => `"${output.name}"`).join(", ");
    throw new Refusal(
      `${file}: expected an output "logits", found ${names || "none"}; name it so when exporting`,
    );
  }
  const rowsNamed = (name: string) =>
    outputs.find((output) => output.name === name && output.shape.length === 2);
  return { input, logits, features: rowsNamed("features"), doubt: rowsNamed("doubt") };
}

function sideOf(value: ModelValue, axis: number, file: string): number {
  const side = value.shape[axis];
  if (typeof side === "number" && side > 0) return side;
  throw new Refusal(
    `${file}: axis ${axis} of "${value.name}" has no fixed size; export it with only the batch axis free`,
  );
}

/** Three axes with 1 or 3 channels first or last are an image; anything else is a tensor of float32. */
function frameOf(shape: readonly number[]): {
  frame: Manifest["frame"];
  layout: Manifest["preprocessing"]["layout"];
} {
  const isChannels = (side: number | undefined): boolean => side === 1 || side === 3;
  const [a, b, c] = shape;
  if (shape.length === 3 && isChannels(a)) {
    return { frame: { kind: "image", type: "u8", shape: [b!, c!, a!] }, layout: "CHW" };
  }
  if (shape.length === 3 && isChannels(c)) {
    return { frame: { kind: "image", type: "u8", shape: [a!, b!, c!] }, layout: "HWC" };
  }
  return { frame: { kind: "tensor", type: "f32", shape: [...shape] }, layout: "flat" };
}

function put(file: string, dir: string): void {
  const target = join(dir, basename(file));
  if (resolve(file) !== resolve(target)) copyFileSync(file, target);
}
