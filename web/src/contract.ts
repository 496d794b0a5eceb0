/** The answers of the gateway that several pages read. */

import type { CertificateView, ReplayView } from "../../src/http/certificate-schemas.ts";
import type { HistoryView } from "../../src/http/history-route.ts";

export type { CertificateView, HistoryView, ReplayView };
export type CertificateRule = CertificateView["rules"][number];
export type HistoryPoint = HistoryView["points"][number];

/** Its own module has more than types. */
export interface MonitorView {
  readonly state: "off" | "green" | "amber" | "red";
  readonly since?: string;
  readonly evidence?: { readonly drift: number; readonly risk: number };
  readonly words: { readonly en: string; readonly ja: string };
}
