/** Reads the arrays of an .npz file: a zip of .npy files, as `numpy.savez` and `savez_compressed` write them. */

import { promisify } from "node:util";
import { type Entry, fromBuffer, open as openZip, type ZipFile } from "yauzl";

export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: NpyValues;
}

export type NpyValues =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  /** Text, as numpy's fixed-width arrays of Unicode hold it. */
  | readonly string[];

/** A file that is no .npz, or an array in it that cannot be taken. */
export class NpzError extends Error {
  override readonly name = "NpzError";
}

const READERS: Readonly<Record<string, new (buffer: ArrayBuffer) => Exclude<NpyValues, readonly string[]>>> =
  {
    "|u1": Uint8Array,
    "|b1": Uint8Array,
    "|i1": Int8Array,
    "<i2": Int16Array,
    "<u2": Uint16Array,
    "<i4": Int32Array,
    "<u4": Uint32Array,
    "<i8": BigInt64Array,
    "<f4": Float32Array,
    "<f8": Float64Array,
  };

const openFile = promisify(
  openZip as (path: string, options: object, done: (e: Error | null, z: ZipFile) => void) => void,
);
const openBuffer = promisify(
  fromBuffer as (bytes: Buffer, options: object, done: (e: Error | null, z: ZipFile) => void) => void,
);

/**
 * Reads all arrays of an .npz.
 * @param source a path, or the file's bytes
 * @param name named in errors
 * @throws NpzError that says what was expected and found
 */
export async function readNpz(source: string | Buffer, name: string): Promise<ReadonlyMap<string, NpyArray>> {
  const arrays = new Map<string, NpyArray>();
  let zip: ZipFile;
  try {
    const options = { lazyEntries: true };
    zip = typeof source === "string" ? await openFile(source, options) : await openBuffer(source, options);
  } catch (error) {
    throw new NpzError(
      `${name}: expected an .npz file as numpy.savez(file, frames=...) writes it: ${(error as Error).message}`,
    );
  }
  try {
    for await (const entry of entriesOf(zip)) {
      if (!entry.fileName.endsWith(".npy")) continue;
      const array = entry.fileName.slice(0, -".npy".length);
      arrays.set(array, parseNpy(await contentOf(zip, entry), `${name}, array "${array}"`));
    }
  } catch (error) {
    if (error instanceof NpzError) throw error;
    throw new NpzError(`${name}: the file is damaged: ${(error as Error).message}`);
  } finally {
    zip.close();
  }
  return arrays;
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      const settle = (value: Entry | undefined): void => {
        zip.removeAllListeners();
        resolve(value);
      };
      zip.once("entry", settle);
      zip.once("end", () => settle(undefined));
      zip.once("error", reject);
      zip.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}

async function contentOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened!)));
  });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * Parses one .npy file.
 * @see numpy.lib.format, versions 1.0 to 3.0
 */
export function parseNpy(bytes: Buffer, name: string): NpyArray {
  if (bytes.length < 12 || bytes.toString("latin1", 0, 6) !== "\x93NUMPY") {
    throw new NpzError(`${name}: expected a .npy array, found other bytes`);
  }
  const isShort = bytes[6] === 1;
  const start = isShort ? 10 : 12;
  const end = start + (isShort ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.toString("latin1", start, end);
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "(a structured type)";
  const sides = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (sides === undefined) throw new NpzError(`${name}: its header names no shape`);
  if (/'fortran_order':\s*True/.test(header)) {
    throw new NpzError(`${name}: is in Fortran order; save it with numpy.ascontiguousarray`);
  }
  const Reader = READERS[type];
  const characters = Number(/^<U(\d+)$/.exec(type)?.[1] ?? 0);
  if (Reader === undefined && characters === 0) {
    throw new NpzError(
      `${name}: type ${type} is not taken; expected one of ${Object.keys(READERS).join(" ")}, or text <U`,
    );
  }
  const shape = sides
    .split(",")
    .map((s) => s.trim())
    .filter((s) => s !== "")
    .map(Number);
  const content = new Uint8Array(bytes.subarray(end)).buffer;
  const width = characters > 0 ? 4 * characters : { "1": 1, "2": 2, "4": 4, "8": 8 }[type.slice(-1)]!;
  const expected = shape.reduce((a, b) => a * b, width);
  if (content.byteLength !== expected) {
    throw new NpzError(
      `${name}: expected ${expected} bytes for shape (${shape}), found ${content.byteLength}`,
    );
  }
  return { shape, values: Reader === undefined ? textsOf(content, characters, name) : new Reader(content) };
}

/** UTF-32, each text padded with zeros. */
function textsOf(content: ArrayBuffer, characters: number, name: string): readonly string[] {
  const points = new Uint32Array(content);
  return Array.from({ length: points.length / characters }, (_, i) => {
    const padded = points.subarray(i * characters, (i + 1) * characters);
    const text = padded.subarray(0, 1 + padded.findLastIndex((point) => point !== 0));
    if (text.some((point) => point > 0x10ffff)) throw new NpzError(`${name}: [${i}] is no text`);
    return String.fromCodePoint(...text);
  });
}
