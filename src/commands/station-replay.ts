/** Replays for the console: another lambda, or another set of classes, over the last hours of a station. */

import type { Config } from "../config/schema.ts";
import { snapLambda } from "../core/envelope/lookup.ts";
import type { Clock } from "../gateway/ports.ts";
import type { Replayed } from "../http/certificate-routes.ts";
import type { ReplayBody } from "../http/certificate-schemas.ts";
import type { Thresholds } from "../thresholds/file.ts";
import { partsOptions } from "./daemon-parts.ts";
import { type ReplayTask, replayElsewhere } from "./replay/elsewhere.ts";
import { proposedOf, scaled } from "./replay/proposal.ts";
import type { ReplayReport } from "./replay/report.ts";
import type { StationSetup } from "./station-setup.ts";
import { Refusal } from "./terminal.ts";

export interface StationReplayOptions {
  readonly config: Config;
  readonly setups: () => readonly StationSetup[];
  readonly clock: Pick<Clock, "nowMs">;
  readonly run?: (task: ReplayTask, deadlineMs: number) => Promise<ReplayReport>;
}

const HOUR_MS = 3_600_000;
/** Shorter than a connection may be silent. */
const DEADLINE_MS = 50_000;

export function createStationReplay({ config, setups, clock, run = replayElsewhere }: StationReplayOptions) {
  let isRunning = false;
  return async (station: string, asked: ReplayBody): Promise<Replayed> => {
    const setup = setups().find(({ name }) => name === station);
    if (setup === undefined) return { kind: "no-station" };
    if (isRunning) return { kind: "busy" };
    isRunning = true;
    try {
      const report = await run(taskOf(setup, asked, config, clock.nowMs()), DEADLINE_MS);
      return { kind: "done", report: report as Extract<Replayed, { kind: "done" }>["report"] };
    } catch (error) {
      return { kind: error instanceof Refusal ? "refused" : "failed", why: (error as Error).message };
    } finally {
      isRunning = false;
    }
  };
}

/** @throws Refusal where there is no such rule */
function taskOf(setup: StationSetup, asked: ReplayBody, config: Config, nowMs: number): ReplayTask {
  const { thresholds, rule, support } = proposedOf(thresholdsAsked(setup, asked), setup);
  const { name: station, envelope } = setup;
  return {
    ledger: config.ledger.path,
    walk: {
      ...{ station, rule, inForce: setup.rule, bundle: setup.bundle.digest },
      ...{ sinceMs: nowMs - asked.hours * HOUR_MS, untilMs: Number.POSITIVE_INFINITY },
      framesPerPartMax: envelope.certificate.framesPerPartMax,
      windowMs: partsOptions(setup, config)?.windowMs ?? 0,
    },
    report: {
      ...{ station, support, inForce: setup.thresholds, proposal: thresholds },
      classNames: envelope.fitted.classes,
      budget: config.review.alertsPerHour,
    },
  };
}

function thresholdsAsked(setup: StationSetup, asked: ReplayBody): Thresholds {
  const { lambda, lambdaScale, classes, classLambdas } = asked;
  if (lambda !== undefined && lambdaScale !== undefined)
    throw new Refusal("give one of lambda and lambdaScale");
  const { thresholds, envelope } = setup;
  const base = lambdaScale === undefined ? thresholds : scaled(setup, lambdaScale);
  const known = envelope.fitted.classes;
  const unknown = [...(classes ?? []), ...Object.keys(classLambdas ?? {})].filter(
    (one) => !known.includes(one),
  );
  if (unknown.length > 0) throw new Refusal(`the bundle has no class ${unknown.join(", ")}`);
  const own = classLambdas ?? base.classLambdas;
  const next = lambda === undefined ? base.lambda : snapped(setup, lambda);
  return {
    ...base,
    lambda: next,
    classes: classes ?? base.classes,
    // One that is no stricter than the station's says nothing of its own.
    classLambdas: Object.fromEntries(
      Object.entries(own)
        .map(([name, value]) => [name, snapped(setup, value)] as const)
        .filter(([, value]) => next !== null && value < next),
    ),
  };
}

function snapped({ envelope: { certificate } }: StationSetup, lambda: number): number {
  const found = certificate.lambdas[certificate.coarse[snapLambda(certificate, lambda)] ?? -1];
  if (found !== undefined) return found;
  const strictest = certificate.lambdas[certificate.coarse[0] ?? -1];
  throw new Refusal(`lambda ${lambda}: no grid point is as strict; the strictest is ${strictest}`);
}
