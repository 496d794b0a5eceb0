/** How long people take for a verdict: today's median, for those who work at it. Nobody is named, and nothing is stored. */

import type { FastifyInstance } from "fastify";
import Type from "typebox";
import { closed } from "../schema/review-messages.ts";
import { replies } from "./replies.ts";

/** From one verdict to the next; what took longer was a pause, or another task. */
const PAUSE_MS = 120_000;
/** The newest of a day. */
const KEPT_MAX = 2000;
/** People at work at a time; a name that is one more takes the place of the one seen longest ago. */
const PEOPLE_MAX = 200;
const DAY_MS = 86_400_000;

const TimingSchema = Type.Object(
  {
    verdicts: Type.Integer({ minimum: 0, description: "Timed today, by UTC, since the gateway's start." }),
    medianSeconds: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
      description: "From a person's verdict to their next, up to two minutes.",
    }),
  },
  closed,
);

export type VerdictTimes = ReturnType<typeof createVerdictTimes>;

export function createVerdictTimes(nowMs: () => number) {
  const lastOf = new Map<string, number>();
  let day = Number.NaN;
  let taken: number[] = [];

  function turnDay(): void {
    const today = Math.floor(nowMs() / DAY_MS);
    if (today === day) return;
    day = today;
    taken = [];
  }

  return {
    /** Somebody has answered a review. */
    answered(person: string): void {
      turnDay();
      const before = lastOf.get(person);
      lastOf.delete(person);
      lastOf.set(person, nowMs());
      if (lastOf.size > PEOPLE_MAX) lastOf.delete(lastOf.keys().next().value!);
      if (before === undefined) return;
      const tookMs = nowMs() - before;
      if (!(tookMs >= 0 && tookMs <= PAUSE_MS)) return;
      taken.push(tookMs);
      if (taken.length > KEPT_MAX) taken.shift();
    },

    today(): { readonly verdicts: number; readonly medianSeconds: number | null } {
      turnDay();
      const sorted = taken.toSorted((a, b) => a - b);
      const middle = sorted[Math.floor(sorted.length / 2)];
      return { verdicts: sorted.length, medianSeconds: middle === undefined ? null : middle / 1000 };
    },
  };
}

export function timingRoute(server: FastifyInstance, times: VerdictTimes): void {
  server.get(
    "/timing",
    {
      config: { needs: "viewer" },
      schema: { summary: "How long people take for a verdict today", response: replies(TimingSchema) },
    },
    async () => times.today(),
  );
}
