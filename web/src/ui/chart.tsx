/** A uPlot chart that follows the width it is given, in the colours of the page. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface ChartProps {
  /** Says to who cannot see it what it shows. */
  readonly label: string;
  readonly heightPx: number;
  /** Without size; made anew where it changes, so keep it from one drawing to the next. */
  readonly options: Omit<uPlot.Options, "width" | "height">;
  readonly series: uPlot.AlignedData;
}

export function Chart({ label, heightPx, options, series }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const latest = useRef(series);
  latest.current = series;

  useEffect(() => {
    const parent = place.current!;
    const size = () => ({ width: Math.max(1, parent.clientWidth), height: heightPx });
    const made = new uPlot({ ...options, ...size() }, latest.current, parent);
    chart.current = made;
    const watch = new ResizeObserver(() => made.setSize(size()));
    watch.observe(parent);
    return () => {
      watch.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [options, heightPx]);

  useEffect(() => chart.current?.setData(series), [series]);

  return <div ref={place} class="chart" role="img" aria-label={label} />;
}

/** A colour of the page by its token, as a canvas wants it. */
export function tokenColour(name: `--${string}`): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
