/** The student: a small model in ONNX Runtime, on one thread of the CPU, with its inputs and outputs checked. */

import "./no-telemetry.ts";
import { env, InferenceSession, Tensor } from "onnxruntime-node";
import { scanExternalData } from "./external-data.ts";

/** Which of a model's inputs and outputs are used, and their sizes. */
export interface ModelSpec {
  readonly input: string;
  readonly logits: string;
  /** Null where the student exports none. */
  readonly features: string | null;
  /** K */
  readonly classes: number;
  /** F; 0 where the student exports no features. */
  readonly featureCount: number;
  /** Null where the student exports none. */
  readonly doubt: string | null;
  /** D; 0 where the student exports no doubt. */
  readonly doubtCount: number;
  /** Without the batch axis. */
  readonly inputShape: readonly number[];
}

export interface StudentOutput {
  /** [count, K] row-major. */
  readonly logits: Float32Array;
  /** [count, F] row-major. */
  readonly features: Float32Array | undefined;
  /** [count, D] row-major: the student's own signs of being unsure. */
  readonly doubt: Float32Array | undefined;
}

/** One input or output as the ONNX file declares it. */
export interface ModelValue {
  readonly name: string;
  /** Element type ("float32", ...), or "other" for what is no tensor. */
  readonly type: string;
  /** Sizes; a name (perhaps empty) where the size is free, as the batch axis must be. */
  readonly shape: readonly (number | string)[];
}

export interface ModelValues {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
}

/** Version of the ONNX Runtime in use, for the record of what made a bundle or its evidence. */
export const onnxruntimeVersion: string = env.versions.node ?? env.versions.common;

const SESSION: InferenceSession.SessionOptions = {
  executionProviders: ["cpu"],
  graphOptimizationLevel: "all",
  executionMode: "sequential",
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // A plan of memory for each batch size that has come, 128 of them: 6 MB, and no time saved.
  enableMemPattern: false,
  logSeverityLevel: 3,
  extra: {
    "session.intra_op.allow_spinning": "0",
    "session.inter_op.allow_spinning": "0",
  },
};

/**
 * Opens a student.
 * @param bytes the ONNX file
 * @throws Error if the bytes are no self-contained ONNX model, or not one with these inputs and outputs
 */
export async function openStudent(bytes: Uint8Array, spec: ModelSpec): Promise<Student> {
  const session = await openSession(bytes);
  try {
    checkValues(valuesOf(session), spec);
  } catch (error) {
    await session.release();
    throw error;
  }
  return new Student(session, spec);
}

/**
 * Inputs and outputs of an ONNX file.
 * @throws Error if the bytes are no self-contained ONNX model
 */
export async function inspectModel(bytes: Uint8Array): Promise<ModelValues> {
  const session = await openSession(bytes);
  try {
    return valuesOf(session);
  } finally {
    await session.release();
  }
}

export class Student {
  readonly spec: ModelSpec;
  /** Numbers in one row of the input tensor. */
  readonly inputLength: number;
  private readonly session: InferenceSession;
  private readonly outputs: readonly string[];

  constructor(session: InferenceSession, spec: ModelSpec) {
    this.session = session;
    this.spec = spec;
    this.inputLength = product(spec.inputShape);
    this.outputs = [spec.logits, spec.features, spec.doubt].filter((name) => name !== null);
  }

  /**
   * Runs a batch. Not finite in gives not finite out, and no error.
   * @param tensor [count, ...inputShape] row-major; may be longer, the rest is not looked at
   * @throws Error if ONNX Runtime fails, or gives outputs of another shape or type
   */
  async run(tensor: Float32Array, count: number): Promise<StudentOutput> {
    const length = count * this.inputLength;
    if (!(count >= 1) || tensor.length < length) {
      throw new RangeError(
        `a batch of ${count} frames needs ${length} numbers, the tensor holds ${tensor.length}`,
      );
    }
    const { input, logits, features, classes, featureCount, doubt, doubtCount, inputShape } = this.spec;
    const feed = new Tensor("float32", tensor.subarray(0, length), [count, ...inputShape]);
    const results = await this.session.run({ [input]: feed }, this.outputs);
    return {
      logits: rows(logits, results[logits], count, classes),
      features: features === null ? undefined : rows(features, results[features], count, featureCount),
      doubt: doubt === null ? undefined : rows(doubt, results[doubt], count, doubtCount),
    };
  }

  /** Frees the model; call it when no run is under way. */
  async release(): Promise<void> {
    await this.session.release();
  }
}

