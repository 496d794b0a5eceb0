/** Writes .npz files for tests, as numpy.savez does: .npy files, stored in a zip. */

import { crc32 } from "node:zlib";

type Values = Uint8Array | Int32Array | Float32Array;

const TYPES = new Map<string, string>([
  ["Uint8Array", "|u1"],
  ["Int32Array", "<i4"],
  ["Float32Array", "<f4"],
]);

/** One .npy file, version 1.0. */
export function npy(
  shape: readonly number[],
  values: Values,
  type = TYPES.get(values.constructor.name),
): Buffer {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sides}), }`;
  const padded = header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11, " ");
  const start = Buffer.alloc(10);
  start.write("\x93NUMPY\x01\x00", "latin1");
  start.writeUInt16LE(padded.length + 1, 8);
  return Buffer.concat([
    start,
    Buffer.from(`${padded}\n`),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  ]);
}

/** A zip of .npy files. */
export function npz(arrays: Readonly<Record<string, Buffer>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(arrays)) {
    const file = Buffer.from(`${name}.npy`);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(file.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, file, content]);
    const trailer = Buffer.alloc(14);
    trailer.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, trailer, file]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}
