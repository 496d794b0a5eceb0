/** The escalation rate over time, by reason or by class, as a chart or as a table. */

import { useMemo, useState } from "preact/hooks";
import type { HistoryView } from "../../contract.ts";
import { t } from "../../i18n/index.ts";
import { Card } from "../../ui/card.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Empty, Loading } from "../../ui/state.tsx";
import { duration, reasonName } from "../../ui/words.ts";
import { HistoryTable } from "./history-table.tsx";
import { type By, type Stack, stackOf } from "./stack.ts";
import { StackedChart } from "./stacked-chart.tsx";

export interface HistoryCardProps {
  readonly station: string;
  readonly history: HistoryView | undefined;
  readonly spanMs: number;
}

export function HistoryCard({ station, history, spanMs }: HistoryCardProps) {
  const [by, setBy] = useState<By>("reason");
  const [as, setAs] = useState<"chart" | "table">("chart");
  const stack = useMemo(() => history && stackOf(history.points, by), [history, by]);
  const choices = (
    <div class="choices">
      <Segments
        label={t("line.chart.by")}
        value={by}
        choices={[
          ["reason", t("line.chart.by.reason")],
          ["class", t("line.chart.by.class")],
        ]}
        onChange={setBy}
      />
      <Segments
        label={t("line.chart.as")}
        value={as}
        choices={[
          ["chart", t("line.chart.as.chart")],
          ["table", t("line.chart.as.table")],
        ]}
        onChange={setAs}
      />
    </div>
  );
  return (
    <Card title={t("line.chart")} class="history-card" aside={choices}>
      {stack === undefined ? (
        <Loading />
      ) : (
        <Shown {...{ station, stack, by, as, spanMs }} monitor={history!.monitor} />
      )}
    </Card>
  );
}

interface ShownProps extends Omit<HistoryCardProps, "history"> {
  readonly stack: Stack;
  readonly by: By;
  readonly as: "chart" | "table";
  readonly monitor: HistoryView["monitor"];
}

function Shown({ station, stack, by, as, spanMs, monitor }: ShownProps) {
  const label = t("line.chart.label", { by: t(`line.chart.by.${by}`), span: duration(spanMs) });
  const nameOf = (name: string | undefined): string => {
    if (name === undefined) return t("line.chart.other");
    if (by === "reason") return reasonName(name);
    return name === "" ? t("line.chart.noClass") : name;
  };
  if (stack.decided === 0) {
    return (
      <Empty icon="line" title={t("line.chart.none")}>
        <p>{t("line.chart.none.hint")}</p>
      </Empty>
    );
  }
  if (as === "table") return <HistoryTable stack={stack} caption={label} nameOf={nameOf} />;
  const within = spanMs > 3_600_000 ? "24h" : "1h";
  return (
    <StackedChart
      stack={stack}
      label={label}
      nameOf={nameOf}
      searchOf={(name) => ({ within, station, [by]: name })}
      monitor={monitor}
      spanMs={spanMs}
    />
  );
}
