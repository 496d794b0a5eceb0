/** How the monitor stands, in words first; then how strong the signs are. */

import type { StationView } from "../../../../src/http/api-schemas.ts";
import type { MonitorView } from "../../contract.ts";
import { clockTime, type Key, language, t } from "../../i18n/index.ts";
import { Card } from "../../ui/card.tsx";
import { Facts, ForEngineers } from "../../ui/details.tsx";
import { State, type Tone } from "../../ui/state.tsx";

const TONES: Readonly<Record<StationView["monitor"], Tone>> = {
  ...({ off: "neutral", green: "good", amber: "warn", red: "bad" } as const),
};
/** Evidence at which the monitor turns amber, and red at the default etaMonitor of 4%. */
const AMBER_AT = 10;
const RED_AT = 25;

export function MonitorCard({
  state,
  monitor,
}: {
  readonly state: StationView["monitor"];
  readonly monitor: MonitorView | undefined;
}) {
  const evidence = monitor?.evidence;
  return (
    <Card
      title={t("line.monitor")}
      class="monitor-card"
      aside={<State tone={TONES[state]}>{t(`line.monitor.${state}` as Key)}</State>}
    >
      {monitor !== undefined && (
        <p>
          {monitor.words[language.value]}
          {monitor.since !== undefined && (
            <span class="hint"> {t("line.monitor.since", { at: clockTime(monitor.since) })}</span>
          )}
        </p>
      )}
      {state === "red" && <p>{t("line.monitor.clear")}</p>}
      {evidence !== undefined && (
        <>
          <Meter name={t("line.monitor.meter.drift")} evidence={evidence.drift} />
          <Meter name={t("line.monitor.meter.risk")} evidence={evidence.risk} />
          <ForEngineers>
            <Facts
              facts={[
                [t("line.engineers.drift"), evidence.drift],
                [t("line.engineers.risk"), evidence.risk],
              ]}
            />
          </ForEngineers>
        </>
      )}
    </Card>
  );
}

/** On a scale of orders of magnitude: evidence multiplies. */
function Meter({ name, evidence }: { readonly name: string; readonly evidence: number }) {
  const place = (value: number): number =>
    Math.min(100, (100 * Math.log(Math.max(1, value))) / Math.log(RED_AT * 1.6));
  const word = evidence < 2 ? "none" : evidence < AMBER_AT ? "some" : "strong";
  const text = t("line.monitor.meter.text", { value: evidence.toPrecision(3), alarm: RED_AT });
  return (
    <div class="meter">
      <p class="meter-name">
        <span>{name}</span>
        <strong>{t(`line.monitor.meter.${word}`)}</strong>
      </p>
      <div class={`meter-track ${word}`} role="img" aria-label={`${name}: ${text}`} title={text}>
        <span class="meter-fill" style={{ width: `${place(evidence)}%` }} />
        <span class="meter-mark amber" style={{ left: `${place(AMBER_AT)}%` }} />
        <span class="meter-mark red" style={{ left: `${place(RED_AT)}%` }} />
      </div>
    </div>
  );
}
