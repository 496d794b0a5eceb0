/** The picture of what may pass against what that costs: both scores, the operating points, alpha. */

import type { RuleSummary } from "../core/evaluation/evaluate.ts";
import { type RiskPoint, riskCoverage } from "../core/evaluation/risk-coverage.ts";
import { axes, createPlot, drawing, figure, type Key, type Plot, pathThrough, ticksTo } from "./chart.ts";
import type { ReportData } from "./data.ts";
import { type Markup, markup } from "./markup.ts";

/** Beyond so many alphas a curve leaves the picture: nobody would run there. */
const ALPHAS_SHOWN = 5;

export function riskCoveragePicture({ evaluation }: ReportData): Markup {
  const { summary, outcomes } = evaluation;
  const plain = summary.baselines.maxSoftmax;
  const reach = (rule: RuleSummary): number => (rule.passed > 0 ? 1.15 * rule.unfaithfulInterval[1] : 0);
  const highest = Math.min(1, Math.max(ALPHAS_SHOWN * summary.alpha, reach(summary), reach(plain)));
  const plot = createPlot({ x: [0, 1], y: [0, highest] });
  const { left, right, top, bottom } = plot;
  const labels = {
    x: ticksTo(1, 5, shortPercent),
    y: ticksTo(highest, 5, shortPercent),
    xLabel: "parts that pass, of all",
    yLabel: "unfaithful, of those that pass",
  };
  const picture = drawing(
    plot,
    "Share of unfaithful parts against share of parts that pass",
    markup`<clipPath id="risk-area"><rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/></clipPath>${axes(plot, labels)}<g clip-path="url(#risk-area)"><path class="plain" d="${curve(plot, riskCoverage(outcomes.maxSoftmax))}"/><path class="envelope" d="${curve(plot, riskCoverage(outcomes.envelope))}"/></g>${alphaLine(plot, summary)}${operatingPoint(plot, plain, "plain")}${operatingPoint(plot, summary, "envelope")}`,
  );
  const keys: Key[] = [
    { of: "envelope", text: "envelope score" },
    { of: "plain", text: "plain max-softmax" },
  ];
  if (isCompared(summary)) keys.push({ of: "limit", text: `alpha, ${shortPercent(summary.alpha)}` });
  return figure(
    "How much may pass, and what it costs",
    picture,
    "Further right more parts pass, and further up more of those are unfaithful: the lower line is the better score, and each dot, with its exact 95% interval, is the certified rule, which may lie off its line since it holds back classes that are not proven.",
    keys,
  );
}

/** U at the frame alone is held against no alpha. */
function isCompared({ neighbourhood }: ReportData["evaluation"]["summary"]): boolean {
  return neighbourhood === "recorded";
}

function alphaLine({ left, right, y }: Plot, summary: ReportData["evaluation"]["summary"]): Markup {
  if (!isCompared(summary)) return markup``;
  const at = y(summary.alpha);
  return markup`<line class="limit" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/>`;
}

function curve(plot: Plot, points: readonly RiskPoint[]): string {
  return pathThrough(
    plot,
    points.map(({ coverage, risk }) => [coverage, risk]),
  );
}

function operatingPoint(plot: Plot, rule: RuleSummary, of: string): Markup {
  const { passRate, unfaithfulAmongPassed, unfaithfulInterval } = rule;
  if (passRate === null || unfaithfulAmongPassed === null) return markup``;
  const x = plot.x(passRate);
  const [low, high] = unfaithfulInterval.map((rate) => plot.y(rate)) as [number, number];
  return markup`<path class="${of} whisker" d="M${x} ${low}V${high}M${x - 4} ${low}h8M${x - 4} ${high}h8"/><circle class="${of} dot" cx="${x}" cy="${plot.y(unfaithfulAmongPassed)}" r="5"/>`;
}

/** Per cent, with no more digits than it needs. */
function shortPercent(at: number): string {
  return `${Number((100 * at).toPrecision(3))}%`;
}
