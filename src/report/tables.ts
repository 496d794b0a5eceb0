/** The tables of the report: the two rules side by side, and every class beside its bound. */

import type { ClassSummary, PassSummary } from "../core/evaluation/evaluate.ts";
import { percent, percentInterval } from "../core/evaluation/sentences.ts";
import type { ReportData } from "./data.ts";
import { type Markup, markup } from "./markup.ts";

export function ruleTable({ evaluation: { summary } }: ReportData): Markup {
  const row = (name: string, of: PassSummary): Markup =>
    markup`<tr><th scope="row">${name}</th>${cells(of)}</tr>`;
  return markup`<div class="scroll"><table class="counts"><thead><tr><th>rule</th>${headings("passed, of all parts")}</tr></thead><tbody>${row("envelope", summary)}${row("max-softmax", summary.baselines.maxSoftmax)}</tbody></table></div>`;
}

export function classTable({ evaluation: { summary } }: ReportData): Markup {
  return markup`<div class="scroll"><table class="counts"><thead><tr><th>class</th>${headings("passed, of its own parts")}<th>certified bound</th><th></th></tr></thead><tbody>${summary.classes.map(
    (of) =>
      markup`<tr class="${of.passes ? "" : "held"}"><th scope="row">${of.class}</th>${cells(of)}${boundCells(of)}</tr>`,
  )}</tbody></table></div>`;
}

function headings(passed: string): Markup {
  return markup`<th>${passed}</th><th>unfaithful</th><th>95% interval</th><th>wrong</th>`;
}

function cells(of: PassSummary): Markup {
  const { passed, passRate, unfaithful, unfaithfulAmongPassed, unfaithfulInterval, wrong } = of;
  const counted = (count: number, rate: number | null): string =>
    rate === null ? "–" : `${count} (${percent(rate)})`;
  return markup`<td>${counted(passed, passRate)}</td><td>${counted(unfaithful, unfaithfulAmongPassed)}</td><td>${passed === 0 ? "–" : percentInterval(unfaithfulInterval)}</td><td>${counted(wrong, of.wrongAmongPassed)}</td>`;
}

function boundCells({ passes, certificate }: ClassSummary): Markup {
  if (!passes) return markup`<td>–</td><td class="word">reviewed</td>`;
  if (certificate === null) return markup`<td>–</td><td class="word">passes</td>`;
  return markup`<td>${percent(certificate.upperBound)}</td><td class="word">${certificate.consistent ? "consistent" : markup`<strong>not consistent</strong>`}</td>`;
}
