/** The review desk of a daemon, and the connection on which verdicts come to it. */

import { originOf } from "../config/http.ts";
import type { Config } from "../config/schema.ts";
import type { Random } from "../core/random.ts";
import { createAnswering } from "../gateway/answering.ts";
import type { Clock, Log, Publisher, ReviewBook, ReviewMetrics } from "../gateway/ports.ts";
import type { Relay } from "../gateway/relay.ts";
import { createDesk, type ReviewDesk } from "../gateway/review-desk.ts";
import { createControl } from "../mqtt/control.ts";
import { baseTopics, isReplyTopic } from "../mqtt/topics.ts";
import { messageReader } from "../schema/message.ts";
import { VerdictSchema } from "../schema/review-messages.ts";
import type { BrokerEvents } from "./broker-events.ts";
import { connectionOptions } from "./broker-files.ts";
import type { StationsInForce } from "./in-force.ts";
import type { Vouch } from "./reviewers.ts";
import type { ThresholdsRequests } from "./thresholds-requests.ts";

export interface ReviewParts {
  readonly config: Config;
  readonly book: ReviewBook;
  readonly relay: Relay;
  readonly publisher: Publisher;
  readonly inForce: StationsInForce;
  readonly metrics: ReviewMetrics;
  readonly broker: BrokerEvents;
  readonly vouch: Vouch;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
}

const VERDICT_BYTES_MAX = 8192;

/** The desk that everyone acts at; its rounds have begun. */
export function openDesk({ config, book, relay, inForce, metrics, clock, log }: ReviewParts): ReviewDesk {
  const { review } = config;
  return createDesk({
    ...{ book, clock, log, metrics },
    classesOf: (station) =>
      inForce.setups().find(({ name }) => name === station)?.envelope.fitted.classes ?? [],
    deliver: (messages) => relay.committed([], messages),
    options: {
      language: review.language,
      frameInlineBytesMax: review.frameInlineBytesMax,
      // Where nobody can know it before the start, the link is a path.
      httpOrigin: originOf(config.http) ?? "",
      alertsPerHour: review.alertsPerHour,
      coalesceMs: review.coalesceSeconds * 1000,
      updateMs: review.updateSeconds * 1000,
      claimMs: review.claimSeconds * 1000,
      unresolvedMax: review.unresolvedMax,
    },
  });
}

/** Lets verdicts, and signed thresholds, in over MQTT. */
export function openAnswering(
  parts: ReviewParts,
  desk: ReviewDesk,
  filters: readonly string[],
  thresholds: ThresholdsRequests,
) {
  const { config, publisher, broker, vouch, random, clock, log } = parts;
  const topics = baseTopics(config.gateway);
  const requests = topics.request.replace("+", "thresholds");
  const control = createControl({
    connection: {
      ...connectionOptions(config),
      clientId: `sekisho-${config.gateway}-control`,
      sessionExpirySeconds: config.broker.sessionExpirySeconds,
    },
    filters: [topics.verdicts, requests],
    nowMs: clock.nowMs,
    random,
    onEvent: broker.of("control"),
  });
  const answering = createAnswering({
    ...{ control, publisher, desk, clock, log, vouch },
    read: messageReader(VerdictSchema, VERDICT_BYTES_MAX),
    other: (delivery) =>
      delivery.topic === requests ? { name: "thresholds", body: thresholds(delivery.payload) } : undefined,
    replyTopic: (asked, name) =>
      asked !== undefined && isReplyTopic(asked, config.gateway, filters) ? asked : topics.response(name),
  });
  return {
    /** A broker that refuses verdicts stops no frame. */
    async start(): Promise<void> {
      try {
        await answering.start();
      } catch (error) {
        log.error(
          { error: (error as Error).message },
          "neither verdicts nor thresholds can come in over MQTT",
        );
      }
    },
    async close(): Promise<void> {
      answering.close();
      await control.close();
    },
  };
}
