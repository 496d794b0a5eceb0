/** `sekisho review list`: what waits for a person, most urgent first. */

import type { ReviewView } from "../../http/api-schemas.ts";
import { formatJson } from "../../schema/format-json.ts";
import { layOut } from "../prose.ts";
import type { Terminal } from "../terminal.ts";
import type { GatewayApi } from "./gateway-api.ts";
import { plain } from "./plain.ts";
import { fraction, span } from "./words.ts";

export interface ListOptions {
  readonly station?: string;
  readonly source?: string;
  readonly reason?: string;
  readonly state?: string;
  readonly limit?: string;
  readonly after?: string;
  readonly json?: boolean;
}

export async function listReviews(
  api: GatewayApi,
  { station, source, reason, state, limit, after, json }: ListOptions,
  terminal: Terminal,
  nowMs: number,
): Promise<void> {
  const page = await api.list({ station, source, reason, state, limit, after });
  if (json) return terminal.out(formatJson(page));
  if (page.reviews.length === 0) return terminal.out("no review is waiting that this asks for\n");
  const rows = page.reviews.map((review) => rowOf(review, nowMs));
  // A name that is cut could not be given to the next command: what is too long for the terminal wraps.
  terminal.out(`${layOut([HEADS, ...rows], Number.POSITIVE_INFINITY).join("\n")}\n`);
  if (page.next !== undefined) terminal.err(`there are more: --after ${plain(page.next)}\n`);
}

const HEADS = ["review", "state", "station", "source", "reason", "class", "sure", "waits", "by"];

function rowOf(review: ReviewView, nowMs: number): readonly string[] {
  const { state, station, source, reason, count, openedAt, overdue, claimedBy } = review;
  const stateText = count > 1 ? `${state} x${count}` : state;
  return [
    ...[review.review, overdue ? `${stateText}, late` : stateText, station, source, reason],
    ...[review.class ?? "-", review.confidence === null ? "" : fraction(review.confidence)],
    ...[span(nowMs - Date.parse(openedAt)), review.reviewer ?? claimedBy ?? ""],
  ].map(plain);
}
