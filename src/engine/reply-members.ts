/**
 * What payloads say of their frames, behind the outcomes of a reply: for each frame that says anything, in any order,
 *
 *   u32 index, u32 part count (0: none given), u16 bytes of the id, u16 bytes of the part, both in UTF-8 (0: none)
 *
 * It comes from whoever wrote the payload, through a process that may be in that writer's hands: the main process
 * takes nothing for an id that is none.
 */

import { type FrameMembers, ID_LENGTH_MAX, isId, isPartCount } from "../core/frame.ts";
import { ChannelBroken } from "./channel.ts";

const HEAD_BYTES = 12;
/** A UTF-16 unit takes three bytes of UTF-8 at most. */
const ID_BYTES_MAX = 3 * ID_LENGTH_MAX;

/** Bytes that one frame can say. */
export const MEMBERS_BYTES_MAX = HEAD_BYTES + 2 * ID_BYTES_MAX;

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function encodeMembers(
  index: number,
  { id = "", part = "", partCount = 0 }: FrameMembers,
): Uint8Array {
  const [idBytes, partBytes] = [Buffer.from(id), Buffer.from(part)];
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt32LE(index, 0);
  head.writeUInt32LE(partCount, 4);
  head.writeUInt16LE(idBytes.length, 8);
  head.writeUInt16LE(partBytes.length, 10);
  return Buffer.concat([head, idBytes, partBytes]);
}

/**
 * @param bytes all that stands behind the outcomes
 * @param count frames of the batch
 * @throws ChannelBroken if it is anything but members, each frame's at most once
 */
export function readMembers(
  bytes: Uint8Array,
  count: number,
): readonly { readonly index: number; readonly members: FrameMembers }[] {
  if (bytes.length === 0) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const seen = new Set<number>();
  const read: { index: number; members: FrameMembers }[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEAD_BYTES) throw new ChannelBroken("members too short for their head");
    const index = view.getUint32(at, true);
    const partCount = view.getUint32(at + 4, true);
    const partAt = at + HEAD_BYTES + view.getUint16(at + 8, true);
    const end = partAt + view.getUint16(at + 10, true);
    if (index >= count || seen.has(index)) throw new ChannelBroken(`members of frame ${index}, unasked`);
    if (end > bytes.length) throw new ChannelBroken("members longer than their message");
    if (partCount !== 0 && !isPartCount(partCount)) throw new ChannelBroken(`a part of ${partCount} frames`);
    const id = idIn(bytes.subarray(at + HEAD_BYTES, partAt));
    const part = idIn(bytes.subarray(partAt, end));
    seen.add(index);
    read.push({
      index,
      members: {
        ...(id !== undefined && { id }),
        ...(part !== undefined && { part }),
        ...(partCount !== 0 && { partCount }),
      },
    });
    at = end;
  }
  return read;
}

function idIn(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  let text: string;
  try {
    text = UTF_8.decode(bytes);
  } catch {
    throw new ChannelBroken("an id that is no UTF-8");
  }
  if (!isId(text)) throw new ChannelBroken("an id that is none");
  return text;
}
