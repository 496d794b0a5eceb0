/** Cuts a byte stream into the channel's messages, whatever pieces it arrives in, with bounded memory. */

import { ChannelBroken } from "./channel.ts";

export interface MessageParser {
  /**
   * Takes the next bytes and keeps none of them: the caller may use the buffer again.
   * @throws ChannelBroken if a message claims to be longer than the bound; the stream is of no use any more
   */
  push(chunk: Uint8Array): void;
  /** Gives a body back for later messages, once nothing looks at it any more. Optional. */
  recycle(body: Uint8Array): void;
}

export interface ParserOptions {
  readonly bodyBytesMax: number;
  /** Called once for each message; the body begins where any typed array can. */
  readonly onBody: (body: Uint8Array) => void;
}

/** Recycled buffers that are kept, and up to which size: what two batches in flight need. */
const SPARES_MAX = 3;
const SPARE_BYTES_MAX = 4 * 2 ** 20;
const SPARE_BYTES_MIN = 16 * 1024;

export function createParser({ bodyBytesMax, onBody }: ParserOptions): MessageParser {
  const spares: ArrayBuffer[] = [];
  let body: Uint8Array | undefined;
  /** Bytes of the prefix, or of the body where there is one, that have arrived. */
  let filled = 0;
  let bodyBytes = 0;

  const take = (bytes: number): Uint8Array => {
    const index = spares.findIndex((spare) => spare.byteLength >= bytes);
    if (index >= 0) return new Uint8Array(spares.splice(index, 1)[0]!, 0, bytes);
    // Rounded up to a power of two, so that batches of about one size can share a buffer.
    const wanted = Math.max(bytes, SPARE_BYTES_MIN);
    const room = wanted > SPARE_BYTES_MAX ? bytes : 2 ** Math.ceil(Math.log2(wanted));
    return new Uint8Array(Buffer.allocUnsafeSlow(room).buffer as ArrayBuffer, 0, bytes);
  };

  const readPrefix = (chunk: Uint8Array, start: number): number => {
    let at = start;
    while (filled < 4 && at < chunk.length) bodyBytes += chunk[at++]! * 256 ** filled++;
    if (filled < 4) return at;
    if (bodyBytes > bodyBytesMax) {
      throw new ChannelBroken(`a message of ${bodyBytes} bytes; at most ${bodyBytesMax} are taken`);
    }
    body = take(bodyBytes);
    filled = 0;
    return at;
  };

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (body === undefined) at = readPrefix(chunk, at);
        if (body === undefined) return;
        const count = Math.min(bodyBytes - filled, chunk.length - at);
        body.set(chunk.subarray(at, at + count), filled);
        filled += count;
        at += count;
        if (filled < bodyBytes) return;
        const whole = body;
        body = undefined;
        filled = 0;
        bodyBytes = 0;
        onBody(whole);
      }
    },
    recycle(used) {
      const buffer = used.buffer as ArrayBuffer;
      if (buffer.byteLength > SPARE_BYTES_MAX) return;
      spares.push(buffer);
      if (spares.length <= SPARES_MAX) return;
      // The largest stay: they serve any batch.
      spares.sort((a, b) => b.byteLength - a.byteLength).pop();
    },
  };
}
