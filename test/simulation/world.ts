/** The world of one run: plant, brokers, disk and time, and the daemon that is started in it. */

import { AUDIT_COINS } from "../../src/commands/audit-coins.ts";
import type { Random } from "../../src/core/random.ts";
import type { DecisionRecord } from "../../src/core/record.ts";
import { createAuditor } from "../../src/gateway/auditor.ts";
import type { Overload } from "../../src/gateway/backlog.ts";
import { createGateway, type Gateway } from "../../src/gateway/gateway.ts";
import type { Log, Message, Suspicion } from "../../src/gateway/ports.ts";
import { createRelay } from "../../src/gateway/relay.ts";
import { aRule } from "../support/builders.ts";
import { EACH_ANNOUNCED } from "../support/reviews.ts";
import { aDisk, type Disk } from "./disk.ts";
import { anEngine, type SimulatedEngine } from "./engines.ts";
import type { Journal } from "./journal.ts";
import { aLife, type Life, oneOf, virtualTime } from "./life.ts";
import { anOutlet } from "./outlet.ts";
import { aPlant, FRAME_BYTES_MAX, type Plant, STATIONS, seqOf } from "./plant.ts";
import { aSession, type Session } from "./session.ts";

export const DEDUPE_WINDOW_MS = 86_400_000;
export const FRAMES_PER_PART_MAX = 4;
const PART_WINDOW_MS = 3_000;
const PARTS_OPEN_MAX = 6;
const ENGINE_DEADLINE_MS = 5_000;
const HOLD_MAX_MS = 2_000;
export const AUDITED = "press";
const AUDIT_RATE = 0.2;
const AUDIT_DEADLINE_MS = 30_000;
const KNOWN = {
  perAudit: 0.5,
  frames: [{ label: "bad", contentType: "application/octet-stream", payload: new Uint8Array(10) }],
};
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** What a life of the daemon counted, and what the disk says it should have. */
interface Counts {
  readonly counted: Map<string, number>;
  readonly written: Map<string, number>;
}

export interface World {
  readonly random: Random;
  readonly journal: Journal;
  readonly plant: Plant;
  readonly disk: Disk;
  readonly session: Session;
  readonly outlet: ReturnType<typeof anOutlet>;
  readonly time: ReturnType<typeof virtualTime>;
  readonly bounds: Bounds;
  readonly policies: Readonly<Record<string, Overload>>;
  readonly published: { readonly decisions: Set<number>; readonly alerts: Map<string, string[]> };
  /** Messages that the broker itself lost. */
  readonly forgotten: Set<number>;
  /** Of those, frames with an id that the daemon had by then: it decides them, if it lives. */
  readonly onlyHere: Set<number>;
}

interface Bounds {
  readonly batchMax: number;
  readonly receiveMaximum: number;
  readonly backlogFrames: number;
  readonly backlogBytes: number;
}

export interface Daemon {
  readonly life: Life;
  readonly gateway: Gateway;
  readonly engines: readonly SimulatedEngine[];
  readonly counts: Counts;
}

export function aWorld(random: Random, journal: Journal): World {
  const time = virtualTime();
  const disk = aDisk(DEDUPE_WINDOW_MS, journal);
  const published = { decisions: new Set<number>(), alerts: new Map<string, string[]>() };
  const tried = new Map<string, { readonly at: number; readonly all: Set<number> }>();
  const bounds: Bounds = {
    batchMax: 4,
    receiveMaximum: oneOf(random, [20, 60, 200]),
    backlogFrames: oneOf(random, [15, 40, 100]),
    backlogBytes: oneOf(random, [800, 100_000]),
  };
  const policies = {
    press: oneOf<Overload>(random, ["hold", "shed-oldest"]),
    weld: oneOf<Overload>(random, ["hold", "shed-oldest"]),
  };
  const session = aSession({
    receiveMaximum: bounds.receiveMaximum,
    holdMaxMs: HOLD_MAX_MS,
    time,
    random,
    journal,
    overwrites: true,
    mayHoldSince: (ms) => Object.values(policies).includes("hold") || ms < disk.soundFromMs,
    isDecided: ({ seq, topic }) => topic.startsWith("nobody/") || disk.decided.has(seq),
  });
  const outlet = anOutlet({
    time,
    random,
    journal,
    onTried(message) {
      const at = disk.alerts.get(reviewOf(message) ?? "")?.decision;
      if (at === undefined) return;
      const last = tried.get(message.topic) ?? { at: 0, all: new Set<number>() };
      if (at < last.at && !last.all.has(at)) {
        journal.violate(`the alert of decision ${at} left behind that of decision ${last.at} of its station`);
      }
      last.all.add(at);
      tried.set(message.topic, { at: Math.max(at, last.at), all: last.all });
    },
    onArrived(message, isTaken) {
      const review = reviewOf(message);
      if (review === undefined) published.decisions.add(Number(message.payload));
      else if (isTaken) {
        published.alerts.set(review, [...(published.alerts.get(review) ?? []), String(message.payload)]);
      }
    },
  });
  return {
    random,
    journal,
    plant: aPlant(random),
    disk,
    session,
    outlet,
    time,
    bounds,
    policies,
    published,
    forgotten: new Set(),
    onlyHere: new Set(),
  };
}

