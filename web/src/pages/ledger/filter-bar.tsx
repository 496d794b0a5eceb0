/** The filters of the ledger, the frequent ones in sight. */

import { stations } from "../../events.ts";
import { type Key, t } from "../../i18n/index.ts";
import { reasons } from "../../i18n/reasons.en.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Select } from "../../ui/select.tsx";
import { decisionName, reasonName } from "../../ui/words.ts";
import { type Filters, filters, NO_FILTERS, WITHIN } from "./filters.ts";

const REASONS = (Object.keys(reasons) as (keyof typeof reasons)[])
  .filter((key) => key.startsWith("reason."))
  .map((key) => key.slice("reason.".length));
const DECISIONS = ["pass", "review", "reject", "held"];

function set(more: Partial<Filters>): void {
  filters.value = { ...filters.value, ...more };
}

export function TimeChoice() {
  return (
    <Segments
      label={t("ledger.within")}
      value={filters.value.within}
      choices={WITHIN.map((one) => [one, t(`ledger.within.${one}` as Key)] as const)}
      onChange={(within) => set({ within })}
    />
  );
}

export function FilterBar() {
  const chosen = filters.value;
  const known = [...stations.value.values()];
  const classes = [...new Set(known.flatMap((one) => one.classes))].sort();
  const any = ["", t("ledger.any")] as const;
  const isChanged = JSON.stringify(chosen) !== JSON.stringify(NO_FILTERS);
  return (
    <search class="card ledger-filters" aria-label={t("ledger.filters")}>
      {chosen.within === "custom" && (
        <div class="ledger-span">
          <Field
            label={t("ledger.from")}
            type="datetime-local"
            value={chosen.from}
            onInput={(from) => set({ from })}
          />
          <Field
            label={t("ledger.to")}
            type="datetime-local"
            value={chosen.to}
            onInput={(to) => set({ to })}
          />
        </div>
      )}
      <div class="ledger-fields">
        <Select
          label={t("ledger.decision")}
          value={chosen.decision}
          choices={[any, ...DECISIONS.map((one) => [one, decisionName(one)] as const)]}
          onChange={(decision) => set({ decision })}
        />
        <Select
          label={t("ledger.reason")}
          value={chosen.reason}
          choices={[any, ...REASONS.map((one) => [one, reasonName(one)] as const)]}
          onChange={(reason) => set({ reason })}
        />
        <Select
          label={t("ledger.class")}
          value={chosen.class}
          choices={[any, ...classes.map((one) => [one, one] as const)]}
          onChange={(one) => set({ class: one })}
        />
        {known.length > 1 && (
          <Select
            label={t("ledger.station")}
            value={chosen.station}
            choices={[any, ...known.map(({ station }) => [station, station] as const)]}
            onChange={(station) => set({ station })}
          />
        )}
        <Field label={t("ledger.source")} value={chosen.source} onInput={(source) => set({ source })} />
        <Field label={t("ledger.part")} value={chosen.part} onInput={(part) => set({ part })} />
        <Button kind="quiet" icon="cross" disabled={!isChanged} onClick={() => set(NO_FILTERS)}>
          {t("ledger.reset")}
        </Button>
      </div>
    </search>
  );
}
