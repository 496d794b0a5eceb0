/** Asks a teacher about audited frames over the broker, and writes its answers down; asks again until the deadline. */

import type {
  AuditBook,
  AuditMetrics,
  Clock,
  Delivery,
  Intake,
  Log,
  Message,
  Publisher,
  WaitingAudit,
} from "./ports.ts";

/** What a teacher said, once it has been read. */
export interface TeacherReply {
  readonly audit: string | null;
  readonly bundle: string | null;
  readonly worker: string;
  readonly answer?: { readonly unfaithful: boolean };
  readonly refused?: { readonly code: string; readonly message: string };
}

export type ReadReply =
  | { readonly ok: true; readonly value: TeacherReply }
  | { readonly ok: false; readonly problem: string };

export interface AuditingOptions {
  readonly book: Pick<AuditBook, "waitingForTeacher" | "answer">;
  readonly replies: Pick<Intake, "start" | "acknowledge">;
  readonly publisher: Pick<Publisher, "connected" | "publish">;
  readonly question: (audit: WaitingAudit) => Message;
  readonly read: (payload: Uint8Array) => ReadReply;
  readonly metrics: Pick<AuditMetrics, "answerIgnored">;
  /** Questions without an answer, at most. */
  readonly inFlightMax: number;
  /** After which an unanswered one is asked again, perhaps of another teacher. */
  readonly againMs: number;
  /** An answer was written down. */
  readonly onAnswer: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

const ROUND_MS = 1000;
/** Of one part; in base64 it is a third more, which is what a teacher takes. */
const FRAME_BYTES_MAX = 32 * 1024 * 1024;
/** After so many teachers in turn that do not have a bundle, its audits wait, so that they hold up no others. */
const UNKNOWN_MAX = 3;

/** A question that was asked. */
interface Asked {
  readonly bundle: string;
  readonly deadlineAtMs: number;
  /** On the monotonic clock. */
  againAtMs: number;
}

export function createAuditing(options: AuditingOptions) {
  const { book, replies, publisher, question, read, metrics, inFlightMax, againMs, clock, log } = options;
  /** Until it is answered or its deadline: an answer may come after it was asked again. */
  const asked = new Map<string, Asked>();
  /** Those of them that an answer is waited for. */
  const out = new Set<string>();
  /** Refusals in turn, by bundle, and until when it is not asked about. */
  const unknown = new Map<string, { count: number; untilMs: number }>();
  /** Up to this decision all that wait are held back, as far as is known until this time. */
  let passedOver = { decision: 0, untilMs: 0 };
  let cancel: (() => void) | undefined;
  let isClosed = false;
  let isFailing = false;

  function ask(): void {
    const nowMs = clock.nowMs();
    const tickMs = clock.monotonicMs();
    for (const id of out) if ((asked.get(id)?.againAtMs ?? 0) <= tickMs) out.delete(id);
    const room = inFlightMax - out.size;
    if (room <= 0 || !publisher.connected) return;
    for (const audit of book.waitingForTeacher(nowMs, room, wanted(tickMs))) send(audit, tickMs);
  }

  /** Thousands of audits of a bundle that nobody has are looked through once in a while, and not at every answer. */
  function wanted(tickMs: number): Parameters<AuditingOptions["book"]["waitingForTeacher"]>[2] {
    if (tickMs >= passedOver.untilMs) passedOver = { decision: 0, untilMs: tickMs + againMs };
    let isFirst = true;
    return {
      after: passedOver.decision,
      isWanted({ id, bundle, decision }) {
        const isHeldBack = (unknown.get(bundle)?.untilMs ?? 0) > tickMs;
        isFirst &&= isHeldBack;
        if (isFirst) passedOver.decision = decision;
        return !isHeldBack && (asked.get(id)?.againAtMs ?? 0) <= tickMs;
      },
    };
  }

  function send(audit: WaitingAudit, tickMs: number): void {
    const { id, bundle, deadlineAtMs, frames } = audit;
    const bytes = frames.reduce((sum, { payload }) => sum + payload.length, 0);
    if (bytes > FRAME_BYTES_MAX) {
      log.warn({ audit: id, bytes }, "a part has more bytes than a teacher takes; it stays unanswered");
      asked.set(id, { bundle, deadlineAtMs, againAtMs: Number.POSITIVE_INFINITY });
      return;
    }
    const one: Asked = { bundle, deadlineAtMs, againAtMs: tickMs + againMs };
    asked.set(id, one);
    out.add(id);
    publisher.publish(question(audit), (error) => {
      if (error === undefined) return;
      out.delete(id);
      if (error.failure === "offline" || error.failure === "lost" || error.failure === "full") return;
      log.warn({ audit: id, error: error.message }, "the broker does not take a question to the teacher");
      // It will be no smaller at the next try.
      if (error.failure === "unsendable") one.againAtMs = Number.POSITIVE_INFINITY;
    });
  }

  function receive({ ticket, payload }: Delivery): void {
    try {
      const found = read(payload);
      if (found.ok) take(found.value);
      else ignore({ problem: found.problem });
      isFailing = false;
    } catch (error) {
      // Asked again in its time, when the ledger can be written.
      if (!isFailing) log.error({ error: (error as Error).message }, "a teacher's answer could not be kept");
      isFailing = true;
    }
    replies.acknowledge([ticket]);
  }

  function take(reply: TeacherReply): void {
    const { audit, bundle, worker, answer, refused } = reply;
    const one = audit === null ? undefined : asked.get(audit);
    // It answers for the very bundle that was asked about, or for nothing.
    if (audit === null || one === undefined || one.bundle !== bundle) {
      ignore({ audit, bundle, worker });
      return;
    }
    out.delete(audit);
    if (answer !== undefined) {
      const { unfaithful, ...rest } = answer;
      const details = JSON.stringify({ worker, ...rest });
      // Faithful is what must be shown.
      const kept = book.answer(audit, "teacher", unfaithful !== false, clock.nowMs(), details);
      if (kept !== "noted") log.warn({ audit, worker, kept }, "an answer came too late to be counted");
      asked.delete(audit);
      unknown.delete(bundle);
      options.onAnswer();
    } else {
      log.debug({ audit, worker, ...refused }, "a teacher has no answer; asked again later");
      if (refused?.code === "unknown-bundle") holdBack(bundle, worker);
    }
    look();
  }

  function holdBack(bundle: string, worker: string): void {
    const count = (unknown.get(bundle)?.count ?? 0) + 1;
    const untilMs = count >= UNKNOWN_MAX ? clock.monotonicMs() + againMs : 0;
    unknown.set(bundle, { count, untilMs });
    if (count === UNKNOWN_MAX)
      log.warn(
        { bundle, worker },
        "no teacher has this bundle; its audits wait until one has, or their deadline",
      );
  }

  function ignore(fields: object): void {
    metrics.answerIgnored();
    log.debug(fields, "a teacher's answer to nothing that was asked was ignored");
  }

  /** Asks for what there is room for. */
  function look(): void {
    if (isClosed) return;
    try {
      ask();
    } catch (error) {
      log.error({ error: (error as Error).message }, "the teacher could not be asked; tried again");
    }
  }

  function round(): void {
    const nowMs = clock.nowMs();
    for (const [id, { deadlineAtMs }] of asked) {
      if (deadlineAtMs > nowMs) continue;
      asked.delete(id);
      out.delete(id);
    }
    look();
    if (!isClosed) cancel = clock.after(ROUND_MS, round);
  }

  return {
    /** Rejects if the broker refuses the subscription to the answers. */
    async start(): Promise<void> {
      await replies.start(receive, () => {});
      round();
    },
    close(): void {
      isClosed = true;
      cancel?.();
    },
  };
}
