/** What is searched for: kept in the address, so that a search can be sent to somebody, and asked of the API. */

import { signal } from "@preact/signals";

export const WITHIN = ["1h", "24h", "7d", "all", "custom"] as const;
export type Within = (typeof WITHIN)[number];

export interface Filters {
  readonly within: Within;
  /** As a `datetime-local` input has them: this browser's time. */
  readonly from: string;
  readonly to: string;
  readonly station: string;
  readonly source: string;
  readonly decision: string;
  readonly reason: string;
  readonly class: string;
  readonly part: string;
}

export const NO_FILTERS: Filters = {
  ...{ within: "24h", from: "", to: "", station: "", source: "" },
  ...{ decision: "", reason: "", class: "", part: "" },
};

const NAMES = Object.keys(NO_FILTERS) as (keyof Filters)[];
const HOUR_MS = 3_600_000;
const WITHIN_MS: Readonly<Partial<Record<Within, number>>> = {
  "1h": HOUR_MS,
  "24h": 24 * HOUR_MS,
  "7d": 7 * 24 * HOUR_MS,
};

/** Stays while one looks at another page. */
export const filters = signal<Filters>(NO_FILTERS);

/** @param query of the address; members that it does not have are not filtered by */
export function filtersOf(query: URLSearchParams): Filters {
  const found = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? NO_FILTERS[name]]));
  const within = WITHIN.find((one) => one === found.within) ?? NO_FILTERS.within;
  return { ...NO_FILTERS, ...found, within };
}

/** For the address: what differs from no filters. */
export function queryOf(chosen: Filters): URLSearchParams {
  return new URLSearchParams(
    NAMES.flatMap((name) =>
      chosen[name] === NO_FILTERS[name] ? [] : [[name, chosen[name]] as [string, string]],
    ),
  );
}

/** For the API, the time as moments. */
export function apiQueryOf(chosen: Filters, nowMs: number): URLSearchParams {
  const { within, from, to, ...rest } = chosen;
  const span = WITHIN_MS[within];
  const query = new URLSearchParams(
    Object.entries(rest).flatMap(([name, value]) =>
      value.trim() === "" ? [] : [[name, value.trim()] as [string, string]],
    ),
  );
  const isCustom = within === "custom";
  const since = isCustom
    ? momentOf(from)
    : span === undefined
      ? undefined
      : new Date(nowMs - span).toISOString();
  const until = isCustom ? momentOf(to) : undefined;
  if (since !== undefined) query.set("from", since);
  if (until !== undefined) query.set("to", until);
  return query;
}

function momentOf(local: string): string | undefined {
  const time = new Date(local);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
