/** What is in force at each station, engines, bundle and thresholds, and how others take their place while frames flow. */

import type { KnownFrames } from "../core/audit.ts";
import type { Clock, Log } from "../gateway/ports.ts";
import type { InForce } from "../gateway/station.ts";
import { formatProblems, type Problem } from "../schema/document.ts";
import { AUDIT_DEADLINE_SECONDS } from "../thresholds/file.ts";
import type { EnginePool } from "./engine-pool.ts";
import type { StationReread, StationSetup } from "./station-setup.ts";

/** What became of a station when its files were read again. */
export type Change =
  | { readonly station: string; readonly outcome: "unchanged" | "in-force" }
  | { readonly station: string; readonly outcome: "refused"; readonly reason: string };

export interface Refused {
  readonly at: string;
  readonly reason: string;
}

/** A station with the engines that judge for it. */
interface Running {
  readonly setup: StationSetup;
  readonly pool: EnginePool;
  /** Why the files found last are not in force, if they are not. */
  readonly refused: Refused | undefined;
}

export interface InForceOptions {
  readonly stations: readonly StationSetup[];
  /** Starts engines for a bundle; each has verified it, warmed up and reproduced its golden frames. */
  readonly startPool: (setup: StationSetup) => Promise<EnginePool>;
  readonly reread: (setup: StationSetup) => StationReread;
  /** Told of everything that was not put in force. */
  readonly onRefused: (station: string, reason: string) => void;
  /** Why the files found at start are not what judges. */
  readonly refusedAtStart?: ReadonlyMap<string, string>;
  /** Told where a file of a bundle is not the one that the bundle was made with. */
  readonly onMismatch?: (station: string, reason: string) => void;
  /** Undefined where a station's reviewers are asked about nothing that is known. */
  readonly known?: (station: string) => KnownFrames | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export type StationsInForce = Awaited<ReturnType<typeof startStations>>;

/** Characters of a reason that are published. */
const REASON_CHARACTERS_MAX = 500;

/** Starts the engines of all stations. @throws what `startPool` throws; engines that had been started are closed */
export async function startStations(options: InForceOptions) {
  const { startPool, reread, onRefused, onMismatch, known = () => undefined, clock, log } = options;
  const running = new Map<string, Running>();
  let isClosing = false;
  let reloading: Promise<readonly Change[]> = Promise.resolve([]);
  let next: Promise<readonly Change[]> | undefined;

  const refusedNow = (reason: string): Refused => ({
    at: new Date(clock.nowMs()).toISOString(),
    reason: reason.slice(0, REASON_CHARACTERS_MAX),
  });
  const closeAll = async (): Promise<void> => {
    await Promise.all([...running.values()].map(({ pool }) => pool.close()));
  };
  try {
    for (const setup of options.stations) {
      const reason = options.refusedAtStart?.get(setup.name);
      const pool = await startPool(setup);
      running.set(setup.name, {
        setup,
        pool,
        refused: reason === undefined ? undefined : refusedNow(reason),
      });
    }
  } catch (error) {
    await closeAll();
    throw error;
  }

  const refuse = (station: string, reason: string): Change => {
    log.error({ station, reason }, "what was to come into force is refused; what is in force goes on");
    onRefused(station, reason);
    running.set(station, { ...running.get(station)!, refused: refusedNow(reason) });
    return { station, outcome: "refused", reason };
  };

  /** Reads one station's files, and puts them in force if nothing speaks against them. */
  const reload = async (station: string, putInForce: PutInForce): Promise<Change> => {
    const before = running.get(station)!;
    const read = reread(before.setup);
    if (!read.ok) {
      const mismatch = read.problems.find(({ path }) => path?.at(-1) === "sha256");
      if (mismatch !== undefined) onMismatch?.(station, mismatch.message);
      return refuse(station, formatProblems(read.problems));
    }
    const { setup } = read;
    const stale = staleRevision(before.setup, setup);
    if (stale !== undefined) return refuse(station, formatProblems([stale]));
    const isSameBundle = setup.bundle.digest === before.setup.bundle.digest;
    const isSameRule = setup.rule.stopped === before.setup.rule.stopped;
    if (isSameBundle && isSameRule && isSameThresholds(setup, before.setup)) {
      running.set(station, { ...before, refused: undefined });
      return { station, outcome: "unchanged" };
    }
    let pool = before.pool;
    if (!isSameBundle) {
      try {
        pool = await startPool(setup);
      } catch (error) {
        return refuse(station, (error as Error).message);
      }
    }
    if (isClosing) {
      if (pool !== before.pool) await pool.close();
      return { station, outcome: "unchanged" };
    }
    try {
      if (running.get(station)!.setup !== before.setup) throw new Error("others came into force meanwhile");
      read.commit?.();
    } catch (error) {
      if (pool !== before.pool) await pool.close();
      return refuse(station, (error as Error).message);
    }
    running.set(station, { setup, pool, refused: undefined });
    putInForce(station, inForceOf(setup, pool, known(station)));
    const { thresholds, bundle } = setup;
    log.info(
      {
        ...{ station, bundle: bundle.manifest.name, bundleVersion: bundle.manifest.version },
        ...{ bundleSha256: bundle.digest, revision: thresholds.revision },
        revisionBefore: before.setup.thresholds.revision,
      },
      "another bundle or other thresholds are in force",
    );
    // Each batch that the old engines have was given to them before the switch; they answer it, and end.
    if (pool !== before.pool) await before.pool.close();
    return { station, outcome: "in-force" };
  };

  const reloadAll = async (putInForce: PutInForce): Promise<readonly Change[]> => {
    next = undefined;
    const changes: Change[] = [];
    for (const station of running.keys()) {
      if (!isClosing) changes.push(await reload(station, putInForce));
    }
    return changes;
  };

  return {
    inForce: (station: string): InForce => {
      const { setup, pool } = running.get(station)!;
      return inForceOf(setup, pool, known(station));
    },
    setupOf: (station: string): StationSetup => running.get(station)!.setup,
    setups: (): readonly StationSetup[] => [...running.values()].map(({ setup }) => setup),
    refused: (station: string): Refused | undefined => running.get(station)?.refused,
    engines: () =>
      [...running].flatMap(([station, { pool }]) => pool.engines().map((one) => ({ ...one, station }))),

    /** Puts other thresholds in force at once; bundle and engines stay. */
    replace(setup: StationSetup, putInForce: PutInForce): void {
      const { pool } = running.get(setup.name)!;
      running.set(setup.name, { setup, pool, refused: undefined });
      putInForce(setup.name, inForceOf(setup, pool, known(setup.name)));
    },

    /**
     * Reads every station's bundle and thresholds again, one station after the other. Never two at a time: asked
     * again meanwhile, it reads once more when it is done. Never rejects for what the files hold.
     */
    reload(putInForce: PutInForce): Promise<readonly Change[]> {
      if (next === undefined) {
        next = reloading.then(
          () => reloadAll(putInForce),
          () => reloadAll(putInForce),
        );
        reloading = next;
      }
      return next;
    },

    async close(): Promise<void> {
      isClosing = true;
      await reloading.catch(() => {});
      await closeAll();
    },
  };
}

type PutInForce = (station: string, inForce: InForce) => void;

function inForceOf(
  { bundle, envelope, thresholds, rule }: StationSetup,
  pool: EnginePool,
  known: KnownFrames | undefined,
): InForce {
  return {
    engine: pool,
    classes: envelope.fitted.classes,
    bundle: bundle.digest,
    rule,
    reviewDeadlineMs: thresholds.reviewDeadlineSeconds * 1000,
    framesPerPartMax: envelope.certificate.framesPerPartMax,
    audits: auditTerms(thresholds, known),
  };
}

function auditTerms(
  { auditRate = 0, auditDeadlineSeconds }: StationSetup["thresholds"],
  known: KnownFrames | undefined,
): InForce["audits"] {
  if (auditRate === 0) return undefined;
  return { auditRate, known, deadlineMs: (auditDeadlineSeconds ?? AUDIT_DEADLINE_SECONDS) * 1000 };
}

function isSameThresholds(a: StationSetup, b: StationSetup): boolean {
  return JSON.stringify(a.thresholds) === JSON.stringify(b.thresholds);
}

/** A decision names its thresholds by their revision: of one envelope, the same number must not mean two things. */
function staleRevision(before: StationSetup, after: StationSetup): Problem | undefined {
  const [old, found] = [before.thresholds, after.thresholds];
  if (old.envelope !== found.envelope || isSameThresholds(before, after) || found.revision > old.revision) {
    return undefined;
  }
  return {
    file: after.config.thresholds,
    line: 1,
    column: 1,
    message: `revision: expected one above ${old.revision}, which is in force, found ${found.revision} with other content; count it up`,
  };
}
