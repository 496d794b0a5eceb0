/** A search that goes back through the ledger page by page, as far as somebody looks. */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { DecisionView } from "../../../../src/http/api-schemas.ts";
import { get } from "../../api.ts";
import { errorInWords } from "../../ui/errors.ts";

/** `paused`: many pages were looked through and little was found; a person says whether to go on. */
export type SearchState = "searching" | "ready" | "paused" | "end" | "full";

export interface Search {
  readonly found: ReadonlySignal<readonly DecisionView[]>;
  readonly state: ReadonlySignal<SearchState>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** Number of the oldest decision that was looked at. */
  readonly lookedTo: ReadonlySignal<number | undefined>;
  /** Goes on; nothing while it is searching, or at the end. */
  more(): void;
  stop(): void;
}

interface Page {
  readonly decisions: readonly DecisionView[];
  readonly next?: number;
}

const PAGE = 200;
/** A page looks through 20,000 decisions at most, and may find none. */
const PAGES_AT_ONCE = 10;
/** What is kept in the browser. */
export const FOUND_MAX = 20_000;

/** @param query of the API; begins at once */
export function startSearch(query: URLSearchParams): Search {
  const found = signal<readonly DecisionView[]>([]);
  const state = signal<SearchState>("ready");
  const problem = signal<string>();
  const lookedTo = signal<number>();
  const leaving = new AbortController();

  async function go(): Promise<void> {
    state.value = "searching";
    problem.value = undefined;
    const wanted = found.value.length + PAGE;
    for (let page = 0; page < PAGES_AT_ONCE && found.value.length < wanted; page++) {
      const asked = new URLSearchParams(query);
      asked.set("limit", String(PAGE));
      if (lookedTo.value !== undefined) asked.set("before", String(lookedTo.value));
      const { decisions, next } = await get<Page>(`/decisions?${asked}`, { signal: leaving.signal });
      if (decisions.length > 0) found.value = [...found.value, ...decisions].slice(0, FOUND_MAX);
      if (found.value.length >= FOUND_MAX) {
        state.value = "full";
        return;
      }
      if (next === undefined) {
        state.value = "end";
        return;
      }
      lookedTo.value = next;
    }
    state.value = found.value.length < wanted ? "paused" : "ready";
  }

  function more(): void {
    if (state.value !== "ready" && state.value !== "paused") return;
    go().catch((error: unknown) => {
      if (leaving.signal.aborted) return;
      state.value = "paused";
      problem.value = errorInWords(error);
    });
  }

  more();
  return { found, state, problem, lookedTo, more, stop: () => leaving.abort() };
}