/** Undefined for a decision. */
function reviewOf({ topic, payload }: Message): string | undefined {
  if (topic === "decisions") return undefined;
  return (JSON.parse(String(payload)) as { review: string }).review;
}

export function start(world: World, number: number): Daemon {
  const { journal, disk, session, outlet, time, random, bounds, policies, forgotten, onlyHere } = world;
  for (const seq of onlyHere) forgotten.add(seq);
  onlyHere.clear();
  const life = aLife(() => {
    journal.note("killed");
    outlet.drop();
    session.drop();
  });
  journal.note("started", number);
  const clock = time.clockOf(life);
  const counts: Counts = { counted: new Map(), written: new Map() };
  const add = (to: Map<string, number>, key: string): void => void to.set(key, (to.get(key) ?? 0) + 1);
  const ends = new Map<string, Suspicion[]>();
  const ledger = disk.ledgerFor(life, (record: DecisionRecord) => {
    add(counts.written, `${record.station} ${record.decision} ${record.reason}`);
    if (record.frames !== null) journal.note(`part-${record.decision}`, record.part!);
    if (record.reason === "late-frame") journal.note("late-frame", record.part!);
    checkPoison(journal, record, ends.get(frameOf(world, disk.messageOf.get(record.id))) ?? []);
    if (record.reason !== "shed") return;
    journal.note("shed", record.frame);
    if (policies[record.station] === "hold")
      journal.violate(`station ${record.station} holds, and shed a frame`);
  });
  const relay = createRelay({
    publisher: outlet.publisherFor(life),
    ledger,
    clock,
    metrics: { publishRefused() {} },
    log: SILENT,
    decisionMessage: ({ id }) => ({ topic: "decisions", payload: String(id), qos: 1 }),
    alertMessage: (station, body) => ({ topic: `reviews/${station}`, payload: body, qos: 1 }),
  });
  const engines = STATIONS.map(() =>
    anEngine({
      time,
      life,
      random,
      journal,
      batchMax: bounds.batchMax,
      deadlineMs: ENGINE_DEADLINE_MS,
      onLost(payloads, suspicion) {
        for (const frame of payloads.map((payload) => frameOf(world, seqOf(payload))))
          ends.set(frame, [...(ends.get(frame) ?? []), suspicion]);
      },
    }),
  );
  const auditor = createAuditor({
    ...{ book: ledger.audits, acts: ledger.acts, clock, log: SILENT },
    coins: {
      newSeed: () => ({
        seed: String(number).padStart(64, "0"),
        commitment: `life ${number}, ${random.next()}`,
      }),
      coinOf: AUDIT_COINS.coinOf,
    },
  });
  auditor.start();
  const gateway = createGateway({
    auditor,
    stations: STATIONS.map((name, i) => ({
      name,
      match: (topic) => {
        const [station, source] = topic.split("/");
        return station === name ? { source: source!, valid: true, frame: undefined } : undefined;
      },
      encodings: ["raw"],
      sources: undefined,
      frameBytesMax: FRAME_BYTES_MAX,
      classes: ["good", "bad"],
      bundle: "b".repeat(64),
      rule: aRule(),
      engine: engines[i]!,
      overload: policies[name]!,
      reviewDeadlineMs: 60_000,
      framesPerPartMax: FRAMES_PER_PART_MAX,
      parts: { windowMs: PART_WINDOW_MS, openMax: PARTS_OPEN_MAX },
      // One station's parts are drawn, the other's are not.
      ...(name === AUDITED && {
        audits: { auditRate: AUDIT_RATE, deadlineMs: AUDIT_DEADLINE_MS, known: KNOWN },
      }),
    })),
    intake: session.intakeFor(life),
    ledger,
    relay,
    clock,
    metrics: {
      decided({ station, decision, reason }, count) {
        for (let i = 0; i < count; i++) add(counts.counted, `${station} ${decision} ${reason}`);
      },
      latency() {},
      wouldBe() {},
      partCut: () => journal.note("part-cut"),
      redelivered() {},
      unrouted() {},
      publishRefused() {},
      stage() {},
    },
    log: SILENT,
    review: { classCosts: {} },
    reviews: EACH_ANNOUNCED,
    idPrefix: String(number),
    batchMax: bounds.batchMax,
    backlogMax: { frames: bounds.backlogFrames, bytes: bounds.backlogBytes },
  });
  void gateway.start();
  return { life, gateway, engines, counts };
}

/** A sensor in doubt sends a frame again, as another message: what is known against it goes over. */
function frameOf({ plant }: World, seq: number | undefined): string {
  const message = plant.sent[seq ?? -1];
  return `${message?.topic} ${message?.frameId ?? seq}`;
}

/** Two crashes over a frame prove that it is poison, as do six kills from outside; nothing less does. */
function checkPoison(journal: Journal, { id, reason }: DecisionRecord, ends: readonly Suspicion[]): void {
  const crashes = ends.filter((suspicion) => suspicion === "strong").length;
  const kills = ends.filter((suspicion) => suspicion === "slight").length;
  const isProven = 3 * crashes + kills >= 6;
  if (reason === "poison" && !isProven)
    journal.violate(`decision ${id} is poison after ${crashes} crashes and ${kills} kills`);
  if (reason !== "poison" && crashes === 0 && kills > 1) journal.note("judged-after-kills");
}
