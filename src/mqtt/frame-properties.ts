/** What a message's MQTT 5 properties say of its frame: the frame's id, the part's id. */
import type { IPublishPacket } from "mqtt";
import { isId } from "./topics.ts";

export interface FrameProperties {
  readonly frameId: string | undefined;
  readonly partId: string | undefined;
  readonly correlation: Uint8Array | undefined;
  readonly contentType: string | undefined;
  /** Properties that were there and could not be used: empty, too long, or with control characters. */
  readonly ignored: readonly IgnoredProperty[];
}

export type IgnoredProperty = "frame-id" | "part-id" | "correlation-data";

const NONE: FrameProperties = {
  frameId: undefined,
  partId: undefined,
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
  return {
    frameId: named ?? usable(correlated, "correlation-data"),
    partId: usable(first(user?.["part-id"]), "part-id"),
    correlation,
    contentType: properties.contentType,
    ignored,
  };
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
