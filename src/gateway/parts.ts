/**
 * Parts: frames are held, on disk and acknowledged, until their part is decided: by its last frame where the frames say
 * how many there are, else at the end of its window. Open parts are resumed after a restart.
 */

import { withFrame } from "../core/part.ts";
import type { Committed, DecisionRecord, Judged, KeptFrame } from "../core/record.ts";
import { firstOfKind } from "./first-of-kind.ts";
import { type OpenPart, type RowOptions, recordedFrame } from "./open-part.ts";
import { type Plan, planParts } from "./part-plan.ts";
import type { Clock, Ledger, Log, Metrics } from "./ports.ts";
import type { Station, Taken } from "./station.ts";

export interface PartsKeeperOptions {
  readonly stations: readonly Station[];
  readonly ledger: Pick<Ledger, "isRecorded" | "partStanding" | "openPartRows">;
  /** Commits rows, all or none. */
  readonly write: (judged: readonly Judged[]) => readonly Committed[];
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "partCut">;
  readonly log: Log;
  readonly rows: Pick<RowOptions, "nextId" | "review" | "auditor">;
  /** Called when a part's time is over: to commit a batch, of no frames if need be. */
  readonly onDue: () => void;
}

/** Payloads kept in memory for the reviews of open parts; what goes beyond is not shown. */
const PICTURE_BYTES_MAX = 64 * 2 ** 20;

export type Parts = ReturnType<typeof keepParts>;

