/** Steps through protobuf messages where they lie; strict, so that what a canonical writer does not write is malformed. */

const TEXT_BYTES_MAX = 256;

/** Steps through the fields of one protobuf message, in place. */
export class FieldReader {
  field = 0;
  wireType = 0;
  /** Where the current field begins. */
  at = 0;
  /** The bytes of the value; of a length-delimited field what it holds. */
  valueStart = 0;
  valueEnd = 0;
  /** Of a varint field. */
  varintIsZero = false;

  private readonly bytes: Uint8Array;
  private readonly end: number;
  private position: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Moves on to the next field; false at the end of the message. */
  next(): boolean {
    if (this.position === this.end) return false;
    this.at = this.position;
    const tag = this.smallVarint("a field's tag");
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0) throw new Malformed(this.at, "a field numbered 0");
    const length = this.wireType === 2 ? this.smallVarint("a field's length") : 0;
    this.valueStart = this.position;
    switch (this.wireType) {
      case 0:
        this.skipVarint();
        break;
      case 1:
        this.skip(8);
        break;
      case 2:
        this.skip(length);
        break;
      case 5:
        this.skip(4);
        break;
      default:
        throw new Malformed(this.at, `wire type ${this.wireType}, which ONNX files do not use`);
    }
    this.valueEnd = this.position;
    return true;
  }

  /** The current field's value as text, all of it. */
  get text(): string {
    return new TextDecoder().decode(this.bytes.subarray(this.valueStart, this.valueEnd));
  }

  /** The current field's value as the whole numbers that it holds: one, or many packed behind each other. */
  get integers(): number[] {
    const found: number[] = [];
    for (let at = this.valueStart; at < this.valueEnd; ) {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = this.bytes[at++];
        if (byte === undefined || at > this.valueEnd) throw new Malformed(this.at, "cut short");
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      found.push(Number(BigInt.asIntN(64, value)));
    }
    return found;
  }

  /** The current field's value as the float32 numbers that it holds. */
  get floats(): Float32Array {
    // A copy, on a boundary of four bytes; a Buffer's own slice is none.
    const content = new Uint8Array(this.bytes.subarray(this.valueStart, this.valueEnd));
    if (content.length % 4 !== 0) throw new Malformed(this.at, "float32 numbers that are cut short");
    return new Float32Array(content.buffer, 0, content.length / 4);
  }

  /** The current field's value as the int64 numbers that it holds, little-endian. */
  get longs(): number[] {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.valueStart);
    const length = this.valueEnd - this.valueStart;
    if (length % 8 !== 0) throw new Malformed(this.at, "int64 numbers that are cut short");
    return Array.from({ length: length / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
  }

  private byte(): number {
    if (this.position >= this.end) throw new Malformed(this.at, "cut short");
    return this.bytes[this.position++]!;
  }

  private skip(count: number): void {
    if (count > this.end - this.position) throw new Malformed(this.at, "a field longer than what holds it");
    this.position += count;
  }

  /** A varint of at most 5 bytes and below 2^32, as tags and lengths are. */
  private smallVarint(what: string): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value >= 2 ** 32) break;
        return value;
      }
    }
    throw new Malformed(this.at, `${what} beyond 32 bits`);
  }

  private skipVarint(): void {
    let bits = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.byte();
      bits |= byte & 0x7f;
      if (byte < 0x80) {
        this.varintIsZero = bits === 0;
        return;
      }
    }
    throw new Malformed(this.at, "a varint of more than 10 bytes");
  }
}

export class Malformed extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Text for messages, cut off where it is very long. */
export function text(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + TEXT_BYTES_MAX)));
}
