/**
 * The auditor: draws passed parts by coins of a seed that nobody knows, puts on record how before the first is drawn, and
 * shows the seed afterwards.
 */

import {
  type Audit,
  type AuditPolicy,
  type AuditTerms,
  draw,
  type OpeningAudit,
  type PassedEntry,
  piMaxOf,
  policyOf,
} from "../core/audit.ts";
import type { MonitorState } from "../core/judge.ts";
import type { OpeningReview } from "../core/record.ts";
import type { ActBook, AuditBook, AuditCoins, AuditSeed, Clock, Coin, CoinSubject, Log } from "./ports.ts";
import type { InForce } from "./station.ts";

export interface AuditorOptions {
  readonly book: Pick<AuditBook, "keepSeed" | "seeds" | "forgetSeed" | "expire">;
  readonly acts: Pick<ActBook, "append">;
  readonly coins: AuditCoins;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of audits of which a question has passed its deadline. */
  readonly onExpired?: (audits: readonly Audit[]) => void;
}

/** The coin of a part, fixed when its first frame came, and the policy that it is drawn under. */
export interface PartCoin extends Coin {
  readonly policy: AuditPolicy;
}

/** A policy with its seed, from the first coin on until the seed is shown. */
interface LivePolicy extends AuditSeed {
  readonly policy: AuditPolicy;
  readonly bundle: string;
  isAnnounced: boolean;
  /** On the monotonic clock; undefined while it is in force. */
  endedAtMs: number | undefined;
}

export type Auditor = ReturnType<typeof createAuditor>;

const ROUND_MS = 1000;
/** Between two rounds where more is past its deadline; batches of frames come in between. */
const NEXT_MS = 10;
/** After its policy has ended a seed is kept secret for so long: batches under way may still be drawn by it. */
const SECRET_AFTER_END_MS = 60_000;

/** How a draw is checked, for whoever reads the act. */
const HOW =
  "a passed part is drawn if the first 13 hexadecimal digits of the SHA-256 of seed LF station LF source LF frame LF part LF receivedAt (milliseconds), of its first frame, are below pi * 16^13; pi is auditRate, while the monitor is amber amberFactor times it, at most 1; the commitment is the SHA-256 of the seed as text";

