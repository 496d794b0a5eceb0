/** Verdicts over MQTT: each is acknowledged once it is on disk and its reply has arrived, so that none is lost. */

import type { ActError, ActOutcome, Desk, Reviewer, VerdictKind } from "./desk.ts";
import type { Clock, Delivery, Intake, Log, Message, Publisher } from "./ports.ts";

/** What a verdict says, once it has been read. */
export interface Verdict {
  readonly review: string;
  readonly reviewRevision: number;
  readonly verdict: VerdictKind;
  readonly class?: string;
  readonly token?: string;
  readonly transaction?: string;
}

export type ReadVerdict =
  | { readonly ok: true; readonly value: Verdict }
  | { readonly ok: false; readonly problem: string };

export interface AnsweringOptions {
  readonly control: Pick<Intake, "start" | "acknowledge">;
  readonly publisher: Publisher;
  readonly desk: Pick<Desk, "act">;
  readonly clock: Clock;
  readonly log: Log;
  readonly read: (payload: Uint8Array) => ReadVerdict;
  /** Who it is, or why they may not answer. */
  readonly vouch: (name: string, token: string | undefined) => Reviewer | { readonly refused: string };
  /** Where a reply goes: the response topic if it may be one, else the gateway's own. */
  readonly replyTopic: (asked: string | undefined, name: string) => string;
  /** Answers what is no verdict; undefined for what is one. */
  readonly other?: (delivery: Delivery) => { readonly name: string; readonly body: object } | undefined;
}

/** A reply that has not arrived. */
interface Reply {
  readonly ticket: number;
  readonly message: Message;
  isOut: boolean;
}

const RETRY_MS = 1000;

export function createAnswering(options: AnsweringOptions) {
  const { control, publisher, desk, clock, log, read, vouch, replyTopic } = options;
  const replies = new Map<number, Reply>();
  let cancelRetry: (() => void) | undefined;

  function answer(delivery: Delivery): object {
    const found = read(delivery.payload);
    if (!found.ok) return unread(found.problem);
    const { token, transaction, verdict, review, reviewRevision, class: name } = found.value;
    const reviewer = vouch(delivery.topic.slice(delivery.topic.lastIndexOf("/") + 1), token);
    const outcome: ActOutcome =
      "refused" in reviewer
        ? {
            ok: false,
            error: "not-allowed",
            message: reviewer.refused,
            review,
            reviewRevision: null,
            state: null,
          }
        : desk.act(
            {
              kind: "resolve",
              ...{ review, reviewRevision, verdict },
              ...(name !== undefined && { class: name }),
              ...(transaction !== undefined && { transaction }),
            },
            reviewer,
          );
    return replyOf(outcome, transaction);
  }

  function receive(delivery: Delivery): void {
    const { ticket, responseTopic, correlation } = delivery;
    // What became of it is on disk here: from now on a crash can only have it asked, and answered, once more.
    const other = options.other?.(delivery);
    const body = other?.body ?? answer(delivery);
    const message: Message = {
      topic: replyTopic(responseTopic, other?.name ?? "verdict"),
      payload: JSON.stringify(body),
      qos: 1,
      ...(correlation !== undefined && { correlation }),
    };
    const reply: Reply = { ticket, message, isOut: false };
    replies.set(ticket, reply);
    send(reply);
  }

  function send(reply: Reply): void {
    if (!publisher.connected) return;
    reply.isOut = true;
    publisher.publish(reply.message, (error) => {
      if (replies.get(reply.ticket) !== reply) return;
      reply.isOut = false;
      const { failure } = error ?? {};
      if (failure === "lost" || failure === "offline" || failure === "full") {
        cancelRetry ??= clock.after(RETRY_MS, () => {
          cancelRetry = undefined;
          sendAll();
        });
        return;
      }
      // A reply that the broker does not take must not hold up all verdicts behind it.
      if (error !== undefined)
        log.warn({ error: error.message }, "the broker does not take a reply to a verdict");
      replies.delete(reply.ticket);
      control.acknowledge([reply.ticket]);
    });
  }

  function sendAll(): void {
    for (const reply of replies.values()) if (!reply.isOut) send(reply);
  }

  return {
    /** Rejects if the broker refuses the subscription. */
    start(): Promise<void> {
      publisher.onConnect(sendAll);
      // The broker delivers again what was not acknowledged: each is answered then, the same as before.
      return control.start(receive, () => replies.clear());
    },

    close(): void {
      cancelRetry?.();
    },
  };
}

function unread(problem: string): object {
  return { ok: false, review: null, reviewRevision: null, state: null, error: errorOf("malformed", problem) };
}

function replyOf(outcome: ActOutcome, transaction: string | undefined): object {
  const { ok, review, reviewRevision, state } = outcome;
  return {
    ok,
    ...(transaction !== undefined && { transaction }),
    ...{ review, reviewRevision, state },
    ...(!outcome.ok && { error: errorOf(outcome.error, outcome.message) }),
  };
}

function errorOf(code: ActError | "malformed", message: string): object {
  return { code, message };
}
