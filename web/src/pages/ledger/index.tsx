/** The Ledger page: every decision, searched, opened, exported. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { route } from "../../route.ts";
import { Button } from "../../ui/button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Empty, Note } from "../../ui/state.tsx";
import { grouped } from "../../ui/words.ts";
import "../../style/parts.css";
import "../../style/ledger.css";
import { Detail } from "./detail.tsx";
import { FilterBar, TimeChoice } from "./filter-bar.tsx";
import { apiQueryOf, filters, filtersOf, queryOf } from "./filters.ts";
import { Rows } from "./rows.tsx";
import { FOUND_MAX, type Search, startSearch } from "./search.ts";

/** Typing is over when nothing was typed for so long. */
const TYPED_MS = 300;

export function LedgerPage() {
  const search = useSearch();
  const open = useSignal<number | undefined>(undefined);
  const found = search.found.value;
  const opened = open.value === undefined ? undefined : found[open.value];
  const goTo = (index: number) => () => {
    open.value = index;
    if (index + 1 >= found.length) search.more();
  };
  return (
    <section class="page ledger">
      <header class="page-head">
        <div>
          <h1>{t("ledger.title")}</h1>
          <p class="lead">{t("ledger.lead")}</p>
        </div>
        <TimeChoice />
      </header>
      <FilterBar />
      <Found search={search} onOpen={(index) => goTo(index)()} />
      {opened !== undefined && open.value !== undefined && (
        <Detail
          decision={opened}
          onNewer={open.value > 0 ? goTo(open.value - 1) : undefined}
          onOlder={open.value + 1 < found.length ? goTo(open.value + 1) : undefined}
          onClose={() => {
            open.value = undefined;
          }}
        />
      )}
    </section>
  );
}

/** The search of the filters as they stand: those of the address at first, and in the address when they change. */
function useSearch(): Search {
  const { query } = route.value;
  const asked = query.toString();
  // An address that says the same is the same.
  useMemo(() => {
    if (asked !== "") filters.value = filtersOf(query);
  }, [asked]);
  const current = useSignal(filters.value);
  useSignalEffect(() => {
    const chosen = filters.value;
    const written = queryOf(chosen).toString();
    history.replaceState(null, "", `#/ledger${written === "" ? "" : `?${written}`}`);
    const typed = setTimeout(() => {
      current.value = chosen;
    }, TYPED_MS);
    return () => clearTimeout(typed);
  });
  const search = useMemo(() => startSearch(apiQueryOf(current.value, Date.now())), [current.value]);
  useEffect(() => search.stop, [search]);
  return search;
}

function Exports() {
  return (
    <div class="ledger-exports">
      <span>{t("ledger.export")}</span>
      {(["csv", "ndjson"] as const).map((format) => {
        const query = apiQueryOf(filters.value, Date.now());
        query.set("format", format);
        return (
          <a
            key={format}
            class="button plain"
            href={`/api/decisions/export?${query}`}
            download={`decisions.${format}`}
          >
            <Icon name="down" />
            <span class="button-text">{t(`ledger.export.${format}`)}</span>
          </a>
        );
      })}
    </div>
  );
}

function Found({ search, onOpen }: { readonly search: Search; readonly onOpen: (index: number) => void }) {
  const found = search.found.value;
  const state = search.state.value;
  const isOver = state === "end" || state === "full";
  return (
    <div class="card ledger-found">
      <header class="ledger-top">
        <p class="ledger-count" role="status">
          {t(isOver ? "ledger.count" : "ledger.count.more", { count: found.length })}
          {state === "searching" && <span class="loading">{t("ledger.searching")}</span>}
        </p>
        <Exports />
      </header>
      {search.problem.value !== undefined && <Note tone="bad">{search.problem.value}</Note>}
      {found.length === 0 && isOver ? (
        <Empty icon="search" title={t("ledger.none")}>
          <p>{t("ledger.none.hint")}</p>
        </Empty>
      ) : (
        <Rows
          found={found}
          isAll={isOver}
          onNearEnd={state === "ready" ? search.more : noMore}
          onOpen={onOpen}
        />
      )}
      <Foot search={search} />
    </div>
  );
}

function noMore(): void {}

function Foot({ search }: { readonly search: Search }) {
  const state = search.state.value;
  if (state === "full") return <Note tone="warn">{t("ledger.full", { count: grouped(FOUND_MAX) })}</Note>;
  if (state !== "paused") return null;
  return (
    <div class="ledger-foot">
      <span>{t("ledger.searchedTo", { id: String(search.lookedTo.value ?? "") })}</span>
      <Button icon="search" onClick={search.more}>
        {t("ledger.further")}
      </Button>
    </div>
  );
}