export function createAuditor({ book, acts, coins, clock, log, onExpired }: AuditorOptions) {
  const policies = new WeakMap<InForce, LivePolicy>();
  const live = new Set<LivePolicy>();
  /** Seeds of runs before this one. */
  let left: readonly AuditSeed[] = book.seeds();
  let unannounced = 0;
  let isFailing = false;
  let isClosed = false;
  let cancel: (() => void) | undefined;

  function policyIn(inForce: InForce, terms: AuditTerms, station: string): LivePolicy {
    let found = policies.get(inForce);
    if (found === undefined || !live.has(found)) {
      const { rule, bundle } = inForce;
      found = {
        ...coins.newSeed(),
        ...{ station, revision: rule.revision, bundle, policy: policyOf(terms) },
        ...{ isAnnounced: false, endedAtMs: undefined },
      };
      policies.set(inForce, found);
      live.add(found);
      unannounced++;
    }
    return found;
  }

  function record(of: AuditSeed, body: object): void {
    const { station, revision } = of;
    acts.append([
      { station, kind: "audit-policy", revision, atMs: clock.nowMs(), body: JSON.stringify(body) },
    ]);
  }

  /** Shows a seed whose policy draws no more. Where the daemon ends in between, it is shown once more. */
  function reveal(of: AuditSeed): void {
    record(of, { what: "ended", commitment: of.commitment, seed: of.seed });
    book.forgetSeed(of.commitment);
  }

  function revealEnded(): void {
    for (const seed of left) {
      reveal(seed);
      left = left.filter((one) => one !== seed);
    }
    const nowMs = clock.monotonicMs();
    for (const one of live) {
      if (one.endedAtMs === undefined || nowMs - one.endedAtMs < SECRET_AFTER_END_MS) continue;
      if (one.isAnnounced) reveal(one);
      live.delete(one);
    }
  }

  function round(): void {
    let hasMore = false;
    try {
      revealEnded();
      const expired = book.expire(clock.nowMs());
      hasMore = expired.length > 0;
      if (hasMore) {
        log.warn({ audits: expired.length }, "audits passed their deadline unanswered, and count as bad");
        onExpired?.(expired);
      }
      isFailing = false;
    } catch (error) {
      // What is due stays due. Said once, not at every round.
      if (!isFailing) log.error({ error: (error as Error).message }, "audits cannot be kept up; tried again");
      isFailing = true;
    }
    if (!isClosed) cancel = clock.after(hasMore ? NEXT_MS : ROUND_MS, round);
  }

  return {
    /** Shows the seeds of runs before this one, and looks from now on for what is past its deadline. */
    start: round,

    /** The coin of a part by its first frame; undefined where no part is drawn. */
    coinOf(station: string, inForce: InForce, first: CoinSubject): PartCoin | undefined {
      if (inForce.audits === undefined) return undefined;
      const { policy, seed } = policyIn(inForce, inForce.audits, station);
      return { policy, ...coins.coinOf(seed, first) };
    },

    /**
     * Puts on record how parts are drawn, where that is not done yet; to be called before each commit of drawn parts.
     * @throws what the ledger throws: nothing may then be drawn
     */
    announce(): void {
      if (unannounced === 0) return;
      for (const one of live) {
        if (one.isAnnounced) continue;
        const { policy, bundle, commitment } = one;
        const { auditRate, piMin, amberFactor, deadlineMs, known } = policy;
        book.keepSeed(one);
        record(one, {
          ...{ what: "begins", auditRate, piMin, amberFactor, deadlineSeconds: deadlineMs / 1000 },
          ...{ knownPerAudit: known?.perAudit ?? 0, bundle, commitment, how: HOW },
        });
        one.isAnnounced = true;
        unannounced--;
      }
    },

    /** This has taken the place of what was in force at a station. */
    changed(station: string, inForce: InForce): void {
      const now = policies.get(inForce);
      for (const one of live) {
        if (one.station !== station) continue;
        one.endedAtMs = one === now ? undefined : (one.endedAtMs ?? clock.monotonicMs());
      }
    },

    close(): void {
      isClosed = true;
      cancel?.();
    },
  };
}

/** Whether a part with this coin may be drawn, should it pass: only then need its frames be kept. */
export function mayBeDrawn(coin: PartCoin | undefined): coin is PartCoin {
  return coin !== undefined && coin.value < piMaxOf(coin.policy);
}

/**
 * How a part that passes is drawn.
 * @param frames as in OpeningAudit
 */
export function passedEntry(
  { policy, value }: PartCoin,
  monitor: MonitorState,
  atMs: number,
  frames: OpeningAudit["frames"],
): PassedEntry {
  const { pi, piMin, isDrawn, known } = draw(policy, monitor, value);
  return {
    pi,
    piMin,
    known,
    audit: isDrawn ? { deadlineAtMs: atMs + policy.deadlineMs, frames } : undefined,
  };
}

/**
 * The review of a drawn part, or of a known frame in the name of one that was not, as yet unannounced; undefined for any
 * other part that passed. Ranked by the coin, so that its place tells nothing of the student.
 * @param open its id, deadline and how the part's own frame is to be read, asked for only where there is one
 */
export function auditReview(
  passed: PassedEntry | undefined,
  coin: Coin | undefined,
  open: () => { readonly id: string; readonly deadlineAtMs: number; readonly contentType: string },
): OpeningReview | undefined {
  if (coin === undefined || passed === undefined) return undefined;
  const { audit, known } = passed;
  if (audit === undefined && known === undefined) return undefined;
  const { id, deadlineAtMs, contentType } = open();
  return {
    ...{ id, deadlineAtMs, priority: coin.rank, contentType: known?.contentType ?? contentType },
    ...{ alert: undefined, lead: undefined },
  };
}
