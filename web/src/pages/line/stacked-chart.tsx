/** Shares of parts that went to a person, stacked, over time; under it how the monitor stood. */

import { signal } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import uPlot from "uplot";
import type { HistoryView } from "../../contract.ts";
import { clockTime, type Key, language, t } from "../../i18n/index.ts";
import { hrefOf } from "../../route.ts";
import { Chart, tokenColour } from "../../ui/chart.tsx";
import { grouped, share } from "../../ui/words.ts";
import { heights, type Layer, type Stack } from "./stack.ts";

/** The canvas does not follow the page's colours by itself. */
const isDark = signal(matchMedia("(prefers-color-scheme: dark)").matches);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ({ matches }) => {
  isDark.value = matches;
});

const HEIGHT_PX = 300;
/** Of the value axis; the monitor's strip begins there, too. */
const AXIS_PX = 56;
const RIGHT_PX = 12;

export interface StackedChartProps {
  readonly stack: Stack;
  readonly label: string;
  readonly nameOf: (name: string | undefined) => string;
  /** Search parameters of the ledger that show a layer. */
  readonly searchOf: (name: string) => Readonly<Record<string, string>>;
  readonly monitor: HistoryView["monitor"];
  readonly spanMs: number;
}

export function StackedChart({ stack, label, nameOf, searchOf, monitor, spanMs }: StackedChartProps) {
  const [at, setAt] = useState<number>();
  const count = stack.layers.length;
  // Other colours and another language are drawn anew.
  const options = useMemo(() => chartOptions(count, setAt), [count, isDark.value, language.value]);
  const series = useMemo((): uPlot.AlignedData => {
    // The highest first, so that each lies in front of the one it stands on.
    return [stack.times as number[], ...heights(stack).reverse()];
  }, [stack]);
  return (
    <div class="stacked">
      <Chart label={label} heightPx={HEIGHT_PX} options={options} series={series} />
      <MonitorStrip monitor={monitor} spanMs={spanMs} />
      <Readout stack={stack} at={at} />
      <Layers stack={stack} at={at} nameOf={nameOf} searchOf={searchOf} />
    </div>
  );
}

function layerColour(index: number): string {
  return tokenColour(`--series-${(index % 8) + 1}`);
}

function chartOptions(
  count: number,
  onCursor: (index: number | undefined) => void,
): Omit<uPlot.Options, "width" | "height"> {
  const [text, grid, surface] = [tokenColour("--text-soft"), tokenColour("--edge"), tokenColour("--surface")];
  const font = `14px ${tokenColour("--font")}`;
  const axis = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    padding: [12, RIGHT_PX, 0, 0],
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, niceTop(most)] } },
    axes: [
      {
        ...axis,
        size: 34,
        space: 80,
        grid: { show: false },
        values: (_, times) => times.map((one) => clockTime(new Date(1000 * one))),
      },
      { ...axis, size: AXIS_PX, values: (_, values) => values.map((one) => share(one)) },
    ],
    series: [
      {},
      ...Array.from({ length: count }, (_, i) => ({
        stroke: surface,
        width: 1,
        fill: layerColour(count - 1 - i),
        paths: uPlot.paths.stepped!({ align: 1 }),
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(chart) => onCursor(chart.cursor.idx ?? undefined)] },
  };
}

/** A share that the axis ends at: room above the highest, at most everything. */
function niceTop(most: number): number {
  return Math.min(1, Math.max(0.05, Math.ceil(most * 1.1 * 20) / 20));
}

function Readout({ stack, at }: { readonly stack: Stack; readonly at: number | undefined }) {
  if (at === undefined || stack.frames[at] === undefined) return <p class="readout" />;
  const frames = stack.frames[at];
  const reviews = stack.layers.reduce((sum, { counts }) => sum + counts[at]!, 0);
  return (
    <p class="readout">
      {t("line.chart.readout", {
        at: clockTime(new Date(1000 * stack.times[at]!)),
        share: frames > 0 ? share(reviews / frames) : "–",
        frames: grouped(frames),
      })}
    </p>
  );
}

function Layers({
  stack,
  at,
  nameOf,
  searchOf,
}: Pick<StackedChartProps, "stack" | "nameOf" | "searchOf"> & { readonly at: number | undefined }) {
  const all = at === undefined ? stack.decided : stack.frames[at]!;
  const countOf = (layer: Layer): number => (at === undefined ? layer.total : layer.counts[at]!);
  return (
    <ul class="layers">
      {[...stack.layers.entries()].map(([i, layer]) => (
        <li key={layer.name ?? ""}>
          <span class={`swatch series-${(i % 8) + 1}`} />
          {layer.name === undefined ? (
            <span class="layer-name">{nameOf(undefined)}</span>
          ) : (
            <a class="layer-name" title={t("line.chart.hint")} href={ledgerHref(searchOf(layer.name))}>
              {nameOf(layer.name)}
            </a>
          )}
          <span class="layer-share">{all > 0 ? share(countOf(layer) / all) : "–"}</span>
          <span class="layer-count">{grouped(countOf(layer))}</span>
        </li>
      ))}
    </ul>
  );
}

function ledgerHref(search: Readonly<Record<string, string>>): string {
  return `${hrefOf("ledger")}?${new URLSearchParams(search)}`;
}

function MonitorStrip({ monitor, spanMs }: Pick<StackedChartProps, "monitor" | "spanMs">) {
  const untilMs = Date.now();
  const fromMs = untilMs - spanMs;
  // Noted once a minute: what follows in the same state is one piece.
  const turns = monitor.filter(({ state }, i) => state !== monitor[i - 1]?.state);
  const pieces = turns.map(({ at, state }, i) => {
    const begin = Math.max(fromMs, Date.parse(at));
    const end = Math.min(untilMs, Date.parse(turns[i + 1]?.at ?? new Date(untilMs).toISOString()));
    return { state, at, share: (end - begin) / spanMs, begin: (begin - fromMs) / spanMs };
  });
  const seen = pieces.filter((piece) => piece.share > 0);
  if (seen.length === 0) return null;
  return (
    <ul
      class="monitor-strip"
      aria-label={t("line.monitor")}
      style={{ marginLeft: `${AXIS_PX}px`, marginRight: `${RIGHT_PX}px` }}
    >
      {seen.map((piece) => (
        <li
          key={piece.at}
          class={piece.state}
          style={{ left: `${100 * piece.begin}%`, width: `${100 * piece.share}%` }}
          title={`${monitorWord(piece.state)}, ${t("line.monitor.since", { at: clockTime(piece.at) })}`}
        >
          <span>{monitorWord(piece.state)}</span>
        </li>
      ))}
    </ul>
  );
}

function monitorWord(state: string): string {
  return t(`line.monitor.${state}` as Key);
}
