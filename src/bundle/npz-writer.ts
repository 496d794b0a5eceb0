/** Writes an .npz as numpy.savez does, a stored zip of .npy files, row by row: its frames need not fit in memory. */

import { crc32 } from "node:zlib";
import { type GrowingFile, openGrowingFile } from "../schema/growing-file.ts";
import { NpzError } from "./npz.ts";

/** Element types that are written, as .npy files name them. */
export type NpyType = "|u1" | "<i2" | "<f4" | "<i8";

export interface NpzWriter {
  /** Begins an array whose first axis grows with `append`; it goes on until the next array begins. */
  array(name: string, type: NpyType, rowShape: readonly number[]): void;
  /** The next rows of the array that was begun last, little-endian. */
  append(rows: Uint8Array): void;
  /** A whole array of text. */
  texts(name: string, texts: readonly string[]): void;
  /** Puts the file in its place. */
  finish(): void;
  /** Leaves nothing behind; does nothing after `finish`. */
  abandon(): void;
}

/** Sizes and places in a zip of this kind; one more would need its 64-bit form. */
const ZIP_BYTES_MAX = 0xffffffff;
/** Room for a header, whatever the number of rows turns out to be; a multiple of 64, as numpy aligns it. */
const HEADER_BYTES = 256;
const READ_BYTES = 1024 * 1024;

interface Entry {
  readonly file: Buffer;
  readonly at: number;
  readonly type: string;
  readonly rowShape: readonly number[];
  readonly rowBytes: number;
  crc: number;
  bytes: number;
}

/** @throws NpzError if it would be larger than a plain zip can be */
export function openNpzWriter(path: string): NpzWriter {
  const file = openGrowingFile(path);
  const entries: Entry[] = [];
  let open: Entry | undefined;

  function begin(name: string, type: string, elementBytes: number, rowShape: readonly number[]): void {
    end();
    const entry: Entry = {
      file: Buffer.from(`${name}.npy`),
      at: file.bytes(),
      rowBytes: rowShape.reduce((product, side) => product * side, elementBytes),
      ...{ type, rowShape, crc: 0, bytes: 0 },
    };
    file.append(Buffer.concat([localHead(entry), entry.file]));
    // Overwritten when the number of rows is known.
    file.append(Buffer.alloc(HEADER_BYTES));
    open = entry;
  }

  function end(): void {
    if (open === undefined) return;
    const entry = open;
    open = undefined;
    const start = entry.at + localHead(entry).length + entry.file.length;
    entry.bytes = file.bytes() - start;
    if (file.bytes() > ZIP_BYTES_MAX) {
      throw new NpzError(`${path}: would be larger than 4 GiB; write fewer frames into one file`);
    }
    const rows = (entry.bytes - HEADER_BYTES) / entry.rowBytes;
    if (!Number.isInteger(rows)) throw new RangeError(`${entry.file}: ends within a row`);
    file.overwrite(start, header(entry.type, [rows, ...entry.rowShape]));
    entry.crc = crcOf(file, start, entry.bytes);
    file.overwrite(entry.at, localHead(entry));
    entries.push(entry);
  }

  const elementBytes = { "|u1": 1, "<i2": 2, "<f4": 4, "<i8": 8 } as const;
  return {
    array: (name, type, rowShape) => begin(name, type, elementBytes[type], rowShape),
    append: (rows) => file.append(rows),
    texts(name, texts) {
      const characters = texts.map((text) => Array.from(text, (one) => one.codePointAt(0)!));
      const width = Math.max(1, ...characters.map(({ length }) => length));
      begin(name, `<U${width}`, 4 * width, []);
      const row = new Uint32Array(width);
      for (const points of characters) {
        row.fill(0);
        row.set(points);
        file.append(new Uint8Array(row.buffer));
      }
    },
    finish() {
      end();
      const directory = file.bytes();
      for (const entry of entries) file.append(centralHead(entry));
      file.append(endOfZip(entries.length, directory, file.bytes() - directory));
      file.commit();
    },
    abandon: file.abandon,
  };
}

/** @see numpy.lib.format, version 1.0 */
function header(type: string, shape: readonly number[]): Buffer {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sides}), }`;
  const start = Buffer.alloc(10);
  start.write("\x93NUMPY\x01\x00", "latin1");
  start.writeUInt16LE(HEADER_BYTES - start.length, 8);
  return Buffer.concat([start, Buffer.from(`${text.padEnd(HEADER_BYTES - start.length - 1)}\n`)]);
}

function crcOf(file: GrowingFile, start: number, bytes: number): number {
  const chunk = new Uint8Array(READ_BYTES);
  let crc = 0;
  for (let done = 0; done < bytes; ) {
    const length = file.read(start + done, chunk.subarray(0, Math.min(READ_BYTES, bytes - done)));
    crc = crc32(chunk.subarray(0, length), crc);
    done += length;
  }
  return crc;
}

/** What local and central heads have in common: stored, made at the zip's own zero of time, so that bytes repeat. */
function common({ crc, bytes, file }: Entry): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(0x21, 8);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(bytes, 14);
  fields.writeUInt32LE(bytes, 18);
  fields.writeUInt16LE(file.length, 22);
  return fields;
}

function localHead(entry: Entry): Buffer {
  return Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common(entry)]);
}

function centralHead(entry: Entry): Buffer {
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(entry.at, 10);
  return Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common(entry), rest, entry.file]);
}

function endOfZip(count: number, directory: number, bytes: number): Buffer {
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(bytes, 12);
  end.writeUInt32LE(directory, 16);
  return end;
}
