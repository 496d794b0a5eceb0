/** The MQTT 5 packets that the load generator needs, encoded once and patched, and a reader that only counts. */

/** Digits of a frame's number in its topic. */
export const ID_DIGITS = 9;

export function connectPacket(clientId: string): Buffer {
  const id = Buffer.from(clientId);
  const body = Buffer.concat([
    Buffer.from([0, 4]),
    Buffer.from("MQTT"),
    // Version 5, clean start, keepalive off, no properties.
    Buffer.from([5, 2, 0, 0, 0, id.length >> 8, id.length & 255]),
    id,
  ]);
  return Buffer.concat([Buffer.from([0x10]), length(body.length), body]);
}

export function subscribePacket(filter: string): Buffer {
  const topic = Buffer.from(filter);
  const head = Buffer.from([0, 1, 0, topic.length >> 8, topic.length & 255]);
  const body = Buffer.concat([head, topic, Buffer.from([0])]);
  return Buffer.concat([Buffer.from([0x82]), length(body.length), body]);
}

/** A PUBLISH at QoS 1 on `prefix/NUMBER`, and where its number and packet id stand. */
export interface Template {
  readonly bytes: Buffer;
  readonly numberAt: number;
  readonly packetIdAt: number;
}

export function publishTemplate(prefix: string, payload: Uint8Array): Template {
  const topic = Buffer.from(`${prefix}/${"0".repeat(ID_DIGITS)}`);
  const remaining = 2 + topic.length + 2 + 1 + payload.length;
  const head = Buffer.concat([Buffer.from([0x32]), length(remaining)]);
  const bytes = Buffer.concat([
    head,
    Buffer.from([topic.length >> 8, topic.length & 255]),
    topic,
    Buffer.from([0, 0, 0]),
    payload,
  ]);
  const end = head.length + 2 + topic.length;
  return { bytes, numberAt: end - ID_DIGITS, packetIdAt: end };
}

/** Writes the template with this number at a place in a buffer; returns where it ends. */
export function writePublish(template: Template, number: number, into: Buffer, at: number): number {
  const { bytes, numberAt, packetIdAt } = template;
  bytes.copy(into, at);
  let rest = number;
  for (let i = at + numberAt + ID_DIGITS - 1; i >= at + numberAt; i--) {
    into[i] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  const packetId = 1 + (number % 65_535);
  into[at + packetIdAt] = packetId >> 8;
  into[at + packetIdAt + 1] = packetId & 255;
  return at + bytes.length;
}

/** Calls for each whole packet with its first byte and its body's place; keeps what is not whole yet. */
export function createReader(onPacket: (type: number, bytes: Buffer, start: number, end: number) => void) {
  let kept: Buffer | undefined;
  return (chunk: Buffer): void => {
    const bytes = kept === undefined ? chunk : Buffer.concat([kept, chunk]);
    let at = 0;
    for (;;) {
      let remaining = 0;
      let digits = 0;
      let byte = 0x80;
      while (byte >= 0x80 && at + 1 + digits < bytes.length) {
        byte = bytes[at + 1 + digits]!;
        remaining += (byte & 0x7f) << (7 * digits);
        digits++;
      }
      const start = at + 1 + digits;
      if (byte >= 0x80 || start + remaining > bytes.length) break;
      onPacket(bytes[at]! >> 4, bytes, start, start + remaining);
      at = start + remaining;
    }
    kept = at === bytes.length ? undefined : bytes.subarray(at);
  };
}

function length(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}
