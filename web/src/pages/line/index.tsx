/** The Line page: how much goes to a person and why, the monitor, the promise, and what waits; live. */

import { useState } from "preact/hooks";
import type { StationView } from "../../../../src/http/api-schemas.ts";
import type { StationAuditsView } from "../../../../src/http/audit-schemas.ts";
import { get } from "../../api.ts";
import type { CertificateView, HistoryView, MonitorView } from "../../contract.ts";
import { type Key, t } from "../../i18n/index.ts";
import { useLoad } from "../../ui/load.ts";
import { Segments } from "../../ui/segments.tsx";
import { Empty, Note } from "../../ui/state.tsx";
import { chosenStation, StationChoice } from "../../ui/station-choice.tsx";
import "../../style/parts.css";
import "../../style/line.css";
import { readEngines } from "./engines.ts";
import { Figures } from "./figures.tsx";
import { HistoryCard } from "./history-card.tsx";
import { MonitorCard } from "./monitor-card.tsx";
import { PromiseCard } from "./promise-card.tsx";
import { stackOf } from "./stack.ts";

/** Minutes that are shown, and minutes of a step. */
const RANGES = { 60: 1, 480: 5, 1440: 15 } as const;
type Minutes = "60" | "480" | "1440";
const MINUTE_MS = 60_000;
const LOOK_EVERY_MS = 15_000;

export function LinePage() {
  const station = chosenStation();
  if (station === undefined) {
    return (
      <section class="page">
        <h1>{t("line.title")}</h1>
        <Empty icon="line" title={t("line.noStation")}>
          <p>{t("line.noStation.hint")}</p>
        </Empty>
      </section>
    );
  }
  return <StationLine key={station.station} station={station} />;
}

function StationLine({ station }: { readonly station: StationView }) {
  const [minutes, setMinutes] = useState<Minutes>("60");
  const name = station.station;
  const path = `/stations/${encodeURIComponent(name)}`;
  const history = useLoad(
    minutes,
    (signal) => get<HistoryView>(`${path}/history?minutes=${minutes}&step=${RANGES[minutes]}`, { signal }),
    LOOK_EVERY_MS,
  );
  // The keys hold what an event tells of: another state or revision is asked for at once.
  const monitor = useLoad(
    station.monitor,
    (signal) => get<MonitorView>(`${path}/monitor`, { signal }),
    LOOK_EVERY_MS,
  );
  const certificate = useLoad(`${station.revision}`, (signal) =>
    get<CertificateView>(`${path}/certificate`, { signal }),
  );
  const audits = useLoad(
    `${station.revision}`,
    (signal) => get<StationAuditsView>(`${path}/audits`, { signal }),
    LOOK_EVERY_MS,
  );
  const engines = useLoad("engines", readEngines, LOOK_EVERY_MS);
  const stack = history.value && stackOf(history.value.points, "reason");
  const spanMs = Number(minutes) * MINUTE_MS;
  return (
    <section class="page line">
      <header class="page-head">
        <div>
          <h1>{t("line.title")}</h1>
          <p class="lead">{t("line.lead")}</p>
        </div>
        <StationChoice page="line" chosen={name} />
        <Segments
          label={t("line.range")}
          value={minutes}
          choices={(Object.keys(RANGES) as Minutes[]).map(
            (one) => [one, t(`line.range.${one}` as Key)] as const,
          )}
          onChange={setMinutes}
        />
      </header>
      {history.problem !== undefined && <Note tone="bad">{history.problem}</Note>}
      <Figures station={station} stack={stack} spanMs={spanMs} engines={engines.value} />
      <HistoryCard station={name} history={history.value} spanMs={spanMs} />
      <div class="line-pair">
        <MonitorCard state={station.monitor} monitor={monitor.value} />
        {certificate.value !== undefined && (
          <PromiseCard station={station} certificate={certificate.value} audits={audits.value} />
        )}
      </div>
    </section>
  );
}
