/** Golden frames against a student: made when a bundle is, and reproduced before any engine serves. */

import type { FrameSpec, Preprocessing } from "../core/frame.ts";
import { type GoldenFrame, goldenPayload } from "../core/golden.ts";
import { decode } from "./decode.ts";
import { checkTensorShape, createPreprocessor, type Preprocessor } from "./preprocess.ts";
import { type ModelSpec, openStudent, type Student } from "./student.ts";

/** A student with the preprocessing of its frames. */
export interface FramedStudent {
  readonly student: Student;
  readonly spec: FrameSpec;
  readonly preprocessing: Preprocessing;
  readonly preprocessor: Preprocessor;
}

/** Rows of the batch in which a bundle's golden frames are proved outside an engine. */
const PROOF_BATCH_ROWS = 16;

/**
 * Opens a student for frames of this spec; whoever opens it releases it.
 * @throws Error that says what was expected, found, and what to do
 */
export async function openFramedStudent(
  bytes: Uint8Array,
  model: ModelSpec,
  spec: FrameSpec,
  preprocessing: Preprocessing,
): Promise<FramedStudent> {
  const preprocessor = createPreprocessor(spec, preprocessing);
  checkTensorShape(preprocessor.tensorShape, preprocessing.layout, model.inputShape);
  return { student: await openStudent(bytes, model), spec, preprocessing, preprocessor };
}

/**
 * Golden frames for a bundle: what its student gives for these frames, each run by itself.
 * @throws Error if the bytes are no such student, or a frame is none of this spec
 */
export async function runGolden(
  bytes: Uint8Array,
  model: ModelSpec,
  spec: FrameSpec,
  preprocessing: Preprocessing,
  frames: readonly GoldenFrame["frame"][],
): Promise<GoldenFrame[]> {
  const framed = await openFramedStudent(bytes, model, spec, preprocessing);
  try {
    const golden: GoldenFrame[] = [];
    for (const [index, frame] of frames.entries()) {
      const row = await goldenRow(framed, frame, index);
      const { logits } = await framed.student.run(row, 1);
      golden.push({ frame, logits: [...logits] });
    }
    return golden;
  } finally {
    await framed.student.release();
  }
}

/**
 * Opens a student and proves it on a bundle's golden frames.
 * @throws Error that names the first frame that comes out different, with expected and found logits
 */
export async function proveStudent(
  bytes: Uint8Array,
  model: ModelSpec,
  spec: FrameSpec,
  preprocessing: Preprocessing,
  golden: readonly GoldenFrame[],
): Promise<void> {
  const framed = await openFramedStudent(bytes, model, spec, preprocessing);
  try {
    await reproduceGolden(framed, golden, PROOF_BATCH_ROWS);
  } finally {
    await framed.student.release();
  }
}

/**
 * Runs the golden frames singly and in batches of `batchRows`: a student must not mix the rows of a batch.
 * @throws Error that names the first frame that comes out different, with expected and found logits
 */
export async function reproduceGolden(
  framed: FramedStudent,
  golden: readonly GoldenFrame[],
  batchRows: number,
): Promise<void> {
  const { student, preprocessor } = framed;
  const { classes } = student.spec;
  const rows: Float32Array[] = [];
  for (const [index, { frame }] of golden.entries()) rows.push(await goldenRow(framed, frame, index));
  for (const count of new Set([1, batchRows])) {
    const tensor = new Float32Array(count * preprocessor.length);
    for (let start = 0; start < golden.length; start += count) {
      // The last batch is filled up with frames from the front.
      const indexOf = (row: number): number => (start + row) % golden.length;
      for (let row = 0; row < count; row++) tensor.set(rows[indexOf(row)]!, row * preprocessor.length);
      const { logits } = await student.run(tensor, count);
      for (let row = 0; row < count; row++) {
        const found = logits.subarray(row * classes, (row + 1) * classes);
        checkLogits(golden[indexOf(row)]!, indexOf(row), found, count);
      }
    }
  }
}

/** One golden frame, on the way that raw frames take. */
async function goldenRow(
  { spec, preprocessing, preprocessor }: FramedStudent,
  frame: GoldenFrame["frame"],
  index: number,
): Promise<Float32Array> {
  const decoded = await decode({ encoding: "raw", payload: goldenPayload(spec, frame) }, spec, preprocessing);
  if (decoded.kind === "reject") {
    throw new Error(
      `golden frame ${index} can't be judged (${decoded.reason}): record the golden frames again`,
    );
  }
  const row = new Float32Array(preprocessor.length);
  preprocessor.write(decoded.values, row, 0);
  return row;
}

function checkLogits(
  { logits: expected }: GoldenFrame,
  index: number,
  found: Float32Array,
  count: number,
): void {
  // Test the positive, so that NaN fails.
  const same =
    expected.length === found.length &&
    expected.every((logit, c) => Math.abs(found[c]! - logit) <= 1e-3 * (1 + Math.abs(logit)));
  if (same) return;
  throw new Error(
    `golden frame ${index} comes out different in a batch of ${count}: expected logits ${listed(expected)}, ` +
      `found ${listed(found)}: the student or the preprocessing is not what the bundle was made with; ` +
      "put the right student back, or make the bundle again",
  );
}

const LOGITS_LISTED = 12;

function listed(logits: ArrayLike<number>): string {
  const shown = Array.from({ length: Math.min(logits.length, LOGITS_LISTED) }, (_, c) =>
    logits[c]!.toPrecision(5),
  );
  const rest = logits.length > shown.length ? `, ... ${logits.length} in all` : "";
  return `[${shown.join(", ")}${rest}]`;
}
