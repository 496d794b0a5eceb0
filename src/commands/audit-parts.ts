/** The audits of a daemon: who is asked the teacher's question, and what all answers come to. */

import type { Config } from "../config/schema.ts";
import { wrongBound } from "../core/audited-errors.ts";
import type { Random } from "../core/random.ts";
import { type EstimatesOptions, keepEstimates, type StationEstimates } from "../gateway/audit-estimates.ts";
import { createAuditing } from "../gateway/auditing.ts";
import type {
  AuditBook,
  AuditMetrics,
  Clock,
  Log,
  Message,
  Publisher,
  RiskListener,
  WaitingAudit,
} from "../gateway/ports.ts";
import type { StationAuditsView } from "../http/audit-schemas.ts";
import { createControl } from "../mqtt/control.ts";
import { baseTopics } from "../mqtt/topics.ts";
import { messageReader } from "../schema/message.ts";
import { type TeacherRequest, TeacherResponseSchema } from "../schema/teacher-messages.ts";
import type { EstimateGauges } from "../telemetry/audit-estimate-metrics.ts";
import type { BrokerEvents } from "./broker-events.ts";
import { connectionOptions } from "./broker-files.ts";
import type { StationsInForce } from "./in-force.ts";
import type { StationSetup } from "./station-setup.ts";
import { createIdleTeacher } from "./teacher-worker/idle.ts";

export interface AuditParts {
  readonly config: Config;
  readonly book: AuditBook;
  readonly publisher: Publisher;
  readonly inForce: Pick<StationsInForce, "setups">;
  readonly listener: RiskListener;
  readonly metrics: AuditMetrics;
  /** Whether no frame waits. */
  readonly isIdle: () => boolean;
  readonly broker: BrokerEvents;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
}

export type Audits = ReturnType<typeof openAudits>;

const RESPONSE_BYTES_MAX = 8192;

export function openAudits(parts: AuditParts) {
  const { config, book, inForce, listener, metrics, clock, log } = parts;
  const { teacher, backlogMax } = config.audits;
  const asksTeacher = teacher !== "none";
  const stations: EstimatesOptions["stations"] = () => inForce.setups().filter(isAudited).map(auditedStation);
  const estimates = keepEstimates({
    ...{ book, stations, asksTeacher, backlogMax, listener, metrics, clock, log },
  });
  const asking = asksTeacher ? openAsking(parts, () => estimates.look()) : undefined;
  return {
    /** A broker that refuses the answers' topic stops no frame. */
    async start(): Promise<void> {
      for (const { name } of asksTeacher ? [] : stations()) {
        log.warn(
          { station: name },
          "parts are audited, and nobody is asked whether they are faithful: the risk is not tested; set audits.teacher",
        );
      }
      estimates.start();
      try {
        await asking?.start();
      } catch (error) {
        log.error({ error: (error as Error).message }, "no teacher's answers can come in over MQTT");
      }
    },
    async close(): Promise<void> {
      estimates.close();
      await asking?.close();
    },
    gauges: {
      audits: () =>
        estimates.all().flatMap(({ name: station, questions }) =>
          questions.map(({ question, upperBound, estimate }) => {
            return { station, question, upperBound, risk: estimate?.risk };
          }),
        ),
    } satisfies EstimateGauges,
    /** What is said of a station; undefined where there is none of that name. */
    view(name: string): StationAuditsView | undefined {
      const setup = inForce.setups().find((one) => one.name === name);
      return setup && viewOf(setup, estimates.all());
    },
  };
}

function isAudited({ thresholds: { auditRate = 0, mode } }: StationSetup): boolean {
  return auditRate > 0 && mode === "guarded";
}

function auditedStation({ name, thresholds: { revision, alpha } }: StationSetup) {
  return { name, revision, alpha };
}

/** Whoever answers the teacher's question: workers on the broker, or the gateway's own. */
function openAsking(parts: AuditParts, onAnswer: () => void) {
  const { config, book, metrics, clock, log } = parts;
  const { teacher, inFlightMax, askAgainSeconds } = config.audits;
  const { publisher, replies, close } = teacher === "idle" ? ownTeacher(parts) : teachersOnBroker(parts);
  const topic = baseTopics(config.gateway).teacherRequest;
  const auditing = createAuditing({
    ...{ book, replies, publisher, metrics, onAnswer, clock, log },
    inFlightMax: teacher === "idle" ? 1 : inFlightMax,
    againMs: askAgainSeconds * 1000,
    read: messageReader(TeacherResponseSchema, RESPONSE_BYTES_MAX),
    question: (audit) => questionOf(audit, topic, clock.nowMs(), askAgainSeconds),
  });
  return {
    start: auditing.start,
    async close(): Promise<void> {
      auditing.close();
      await close();
    },
  };
}

function teachersOnBroker({ config, publisher, broker, random, clock }: AuditParts) {
  const replies = createControl({
    connection: {
      ...connectionOptions(config),
      clientId: `sekisho-${config.gateway}-answers`,
      sessionExpirySeconds: config.broker.sessionExpirySeconds,
    },
    filters: [baseTopics(config.gateway).teacherResponse],
    nowMs: clock.nowMs,
    random,
    onEvent: broker.of("answers"),
  });
  return { publisher, replies, close: replies.close };
}

function ownTeacher({ inForce, isIdle, log }: AuditParts) {
  const bundles = () =>
    inForce
      .setups()
      .filter(isAudited)
      .map(({ bundle: { digest, folder } }) => ({ digest, folder }));
  return createIdleTeacher({ bundles, isIdle, log });
}

function questionOf(
  { id, bundle, station, frames }: WaitingAudit,
  topic: string,
  nowMs: number,
  expirySeconds: number,
): Message {
  const request: TeacherRequest = {
    ...{ audit: id, bundle, station },
    frames: frames.map(({ contentType, payload }) => ({
      contentType: contentType as TeacherRequest["frames"][number]["contentType"],
      payload: Buffer.from(payload).toString("base64"),
    })),
    at: new Date(nowMs).toISOString(),
  };
  // One that lies about for longer is asked again anyway.
  return { topic, payload: JSON.stringify(request), qos: 1, correlation: Buffer.from(id), expirySeconds };
}

function viewOf(setup: StationSetup, all: readonly StationEstimates[]): StationAuditsView {
  const { name: station, thresholds, envelope, support } = setup;
  const { revision, alpha, auditRate = 0 } = thresholds;
  const questions = all.find(({ name }) => name === station)?.questions ?? [];
  const faithful = questions.find(({ question }) => question === "teacher");
  return {
    ...{ station, revision, alpha, auditRate },
    questions: questions.map(({ question, parts, drawn, waiting, findings, estimate, ...rest }) => ({
      ...{ question, parts, drawn, waiting, ...findings },
      estimate:
        estimate === undefined
          ? null
          : { risk: estimate.risk, standardError: Math.sqrt(estimate.designVariance) },
      ...{ upperBound: rest.upperBound, method: rest.method, eta: rest.eta, evidence: rest.evidence ?? null },
      unansweredCountsAs: "bad",
    })),
    wrong:
      faithful === undefined
        ? { known: false, words: "not asked of a teacher" }
        : wrongBound(faithful, envelope.teacherReliability, envelope.certificate, support.classes),
  };
}
