/** Answers gateways' questions, one at a time, in the order in which they came. */

import type { Clock, Log, Message } from "../../gateway/ports.ts";
import type { Question } from "../../mqtt/responder.ts";
import { askingGateway, baseTopics } from "../../mqtt/topics.ts";
import { messageReader } from "../../schema/message.ts";
import {
  type RefusalCode,
  type TeacherRequest,
  TeacherRequestSchema,
  type TeacherResponse,
} from "../../schema/teacher-messages.ts";
import { FrameUnreadable, type Replay } from "./replay.ts";

export interface AnsweringOptions {
  readonly replays: readonly Pick<Replay, "name" | "digest" | "answer">[];
  /** Name of this teacher, in its answers. */
  readonly worker: string;
  readonly send: (message: Message, done: (error?: Error) => void) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Bytes of one question, base64 and all; a longer one is refused unread. */
const REQUEST_BYTES_MAX = 64 * 1024 * 1024;
/** Questions that wait; one more is refused, and may be put to another teacher. */
const WAITING_MAX = 64;
const WAITING_BYTES_MAX = 2 * REQUEST_BYTES_MAX;
const MESSAGE_CHARACTERS_MAX = 500;

interface Waiting {
  readonly gateway: string;
  readonly request: TeacherRequest;
  readonly correlation: Uint8Array | undefined;
  readonly bytes: number;
}

export function createTeacherAnswering({ replays, worker, send, clock, log }: AnsweringOptions) {
  const read = messageReader(TeacherRequestSchema, REQUEST_BYTES_MAX);
  const waiting: Waiting[] = [];
  let working: Promise<void> | undefined;
  let isClosed = false;

  function receive({ topic, payload, correlation }: Question): void {
    const gateway = askingGateway(topic);
    if (gateway === undefined) {
      log.warn({ topic }, "a question on a topic of no gateway; ignored");
      return;
    }
    const found = read(payload);
    if (!found.ok) {
      const nobody = { audit: null, bundle: null };
      refuse({ gateway, request: nobody, correlation }, "malformed", found.problem);
      return;
    }
    const asked = { gateway, request: found.value, correlation, bytes: payload.length };
    const refusal = whyNot(asked);
    if (refusal !== undefined) {
      refuse(asked, ...refusal);
      return;
    }
    // Asked again before it was answered: one answer will do.
    const { audit } = asked.request;
    if (waiting.some((one) => one.gateway === gateway && one.request.audit === audit)) return;
    waiting.push(asked);
    working ??= work().finally(() => {
      working = undefined;
    });
  }

  function whyNot({ request, bytes }: Waiting): readonly [RefusalCode, string] | undefined {
    if (!replays.some(({ digest }) => digest === request.bundle)) {
      const own = replays.map(({ name, digest }) => `${name} ${digest}`).join(", ");
      return ["unknown-bundle", `this teacher has ${own}`];
    }
    const bytesWaiting = waiting.reduce((sum, one) => sum + one.bytes, bytes);
    if (waiting.length < WAITING_MAX && bytesWaiting <= WAITING_BYTES_MAX) return undefined;
    return ["busy", `${waiting.length} questions wait`];
  }

  async function work(): Promise<void> {
    for (let asked = waiting[0]; asked !== undefined && !isClosed; asked = waiting[0]) {
      await answer(asked);
      waiting.shift();
    }
  }

  async function answer(asked: Waiting): Promise<void> {
    const { audit, bundle } = asked.request;
    const replay = replays.find(({ digest }) => digest === bundle)!;
    const startMs = clock.monotonicMs();
    try {
      const found = await replay.answer(asked.request);
      const ms = Math.round(clock.monotonicMs() - startMs);
      log.info({ gateway: asked.gateway, audit, bundle: replay.name, ms, ...found }, "answered");
      reply(asked, { answer: found });
    } catch (error) {
      const code = error instanceof FrameUnreadable ? "unreadable-frame" : "failed";
      refuse(asked, code, (error as Error).message);
    }
  }

  function refuse(asked: Asked, code: RefusalCode, message: string): void {
    log.warn({ gateway: asked.gateway, audit: asked.request.audit, code, why: message }, "refused");
    reply(asked, { refused: { code, message: message.slice(0, MESSAGE_CHARACTERS_MAX) } });
  }

  function reply(
    { gateway, request: { audit, bundle }, correlation }: Asked,
    body: Pick<TeacherResponse, "answer" | "refused">,
  ): void {
    const response: TeacherResponse = {
      ...{ audit, bundle, worker, at: new Date(clock.nowMs()).toISOString() },
      ...body,
    };
    const message: Message = {
      // Never where a message says: a stranger must not have it publish anywhere else.
      topic: baseTopics(gateway).teacherResponse,
      payload: JSON.stringify(response),
      qos: 1,
      ...(correlation !== undefined && { correlation }),
    };
    send(message, (error) => {
      if (error !== undefined)
        log.warn({ gateway, audit, error: error.message }, "an answer did not leave; it will be asked again");
    });
  }

  return {
    receive,
    /** Takes no further question; resolves when the one at hand is answered. */
    async close(): Promise<void> {
      isClosed = true;
      await working;
    },
  };
}

/** Whom an answer is for. */
interface Asked extends Pick<Waiting, "gateway" | "correlation"> {
  readonly request: { readonly audit: string | null; readonly bundle: string | null };
}
