/** What the console reads of answers whose schemas it has no types of. */

import type { HistoryView } from "../../src/http/history-route.ts";

export type { HistoryView };
export type HistoryPoint = HistoryView["points"][number];

export interface CertificateRule {
  readonly lambda: number;
  readonly station: {
    readonly n: number;
    readonly k: number;
    readonly upperBound: number;
    readonly method: "walk" | "table" | "classes";
  };
  readonly classes: readonly {
    readonly class: string;
    readonly n: number;
    readonly k: number;
    readonly upperBound: number;
  }[];
  readonly expectedPassRate: number;
  readonly allowed: boolean;
  readonly why?: string;
}

export interface CertificateView {
  readonly revision: number;
  readonly mode: "shadow" | "guarded";
  readonly lambda: number | null;
  readonly alpha: number;
  readonly alphaClass: number;
  readonly eta: number;
  readonly delta: number;
  readonly passRate: number | null;
  readonly rules: readonly CertificateRule[];
  readonly classes: readonly string[];
}

interface Workload {
  readonly perHour: number;
  readonly largestHour: number;
  readonly hoursOverBudget: number;
}

interface Known {
  readonly found: number;
  readonly passedNow: number;
  readonly wouldPass: number;
}

/** As `sekisho replay --json` has it. */
export interface ReplayView {
  readonly from: string | null;
  readonly to: string | null;
  readonly decided: { readonly decided: number; readonly now: number; readonly would: number };
  readonly moved: { readonly passToReview: number; readonly reviewToPass: number };
  readonly classes: readonly {
    readonly class: string;
    readonly decided: number;
    readonly now: number;
    readonly would: number;
  }[];
  readonly reasons: readonly { readonly reason: string; readonly now: number; readonly would: number }[];
  readonly reviewsPerHour: { readonly budget: number; readonly now: Workload; readonly would: Workload };
  readonly known: { readonly wrong: Known };
}

export interface MonitorView {
  readonly state: "off" | "green" | "amber" | "red";
  readonly since?: string;
  readonly evidence?: { readonly drift: number; readonly risk: number };
  readonly words: { readonly en: string; readonly ja: string };
}
