/** The main path: frames in, judged, committed, acknowledged, published. Order carries the promise. */

import type { Committed, Judged } from "../core/record.ts";
import type { ReviewOptions } from "./alert.ts";
import type { Auditor } from "./auditor.ts";
import { admit, areIdle, type BacklogBounds, expectAgain, framesWaiting } from "./backlog.ts";
import { createCommit } from "./commit.ts";
import { decide } from "./decide.ts";
import type { Monitors } from "./monitors.ts";
import { createNotes } from "./notes.ts";
import { keepParts } from "./parts.ts";
import {
  type Clock,
  type Delivery,
  EngineLost,
  type Intake,
  type Ledger,
  type Log,
  type Metrics,
  type Outcome,
} from "./ports.ts";
import type { Relay } from "./relay.ts";
import { createRelief } from "./relief.ts";
import type { ReviewGate } from "./review-desk.ts";
import type { Shadows } from "./shadows.ts";
import {
  aStation,
  hasRoom,
  type InForce,
  nextBatch,
  type Station,
  type StationOptions,
  type Taken,
  take,
} from "./station.ts";
import { putBack, suspect } from "./suspects.ts";
import { createTell } from "./tell.ts";

export interface GatewayOptions {
  readonly stations: readonly StationOptions[];
  readonly intake: Intake;
  readonly ledger: Ledger;
  readonly relay: Relay;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly review: ReviewOptions;
  readonly reviews: ReviewGate;
  /** Undefined where no passed part is drawn for an audit. */
  readonly auditor?: Pick<Auditor, "coinOf" | "announce" | "changed"> | undefined;
  /** Undefined where no bundle runs in shadow. */
  readonly shadows?: Pick<Shadows, "offer"> | undefined;
  /** Undefined where nothing is watched. */
  readonly monitors?: Pick<Monitors, "state" | "take"> | undefined;
  /** Ids made here begin with it; never the same for two runs. */
  readonly idPrefix: string;
  readonly batchMax: number;
  readonly backlogMax: BacklogBounds;
}

export type Gateway = ReturnType<typeof createGateway>;