/** @throws Error if the bytes are no self-contained ONNX model */
export async function openSession(bytes: Uint8Array): Promise<InferenceSession> {
  const scan = scanExternalData(bytes);
  if (scan.kind === "external") {
    throw new Error(
      `expected a self-contained ONNX file; tensor "${scan.tensor}" lies in "${scan.location}": ` +
        "write the model again as one file (Python: onnx.save(onnx.load(path), path))",
    );
  }
  if (scan.kind === "malformed") {
    throw new Error(
      `expected an ONNX file; found ${scan.problem} at byte ${scan.at} of ${bytes.length}: ` +
        "check that the file is whole and was not converted",
    );
  }
  // Warnings of device discovery and graph clean-up help nobody here; errors arrive as exceptions.
  env.logLevel = "error";
  try {
    return await InferenceSession.create(bytes, SESSION);
  } catch (error) {
    throw new Error(
      `expected an ONNX model that ONNX Runtime can load; it says: ${reasonOf(error)}: ` +
        "export the model again, with an opset this ONNX Runtime knows",
      { cause: error },
    );
  }
}

function valuesOf(session: InferenceSession): ModelValues {
  const described = (value: InferenceSession.ValueMetadata): ModelValue =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: value.shape }
      : { name: value.name, type: "other", shape: [] };
  return { inputs: session.inputMetadata.map(described), outputs: session.outputMetadata.map(described) };
}

function checkValues(values: ModelValues, spec: ModelSpec): void {
  checkTogether("features", spec.features, spec.featureCount);
  checkTogether("doubt", spec.doubt, spec.doubtCount);
  const input = named(values.inputs, spec.input, "input");
  const others = values.inputs.filter((value) => value.name !== spec.input);
  if (others.length > 0) {
    throw new Error(
      `expected a student with the one input "${spec.input}", found also ${quoted(others)}: ` +
        "export it with those as constants",
    );
  }
  checkShape(input, "input", spec.inputShape);
  checkOutput(named(values.outputs, spec.logits, "output"), spec.classes);
  if (spec.features !== null) checkOutput(named(values.outputs, spec.features, "output"), spec.featureCount);
  if (spec.doubt !== null) checkOutput(named(values.outputs, spec.doubt, "output"), spec.doubtCount);
}

function checkTogether(what: string, name: string | null, count: number): void {
  if ((name === null) === (count === 0)) return;
  throw new Error(
    `expected ${what} with a count, or none and 0, found ${name} and ${count}: correct bundle.json`,
  );
}

function named(values: readonly ModelValue[], name: string, kind: string): ModelValue {
  const found = values.find((value) => value.name === name);
  if (found === undefined) {
    throw new Error(
      `expected a student with an ${kind} "${name}", found ${quoted(values)}: ` +
        `name the right ${kind} in bundle.json, or export the model with this one`,
    );
  }
  if (found.type !== "float32") {
    throw new Error(
      `expected ${kind} "${name}" of float32, found ${found.type}: export the model with float32 inputs and outputs`,
    );
  }
  return found;
}

function checkShape(value: ModelValue, kind: string, shape: readonly number[]): void {
  const expected = `[batch, ${shape.join(", ")}]`;
  const found = `[${value.shape.join(", ")}]`;
  if (typeof value.shape[0] === "number") {
    throw new Error(
      `expected ${kind} "${value.name}" with a free batch axis, found ${found}: ` +
        "export the model with a dynamic first axis (torch: dynamic_axes)",
    );
  }
  const agrees =
    value.shape.length === shape.length + 1 &&
    shape.every((side, i) => typeof value.shape[i + 1] === "string" || value.shape[i + 1] === side);
  if (!agrees) {
    throw new Error(
      `expected ${kind} "${value.name}" as ${expected}, found ${found}: correct bundle.json's input`,
    );
  }
}

/** An output's declared shape may be missing or free; what is declared must be [batch, length], give or take ones. */
function checkOutput(value: ModelValue, length: number): void {
  const sides = value.shape.slice(1);
  if (sides.length === 0 || sides.some((side) => typeof side === "string")) return;
  if (product(sides as number[]) !== length) {
    throw new Error(
      `expected output "${value.name}" as [batch, ${length}], found [${value.shape.join(", ")}]: ` +
        "the bundle's classes and features must be those of this student",
    );
  }
}

/** An output's numbers, after checking that they are `count` rows of `width`. */
function rows(name: string, tensor: Tensor | undefined, count: number, width: number): Float32Array {
  if (tensor?.type !== "float32" || tensor.dims[0] !== count || tensor.size !== count * width) {
    const found = tensor === undefined ? "nothing" : `${tensor.type} [${tensor.dims.join(", ")}]`;
    throw new Error(`expected output "${name}" as float32 [${count}, ${width}], the student gave ${found}`);
  }
  return tensor.data as Float32Array;
}

function product(sides: readonly number[]): number {
  return sides.reduce((result, side) => result * side, 1);
}

function quoted(values: readonly ModelValue[]): string {
  return values.map((value) => `"${value.name}"`).join(", ") || "none";
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
