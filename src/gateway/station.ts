/** A station: its frames waiting, and how a delivery becomes a frame or a reject. */

import type { AuditTerms } from "../core/audit.ts";
import type { Encoding, Frame, FrameMembers, RejectReason } from "../core/frame.ts";
import type { MonitorState, Rule } from "../core/judge.ts";
import { type Overload, removeFirst } from "./backlog.ts";
import type { Delivery, Engine } from "./ports.ts";
import { isSuspect } from "./suspects.ts";

/** What judges a station's frames: bound to each other by digest, and only ever replaced all together. */
export interface InForce {
  readonly engine: Engine;
  readonly classes: readonly string[];
  /** Digest of the bundle that judges. */
  readonly bundle: string;
  readonly rule: Rule;
  readonly reviewDeadlineMs: number;
  /** Most frames that one part of the evidence had. */
  readonly framesPerPartMax: number;
  /** Undefined where no passed part is drawn for an audit. */
  readonly audits?: AuditTerms | undefined;
}

/** How a station puts parts together. */
export interface PartsOptions {
  /** From a part's first frame until it is decided by what has come. */
  readonly windowMs: number;
  /** Parts that may be open; at the bound the oldest goes to a person. */
  readonly openMax: number;
}

/** What a station is made of. What is in force may be replaced while it runs; the rest is fixed. */
export interface StationOptions extends InForce {
  readonly name: string;
  readonly match: (topic: string) => TopicMatch | undefined;
  /** The first is meant where a message names none. */
  readonly encodings: readonly Encoding[];
  readonly sources: ReadonlySet<string> | undefined;
  readonly frameBytesMax: number;
  readonly overload: Overload;
  /** Undefined where other gateways may get some of a part's frames. */
  readonly parts: PartsOptions | undefined;
}

export interface TopicMatch {
  readonly source: string;
  /** Whether the source's level is a name at all. */
  readonly valid: boolean;
  readonly frame: string | undefined;
}

export interface Station extends Omit<StationOptions, keyof InForce> {
  inForce: InForce;
  readonly monitor: MonitorState;
  /** In the order of receipt. */
  readonly waiting: Taken[];
  /** Their payloads. */
  waitingBytes: number;
  /** Those of them that the broker delivers again, if it still has them, by source and id. */
  readonly expected: Map<string, Taken>;
  batchesInFlight: number;
  /** A suspect frame is with the engine, alone. */
  isTryingSuspect: boolean;
}

/** A frame taken in: ready for the engine, or already known to be no frame of this station. */
export interface Taken {
  readonly ticket: number;
  readonly frame: Frame;
  readonly encoding: Encoding;
  readonly reject: RejectReason | undefined;
  /** The id stands in the message's properties, which come before what its payload or its topic say. */
  readonly isNamed: boolean;
  readonly takenAtMs: number;
  /** Whether the broker delivers it again to a later connection. */
  readonly comesAgain: boolean;
  /** What the ends of engines that had this frame add up to. */
  suspicion: number;
}

const CONTENT_TYPES: Readonly<Record<string, Encoding>> = {
  "application/octet-stream": "raw",
  "image/png": "png",
  "image/jpeg": "jpeg",
  "application/json": "json",
};

export const CONTENT_TYPE_OF: Readonly<Record<Encoding, string>> = {
  raw: "application/octet-stream",
  png: "image/png",
  jpeg: "image/jpeg",
  json: "application/json",
};

/** Room in which an unnamed or unknown source is put on record. */
const UNKNOWN_SOURCE_CHARACTERS_MAX = 64;

/**
 * Addresses a delivery: which source, which id, which encoding. The payload is not looked into; what can be
 * refused without doing so is.
 * @param madeId an id for a frame that brings none
 */
export function take(
  station: Pick<StationOptions, "name" | "encodings" | "sources" | "frameBytesMax">,
  delivery: Delivery,
  found: TopicMatch,
  madeId: string,
  nowMs: number,
): Taken {
  const isKnown = found.valid && (station.sources === undefined || station.sources.has(found.source));
  const named = delivery.contentType?.split(";", 1)[0]?.trim().toLowerCase();
  const encoding = named === undefined ? station.encodings[0] : CONTENT_TYPES[named];
  const isAllowed = encoding !== undefined && station.encodings.includes(encoding);
  const id = delivery.frameId ?? found.frame;
  return {
    ticket: delivery.ticket,
    frame: {
      station: station.name,
      source: found.source.slice(0, UNKNOWN_SOURCE_CHARACTERS_MAX),
      id: id ?? madeId,
      identified: id !== undefined,
      part: delivery.partId,
      partCount: delivery.partCount,
      contentType: delivery.contentType,
      correlation: delivery.correlation,
      payload: delivery.payload,
      receivedAtMs: delivery.receivedAtMs,
    },
    encoding: encoding ?? "raw",
    reject: !isKnown
      ? "unknown-source"
      : !isAllowed
        ? "wrong-content-type"
        : delivery.payload.length > station.frameBytesMax
          ? "too-large"
          : undefined,
    isNamed: delivery.frameId !== undefined,
    takenAtMs: nowMs,
    comesAgain: delivery.qos === 1,
    suspicion: 0,
  };
}

/** The frame with what its payload says of it, where the message's properties do not. */
export function named({ frame, isNamed }: Pick<Taken, "frame" | "isNamed">, said: FrameMembers): Frame {
  return {
    ...frame,
    id: isNamed ? frame.id : (said.id ?? frame.id),
    identified: frame.identified || said.id !== undefined,
    part: frame.part ?? said.part,
    partCount: frame.partCount ?? said.partCount,
  };
}

export function aStation(
  { engine, classes, bundle, rule, reviewDeadlineMs, framesPerPartMax, audits, ...fixed }: StationOptions,
  monitorOf: (station: string) => MonitorState = () => "off",
): Station {
  const inForce = { engine, classes, bundle, rule, reviewDeadlineMs, framesPerPartMax, audits };
  return {
    ...fixed,
    inForce,
    get monitor() {
      return monitorOf(fixed.name);
    },
    waiting: [],
    waitingBytes: 0,
    expected: new Map(),
    batchesInFlight: 0,
    isTryingSuspect: false,
  };
}

/** For each engine process: one batch is with it while the one before is committed. */
const BATCHES_IN_FLIGHT_MAX = 2;

/** Whether the next batch may go to the engine now. */
export function hasRoom(station: Station): boolean {
  if (station.waiting.length === 0) return false;
  const mustBeAlone = station.isTryingSuspect || isSuspect(station.waiting[0]);
  return (
    station.batchesInFlight <
    (mustBeAlone ? 1 : BATCHES_IN_FLIGHT_MAX * (station.inForce.engine.processes ?? 1))
  );
}

/** Takes the next batch off the waiting frames: one suspect, or all up to the bound or the next suspect. */
export function nextBatch(station: Station, batchMax: number): Taken[] {
  const suspect = station.waiting.slice(0, batchMax).findIndex(isSuspect);
  const room = suspect === 0 ? 1 : suspect > 0 ? suspect : batchMax;
  station.isTryingSuspect = suspect === 0;
  return removeFirst(station, room);
}