export function createGateway(options: GatewayOptions) {
  const { intake, ledger, relay, reviews, clock, metrics, log, review, idPrefix, batchMax, backlogMax } =
    options;
  const { auditor, shadows, monitors } = options;
  const stations: readonly Station[] = options.stations.map((one) => aStation(one, monitors?.state));
  const relief = createRelief({
    stations,
    bounds: backlogMax,
    batchMax,
    intake,
    shed(station, batch, done) {
      carry(station, conduct(station, batch), () => {
        done();
        pump(station);
      });
    },
  });
  const notes = createNotes(log);
  const { commit, trouble } = createCommit({ clock, log, isStopping: () => isStopping });
  const write = (judged: readonly Judged[]): readonly Committed[] => {
    auditor?.announce(); // Throws: what is drawn must be drawn by what is on record.
    const left = relay.toNote();
    // At each try anew: which reviews are announced hangs on what has been committed meanwhile.
    const planned = reviews.plan(judged);
    const committed = ledger.append(planned, left);
    if (left !== undefined) relay.noted();
    reviews.opened(planned, committed);
    return committed;
  };
  const parts = keepParts({
    ...{ stations, ledger, write, clock, metrics, log },
    rows: { nextId: () => nextId(), review, auditor },
    onDue: () => carry(undefined, decideParts(), () => {}),
  });
  const tell = createTell({ relay, parts, metrics, notes, clock });
  let ids = 0;
  let framesDone = 0;
  let isStopping = false;
  let isStopped = false;
  let defect: string | undefined;
  let quiet: (() => void) | undefined;
  const nextId = (): string => `${idPrefix}-${(ids++).toString(36)}`;

  function receive(delivery: Delivery): void {
    for (const station of stations) {
      const found = station.match(delivery.topic);
      if (found === undefined) continue;
      admit(station, take(station, delivery, found, nextId(), clock.monotonicMs()));
      pump(station);
      return;
    }
    // Only a subscription of an earlier configuration brings a topic that no station has.
    notes.unrouted(delivery.topic);
    metrics.unrouted();
    intake.acknowledge([delivery.ticket]);
  }

  /** Natural batching: a free place takes all that wait, up to the batch's bound. */
  function pump(station: Station): void {
    while (!isStopped && hasRoom(station)) {
      station.batchesInFlight++;
      const batch = nextBatch(station, batchMax);
      carry(station, conduct(station, batch), () => {
        station.batchesInFlight--;
        pump(station);
      });
    }
    // While stopping nothing more comes, and what is left over is judged at the next start: no reason to shed.
    if (!isStopping) relief.look();
    if (!relief.isShedding && areIdle(stations)) quiet?.();
  }

  /** Calls `done` once the batch is through, or given back. */
  function carry(station: Station | undefined, conducted: Promise<void>, done: () => void): void {
    conducted
      .catch((error: Error) => {
        defect = error.message;
        log.error(
          { station: station?.name, error: error.stack },
          "a batch failed; its frames stay unacknowledged",
        );
      })
      .finally(done);
  }

  /** The broker delivers again what has no acknowledgement: what still waits need not be judged twice. */
  function resumed(): void {
    for (const station of stations) {
      expectAgain(station);
      pump(station);
    }
  }

  /** The main path of one batch. */
  async function conduct(station: Station, batch: readonly Taken[]): Promise<void> {
    // Read once: an engine's predictions are judged by the rule that is bound to it, whatever comes into force meanwhile.
    const { inForce } = station;
    const outcomes = await outcomesOf(station, inForce, batch);
    if (outcomes === undefined) return putBack(station, batch);
    const { monitor } = station;
    let judged = decideAll(station, inForce, batch, outcomes);
    if (judged === undefined) return putBack(station, batch);
    const committed = await commit(() => {
      // Tried again it may come behind a monitor that has turned: what passed then must not pass now.
      if (station.monitor !== monitor) judged = decideAll(station, inForce, batch, outcomes);
      if (judged === undefined) throw new Error("what had been decided cannot be decided again");
      return timed("commit", () => parts.append(judged!, batch));
    });
    if (committed === undefined) return; // An unwritten frame must stay unacknowledged.
    // Copied here: behind the acknowledgement the payloads are other frames' memory.
    shadows?.offer(station.name, batch, judged, committed);
    timed("acknowledge", () => intake.acknowledge(batch.map((taken) => taken.ticket)));
    framesDone += batch.length;
    timed("publish", () => tell.publish(committed));
    tell.count(committed, batch);
    monitors?.take(committed);
  }

  /** Decides the parts whose time is over. */
  async function decideParts(): Promise<void> {
    const committed = await commit(() => timed("commit", () => parts.append([], [])));
    if (committed === undefined) return;
    timed("publish", () => tell.publish(committed));
    tell.count(committed, []);
    monitors?.take(committed);
  }

  /** What the engine says of each frame; undefined where it was lost, and the batch must be given again. */
  async function outcomesOf(
    station: Station,
    { engine }: InForce,
    batch: readonly Taken[],
  ): Promise<readonly Outcome[] | undefined> {
    const judgeable = batch.filter((taken) => taken.reject === undefined);
    const startMs = clock.monotonicMs();
    let judged: readonly Outcome[] = [];
    try {
      if (judgeable.length > 0) {
        judged = await engine.judge(
          judgeable.map((taken) => ({ encoding: taken.encoding, payload: taken.frame.payload })),
        );
      }
    } catch (error) {
      log.warn(
        { station: station.name, frames: judgeable.length, error: (error as Error).message },
        "an engine was lost",
      );
      // Whatever else fails counts against the frames, so that nothing is tried for ever.
      suspect(judgeable, error instanceof EngineLost ? error.suspicion : "strong");
      return undefined;
    }
    metrics.stage("engine", (clock.monotonicMs() - startMs) / 1000);
    let next = 0;
    return batch.map(({ reject }) =>
      reject === undefined ? judged[next++]! : { kind: "reject", reason: reject },
    );
  }

  /** Undefined where a defect of ours struck: the batch is tried again frame by frame, and its cause rejected. */
  function decideAll(
    station: Station,
    inForce: InForce,
    batch: readonly Taken[],
    outcomes: readonly Outcome[],
  ): Judged[] | undefined {
    try {
      return batch.map((taken, i) =>
        decide(station, inForce, taken, outcomes[i]!, { nextId, nowMs: clock.nowMs(), review, auditor }),
      );
    } catch (error) {
      log.error(
        { station: station.name, error: (error as Error).stack },
        "a decision failed; its batch is tried again",
      );
      suspect(batch, "strong");
      return undefined;
    }
  }

  function timed<T>(stage: "commit" | "acknowledge" | "publish", work: () => T): T {
    const startMs = clock.monotonicMs();
    const result = work();
    metrics.stage(stage, (clock.monotonicMs() - startMs) / 1000);
    return result;
  }

  return {
    start(): Promise<void> {
      parts.start();
      return intake.start(receive, resumed);
    },

    /** Why frames are not being judged at present, or undefined. */
    trouble: (): string | undefined => (isStopping ? "stopping" : (defect ?? trouble())),

    /** Frames taken in and not yet with an engine. */
    backlog: (): number => framesWaiting(stations),

    /** Whether frames wait or are being judged, and how many have been decided and acknowledged. */
    progress: () => ({ hasWork: !areIdle(stations), done: framesDone }),

    isIdle: (): boolean => areIdle(stations),

    /** Parts of a station that wait for more of their frames. */
    partsOpen: (station: string): number => parts.openCount(station),

    /**
     * From its next batch on a station is judged by these; batches under way are decided by what they began with.
     * Engines of before may be closed at once if closing lets them answer first.
     */
    putInForce(name: string, inForce: InForce): void {
      const station = stations.find((one) => one.name === name);
      if (station === undefined) throw new Error(`there is no station ${name}`);
      station.inForce = inForce;
      auditor?.changed(name, inForce);
      pump(station);
    },

    /** Ordered shutdown: no more frames in, those taken in judged and committed, what is committed published. */
    async stop(deadlineMs: number): Promise<void> {
      intake.pause();
      isStopping = true;
      parts.stop();
      await new Promise<void>((resolve) => {
        const cancel = clock.after(deadlineMs / 2, resolve);
        quiet = () => {
          cancel();
          resolve();
        };
        for (const station of stations) pump(station);
      });
      isStopped = true; // What is left stays unacknowledged, and is delivered again at the next start.
      await relay.drain(deadlineMs / 2);
    },
  };
}
