/** The picture of the gaps: how far teacher and student part, over all frames and over those that passed. */

import type { FrameFacts } from "../core/evaluation/facts.ts";
import { axes, createPlot, drawing, FIFTHS, figure, type Plot, type Tick } from "./chart.ts";
import type { ReportData } from "./data.ts";
import { type Markup, markup } from "./markup.ts";

const BINS = 50;

export function gapHistogram({ evaluation }: ReportData): Markup {
  const { summary, facts } = evaluation;
  const all = countGaps(facts);
  const passed = countGaps(facts.filter(({ isPassed }) => isPassed));
  const decades = Math.max(1, Math.ceil(Math.log10(Math.max(...all, 1))));
  // A bar of one frame must still be seen, and one of none not.
  const plot = createPlot({ x: [0, 1], y: [Math.log10(0.6), decades], margins: [10, 20, 44, 66] });
  const where = summary.neighbourhood === "recorded" ? "over the frame and its copies" : "at the frame alone";
  const picture = drawing(
    plot,
    "Number of frames at each gap between teacher and student",
    markup`${axes(plot, {
      x: FIFTHS,
      y: powersOfTen(decades),
      xLabel: `largest gap ${where}`,
      yLabel: "frames (each line ten times more)",
    })}${bars(plot, all, "faint")}${bars(plot, passed, "envelope")}<line class="limit" x1="${plot.x(summary.delta)}" x2="${plot.x(summary.delta)}" y1="${plot.top}" y2="${plot.bottom}"/>`,
  );
  return figure(
    "How far teacher and student part",
    picture,
    "Every frame is counted at the largest difference between the two models' confidences: frames right of the dotted line are unfaithful, and dark bars there are the ones that passed all the same.",
    [
      { of: "faint block", text: "all frames" },
      { of: "envelope block", text: "of them passed" },
      { of: "limit", text: `delta, ${summary.delta}` },
    ],
  );
}

function countGaps(facts: readonly FrameFacts[]): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const { gap } of facts) {
    if (Number.isFinite(gap)) counts[Math.min(BINS - 1, Math.floor(gap * BINS))]!++;
  }
  return counts;
}

function powersOfTen(decades: number): Tick[] {
  return Array.from({ length: decades + 1 }, (_, at) => ({ at, label: (10 ** at).toLocaleString("en") }));
}

function bars(plot: Plot, counts: readonly number[], of: string): Markup[] {
  return counts.flatMap((count, i) => {
    if (count === 0) return [];
    const x = plot.x(i / BINS);
    const top = plot.y(Math.log10(count));
    return [
      markup`<rect class="${of} block" x="${x}" y="${top}" width="${plot.x((i + 1) / BINS) - x - 1}" height="${plot.bottom - top}"/>`,
    ];
  });
}