/** @throws if the ledger cannot be read: parts that are open in it must not be forgotten */
export function keepParts({
  ledger,
  write,
  clock,
  metrics,
  log,
  rows,
  onDue,
  ...options
}: PartsKeeperOptions) {
  const stations = new Map(options.stations.map((station) => [station.name, station]));
  const open = new Map<string, Map<string, OpenPart>>(options.stations.map(({ name }) => [name, new Map()]));
  const isNewlyCut = firstOfKind(options.stations.length);
  let pictureBytes = 0;
  let openCount = 0;
  let armedForMs = Number.POSITIVE_INFINITY;
  let cancel: (() => void) | undefined;
  let isStopped = false;

  function restore(): void {
    const lost = new Set<string>();
    for (const row of ledger.openPartRows()) {
      const { station: name, decidedAtMs } = row.record;
      const part = row.record.part!;
      const station = stations.get(name);
      if (station?.parts === undefined) {
        lost.add(name);
        continue;
      }
      const { windowMs } = station.parts;
      // The clock on the wall may have gone anywhere meanwhile.
      const leftMs = Math.min(windowMs, Math.max(0, decidedAtMs + windowMs - clock.nowMs()));
      const known = open.get(name)!.get(part) ?? {
        ...{ station, part, dueAtMs: clock.monotonicMs() + leftMs },
        ...{ frames: new Map(), picture: undefined, coin: undefined, kept: new Map() },
      };
      open.get(name)!.set(part, { ...known, frames: withFrame(known.frames, recordedFrame(row)) });
    }
    for (const [name, parts] of open) {
      open.set(name, new Map([...parts].sort(([, a], [, b]) => a.dueAtMs - b.dueAtMs)));
    }
    openCount = [...open.values()].reduce((sum, parts) => sum + parts.size, 0);
    if (openCount > 0) log.info({ parts: openCount }, "parts that were open are taken up again");
    for (const station of lost)
      log.warn(
        { station },
        "parts are open of a station that puts none together any more; they stay undecided",
      );
  }

  function arm(): void {
    if (isStopped || openCount === 0) return;
    const first = [...open.values()].map((parts) => parts.values().next().value?.dueAtMs ?? armedForMs);
    const dueAtMs = Math.min(...first);
    if (dueAtMs >= armedForMs) return;
    cancel?.();
    armedForMs = dueAtMs;
    cancel = clock.after(Math.max(0, Math.ceil(dueAtMs - clock.monotonicMs())), () => {
      armedForMs = Number.POSITIVE_INFINITY;
      cancel = undefined;
      onDue();
    });
  }

  function remember({ after, decided, cut }: Plan): void {
    for (const part of decided) {
      const before = open.get(part.station.name)!.get(part.part);
      if (before === undefined) continue;
      pictureBytes -= bytesOf(before);
      open.get(part.station.name)!.delete(part.part);
      openCount--;
    }
    for (const part of after) {
      const before = open.get(part.station.name)!.get(part.part);
      if (before === undefined) openCount++;
      const picture = kept(part.picture, before?.picture);
      open
        .get(part.station.name)!
        .set(part.part, { ...part, picture, kept: allKept(part.kept, before?.kept) });
    }
    for (const { station, part } of cut) {
      metrics.partCut(station.name);
      if (!isNewlyCut(station.name)) continue;
      const said = { station: station.name, part, openMax: station.parts?.openMax };
      log.warn(said, "too many parts are open; the oldest go to a person, and further ones are only counted");
    }
  }

  /** A copy: the payload is memory that is used again. A Buffer's own slice would be a view of it. */
  function kept(picture: OpenPart["picture"], before: OpenPart["picture"]): OpenPart["picture"] {
    if (picture === before) return picture;
    pictureBytes -= before?.payload.length ?? 0;
    if (picture === undefined || pictureBytes + picture.payload.length > PICTURE_BYTES_MAX) return undefined;
    pictureBytes += picture.payload.length;
    return { ...picture, payload: new Uint8Array(picture.payload) };
  }

  /** The same of frames that an audit may need; one that finds no room is left out. */
  function allKept(frames: OpenPart["kept"], before: OpenPart["kept"] = new Map()): OpenPart["kept"] {
    if (frames === before || frames.size === 0) return frames;
    const all = new Map<string, KeptFrame>();
    for (const [key, frame] of frames) {
      const had = before.get(key);
      if (had === frame) all.set(key, frame);
      else {
        pictureBytes -= had?.payload.length ?? 0;
        if (pictureBytes + frame.payload.length > PICTURE_BYTES_MAX) continue;
        pictureBytes += frame.payload.length;
        all.set(key, { ...frame, payload: new Uint8Array(frame.payload) });
      }
    }
    return all;
  }

  restore();

  return {
    /** Looks for parts that are over their time; later ones announce themselves. */
    start: arm,

    /**
     * Commits a batch, and with it what it decides of parts.
     * @returns what became of the batch's rows in their order; behind them the rows that are of parts
     * @throws what the ledger throws; then nothing has been written, and nothing is remembered
     */
    append(judged: readonly Judged[], batch: readonly Taken[]): readonly Committed[] {
      if (openCount === 0 && judged.every(({ part }) => part === undefined)) return write(judged);
      const plan = planParts(judged, (i) => batch[i]!.encoding, {
        ...rows,
        ...{ open, stations, ledger, nowMs: clock.nowMs, monotonicMs: clock.monotonicMs },
      });
      const committed = plan.rows.length === 0 ? [] : write(plan.rows);
      remember(plan);
      arm();
      return committed;
    },

    /** What is published again for a frame that has come again; undefined while its part is open. */
    standing(record: DecisionRecord): DecisionRecord | undefined {
      if (record.decision !== "held") return record;
      try {
        const found = ledger.partStanding(record.station, record.part!, clock.nowMs());
        return found?.late ?? found?.decision;
      } catch (error) {
        log.warn({ error: (error as Error).message }, "a part's decision could not be published again");
        return undefined;
      }
    },

    openCount: (station: string): number => open.get(station)?.size ?? 0,

    /** Decides no more; open parts are taken up again at the next start. */
    stop(): void {
      isStopped = true;
      cancel?.();
    },
  };
}

/** Of the payloads that are kept of a part. */
function bytesOf({ picture, kept }: OpenPart): number {
  let bytes = picture?.payload.length ?? 0;
  for (const { payload } of kept.values()) bytes += payload.length;
  return bytes;
}
