/** The chart's figures for those who cannot see it, or want the numbers. */

import { clockTime, t } from "../../i18n/index.ts";
import { grouped, share } from "../../ui/words.ts";
import type { Stack } from "./stack.ts";

export interface HistoryTableProps {
  readonly stack: Stack;
  readonly caption: string;
  readonly nameOf: (name: string | undefined) => string;
}

export function HistoryTable({ stack, caption, nameOf }: HistoryTableProps) {
  const { layers, frames, times } = stack;
  const shareText = (count: number, all: number): string => (all > 0 ? share(count / all) : "–");
  // Newest first: what one looks for is mostly what has just been.
  const order = times.map((_, i) => times.length - 1 - i).filter((i) => frames[i]! > 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well.
    <section class="table-scroll history-table" tabIndex={0} aria-label={caption}>
      <table class="table">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{t("line.chart.time")}</th>
            <th scope="col" class="number">
              {t("line.chart.frames")}
            </th>
            <th scope="col" class="number">
              {t("line.chart.total")}
            </th>
            {layers.map(({ name }) => (
              <th key={name ?? ""} scope="col" class="number">
                {nameOf(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {order.map((i) => (
            <tr key={times[i]}>
              <th scope="row">{clockTime(new Date(1000 * times[i]!))}</th>
              <td class="number">{grouped(frames[i]!)}</td>
              <td class="number">
                {shareText(
                  layers.reduce((sum, { counts }) => sum + counts[i]!, 0),
                  frames[i]!,
                )}
              </td>
              {layers.map(({ name, counts }) => (
                <td key={name ?? ""} class="number">
                  {shareText(counts[i]!, frames[i]!)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
