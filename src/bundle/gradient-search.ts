/** What a search by gradients found elsewhere: inputs near recorded frames on which the models are to be asked. */

import { type NpyArray, NpzError, readNpz } from "./npz.ts";

/** Inputs of the student, after preprocessing, by the row of the frame that they lie around. */
export type GradientSearch = ReadonlyMap<number, readonly Float32Array[]>;

/**
 * Reads `rows` [M], row numbers in the frames file, and `inputs` [M, ...] of the student's own input shape, after
 * preprocessing. A row may come several times.
 * @throws NpzError that names the array, what was expected and found
 */
export async function readGradientSearch(
  file: string,
  inputShape: readonly number[],
  frames: number,
): Promise<GradientSearch> {
  const arrays = await readNpz(file, file);
  const wanted = (name: string): NpyArray => {
    const array = arrays.get(name);
    if (array !== undefined) return array;
    throw new NpzError(
      `${file}: expected an array "${name}", found ${[...arrays.keys()].join(", ") || "none"}`,
    );
  };
  const rows = wanted("rows");
  const inputs = wanted("inputs");
  const count = rows.shape[0] ?? 0;
  if (rows.shape.length !== 1) throw new NpzError(`${file}: "rows" has shape (${rows.shape}), expected (M)`);
  const shape = [count, ...inputShape];
  if (inputs.shape.join() !== shape.join() || !(inputs.values instanceof Float32Array)) {
    throw new NpzError(
      `${file}: "inputs" has shape (${inputs.shape}), expected float32 (${shape}), the student's input after preprocessing`,
    );
  }
  const found = new Map<number, Float32Array[]>();
  const length = inputShape.reduce((a, b) => a * b, 1);
  for (let i = 0; i < count; i++) {
    const row = Number(rows.values[i]);
    if (!(Number.isInteger(row) && row >= 0 && row < frames)) {
      throw new NpzError(`${file}: rows[${i}] is ${row}, expected a row of the frames, 0 to ${frames - 1}`);
    }
    const input = inputs.values.slice(i * length, (i + 1) * length);
    if (!input.every(Number.isFinite)) throw new NpzError(`${file}: inputs[${i}] is not finite`);
    found.set(row, [...(found.get(row) ?? []), input]);
  }
  return found;
}
