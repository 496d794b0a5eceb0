/**
 * Cuts the broker's bytes into packets: PUBLISH at QoS 0 and 1, and PUBACK, are read here; whatever else is passed on
 * as it came.
 */
import type { ProtocolVersion } from "./packets.ts";
import { MalformedPacket, type PublishPacket, readPublish } from "./publish-packet.ts";
import { SLAB_BYTES, type Slab, type Slabs } from "./slabs.ts";

export interface PacketReader {
  /** Where the next bytes are to be written; never empty. */
  room(): Buffer;
  /**
   * So many bytes have been written to the room.
   * @throws MalformedPacket
   */
  advance(count: number): void;
  /** Goes on after a stop. @throws MalformedPacket */
  proceed(): void;
  /** Nothing more comes. */
  close(): void;
}

export interface PacketReaderOptions {
  readonly version: ProtocolVersion;
  readonly slabs: Slabs;
  /** @returns whether to go on; else this one is not yet done with, and what is behind it waits for `proceed` */
  readonly onPublish: (packet: PublishPacket) => boolean;
  /** The broker's answer to a message; 0 where it gives no reason code. */
  readonly onPuback: (messageId: number, reasonCode: number) => void;
  /** A packet of another kind, whole; a copy. @returns as with `onPublish` */
  readonly onOther: (type: number, packet: Buffer) => boolean;
}

export const PACKET_TYPE = { connack: 2, publish: 3, puback: 4 } as const;

/** Fewer are not worth a system call. */
const ROOM_BYTES_MIN = 16 * 1024;

/** The header's first byte, and four of length. */
const HEAD_BYTES_MAX = 5;

export function createPacketReader(options: PacketReaderOptions): PacketReader {
  const { version, slabs, onPublish, onPuback, onOther } = options;
  let slab: Slab = slabs.take(SLAB_BYTES);
  /** Bytes of the slab that have been written, and that have been read. */
  let filled = 0;
  let at = 0;
  let isStopped = false;
  let isReading = false;

  function read(): void {
    // Not from within: a packet that is held may be let go while the next one is read.
    if (isReading) return;
    isReading = true;
    try {
      while (!isStopped) {
        const bodyAt = at + headBytes(slab.bytes, at, filled);
        if (bodyAt <= at) {
          if (bodyAt === at) return;
          throw new MalformedPacket("the broker sent a packet whose length has more than four bytes");
        }
        const end = bodyAt + remainingBytes(slab.bytes, at, bodyAt);
        if (end > filled) return;
        const start = at;
        at = end;
        isStopped = !take(start, bodyAt, end);
      }
    } finally {
      isReading = false;
    }
  }

  function take(start: number, bodyAt: number, end: number): boolean {
    const first = slab.bytes[start]!;
    const type = first >> 4;
    const qos = (first >> 1) & 3;
    if (type === PACKET_TYPE.puback) {
      if (end < bodyAt + 2) throw new MalformedPacket("the broker sent a PUBACK without a message id");
      onPuback(slab.bytes.readUInt16BE(bodyAt), end > bodyAt + 2 ? slab.bytes[bodyAt + 2]! : 0);
      return true;
    }
    if (type !== PACKET_TYPE.publish || qos === 2) {
      return onOther(type, Buffer.from(slab.bytes.subarray(start, end)));
    }
    if (qos === 3) throw new MalformedPacket("the broker sent a PUBLISH with both bits of its QoS set");
    const packet = readPublish(first, slab, bodyAt, end, version);
    slab.hold();
    return onPublish(packet);
  }

  /** Another slab, with what is not read yet, and room for all of the packet that it begins with. */
  function turnOver(bytesMin: number): void {
    const before = slab;
    const left = before.bytes.subarray(at, filled);
    slab = slabs.take(bytesMin);
    left.copy(slab.bytes);
    before.close();
    filled = left.length;
    at = 0;
  }

  return {
    room() {
      if (at === filled && slab.isIdle && slab.bytes.length === SLAB_BYTES) {
        at = 0;
        filled = 0;
      }
      const bodyAt = at + headBytes(slab.bytes, at, filled);
      const wanted = bodyAt <= at ? HEAD_BYTES_MAX : bodyAt - at + remainingBytes(slab.bytes, at, bodyAt);
      const fits = at + wanted <= slab.bytes.length && slab.bytes.length - filled >= ROOM_BYTES_MIN;
      if (!fits) turnOver(Math.max(wanted, filled - at) + ROOM_BYTES_MIN);
      return slab.bytes.subarray(filled);
    },
    advance(count) {
      filled += count;
      read();
    },
    proceed() {
      isStopped = false;
      read();
    },
    close() {
      isStopped = true;
      slab.close();
    },
  };
}

/** Bytes ahead of a packet's body; 0 where they are not all there, -1 where it has no end. */
function headBytes(bytes: Buffer, at: number, filled: number): number {
  const last = Math.min(filled, at + HEAD_BYTES_MAX);
  for (let i = at + 1; i < last; i++) if (bytes[i]! < 0x80) return i + 1 - at;
  return filled - at >= HEAD_BYTES_MAX ? -1 : 0;
}

function remainingBytes(bytes: Buffer, at: number, bodyAt: number): number {
  let value = 0;
  for (let i = bodyAt - 1; i > at; i--) value = value * 0x80 + (bytes[i]! & 0x7f);
  return value;
}
