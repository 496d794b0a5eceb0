/** The channel to a gateway's own teacher. */

/** Longest question or answer. */
export const IDLE_MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
/** By what name it answers. */
export const IDLE_NAME = "idle";

const PREFIX_BYTES = 4;

/** A message as it goes over the channel: u32 length, body. */
export function framed(body: Uint8Array): Uint8Array {
  const message = Buffer.alloc(PREFIX_BYTES + body.length);
  message.writeUInt32LE(body.length);
  message.set(body, PREFIX_BYTES);
  return message;
}
