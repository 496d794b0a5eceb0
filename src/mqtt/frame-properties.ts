/** What a message's MQTT 5 properties say of its frame: the frame's id, the part's id and how many frames it has. */
import type { IPublishPacket } from "mqtt";
import { isId, isPartCount, NO_PART_COUNT } from "../core/frame.ts";

export interface FrameProperties {
  readonly frameId: string | undefined;
  readonly partId: string | undefined;
  /** NO_PART_COUNT where there is a `part-count` that is none, or a part whose id cannot be used. */
  readonly partCount: number | undefined;
  readonly correlation: Uint8Array | undefined;
  readonly contentType: string | undefined;
  /** Properties that were there and could not be used: empty, too long, or with control characters. */
  readonly ignored: readonly IgnoredProperty[];
}

export type IgnoredProperty = "frame-id" | "part-id" | "part-count" | "correlation-data";

const NONE: FrameProperties = {
  frameId: undefined,
  partId: undefined,
  partCount: undefined,
  correlation: undefined,
  contentType: undefined,
  ignored: [],
};

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The frame's id is the user property `frame-id`, else the correlation data. */
export function frameProperties(properties: IPublishPacket["properties"]): FrameProperties {
  if (properties === undefined) return NONE;
  const ignored: IgnoredProperty[] = [];
  const usable = (id: string | undefined, from: IgnoredProperty): string | undefined => {
    if (id === undefined || isId(id)) return id;
    ignored.push(from);
    return undefined;
  };
  const user = properties.userProperties;
  const correlation = properties.correlationData;
  const named = usable(first(user?.["frame-id"]), "frame-id");
  const correlated =
    named === undefined && correlation !== undefined ? correlationText(correlation) : undefined;
  const part = first(user?.["part-id"]);
  const partId = usable(part, "part-id");
  const count = partCount(first(user?.["part-count"]), () => ignored.push("part-count"));
  return {
    frameId: named ?? usable(correlated, "correlation-data"),
    partId,
    partCount: count ?? (part !== partId ? NO_PART_COUNT : undefined),
    correlation,
    contentType: properties.contentType,
    ignored,
  };
}

/** A count that is none must not be taken for no count: a part may then be without some of its frames. */
function partCount(text: string | undefined, ignore: () => void): number | undefined {
  if (text === undefined) return undefined;
  const count = /^[0-9]{1,7}$/.test(text) ? Number(text) : NO_PART_COUNT;
  if (isPartCount(count)) return count;
  ignore();
  return NO_PART_COUNT;
}

/** A repeated user property comes as an array. */
function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Correlation data is bytes: text where it is printable text, else hex. */
function correlationText(bytes: Uint8Array): string {
  try {
    const text = UTF_8.decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
    if (!/[\u0000-\u001f\u007f-\u009f]/.test(text)) return text;
  } catch {
    // Not UTF-8.
  }
  return Buffer.from(bytes).toString("hex");
}
