/** Which station a page shows: the one in the address, else the first; chosen where there are several. */

import { stations } from "../events.ts";
import { t } from "../i18n/index.ts";
import { type Page, replaceRoute, route } from "../route.ts";
import { Select } from "./select.tsx";

/** Undefined while none is known. */
export function chosenStation() {
  const [asked] = route.value.path;
  const all = stations.value;
  return (asked === undefined ? undefined : all.get(asked)) ?? [...all.values()][0];
}

export function StationChoice({ page, chosen }: { readonly page: Page; readonly chosen: string }) {
  const names = [...stations.value.keys()];
  if (names.length < 2) return <p class="station-name">{chosen}</p>;
  return (
    <Select
      label={t("line.station")}
      value={chosen}
      choices={names.map((name) => [name, name] as const)}
      onChange={(name) => replaceRoute(page, name)}
    />
  );
}
