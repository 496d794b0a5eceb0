/** The report: one page that holds all it needs, and asks nothing of any network. */

import {
  baselineSentence,
  countOf,
  passSentence,
  percent,
  riskSentences,
  verdictSentences,
} from "../core/evaluation/sentences.ts";
import { bandPictures } from "./bands.ts";
import { boundsSection } from "./bounds.ts";
import type { ReportData } from "./data.ts";
import { framePictures } from "./frames.ts";
import { gapHistogram } from "./gap-histogram.ts";
import { Markup, markup } from "./markup.ts";
import { reliabilityPictures } from "./reliability.ts";
import { riskCoveragePicture } from "./risk-coverage.ts";
import { STYLE } from "./style.ts";
import { classTable, ruleTable } from "./tables.ts";

/** Nothing may be loaded, and nothing run: even a mistake in this page could not reach out. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** The whole page as text. */
export function reportPage(data: ReportData): string {
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sekisho evaluation report</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
${head(data)}
${pictures(data)}
<h2>Class by class</h2>
<p>Each class beside the bound that its certificate proves; a class that is reviewed passes nothing.</p>
${classTable(data)}
<h2>The frames themselves</h2>
${framePictures(data)}
${boundsSection(data)}
${glossary(data)}
</body>
</html>
`;
  return page.text;
}

function head(data: ReportData): Markup {
  const { summary } = data.evaluation;
  const verdicts = verdictSentences(summary);
  const isBad =
    summary.certificate !== null &&
    [summary.certificate, ...summary.classes.map((of) => of.certificate)].some(
      (of) => of !== null && !of.consistent,
    );
  const tile = (value: string, what: string): Markup =>
    markup`<div class="tile"><b>${value}</b><span>${what}</span></div>`;
  return markup`<h1>${`Evaluation of ${data.bundle}`}</h1>
<p class="meta">${countOf(summary.frames, "frame")} of ${countOf(summary.parts, "part")} from ${data.framesFile} (<code>${data.framesSha256.slice(0, 12)}</code>), envelope <code>${data.envelopeSha256.slice(0, 12)}</code>, made ${data.madeAt}</p>
<div class="tiles">${tile(percent(summary.passRate), "of the parts would have passed")}${tile(percent(summary.unfaithfulAmongPassed), "of those that passed were unfaithful")}${tile(percent(summary.wrongAmongPassed), summary.wrongAmongPassed === null ? "wrong: correctness unknown" : "of those that passed were wrong")}${tile(percent(summary.baselines.maxSoftmax.passRate), "would have passed on plain max-softmax")}</div>
<p>${[passSentence(summary), ...riskSentences(summary), baselineSentence(summary.baselines.maxSoftmax)].join(" ")}${truthSentence(data)}</p>
${verdicts.length === 0 ? "" : markup`<div class="verdict${isBad ? " bad" : ""}">${verdicts.map((sentence) => markup`<p>${sentence}</p>`)}</div>`}
${summary.notes.map((note) => markup`<p class="note">${note}</p>`)}
${ruleTable(data)}`;
}

function truthSentence({ evaluation: { summary } }: ReportData): string {
  if (summary.studentWrongRate === null) return "";
  return ` Had every frame passed, the student would have been wrong on ${percent(summary.studentWrongRate)} of those with a known class, the teacher on ${percent(summary.teacherWrongRate)}.`;
}

function pictures(data: ReportData): Markup {
  return markup`<h2>What passes, and what parts the models</h2>
<div class="pictures">${riskCoveragePicture(data)}${gapHistogram(data)}</div>
<h2>How far confidence can be believed</h2>
<div class="pictures three">${reliabilityPictures(data)}</div>
<h2>What the teacher was recorded to say, and what it said now</h2>
${bandPictures(data)}`;
}

function glossary({ evaluation: { summary } }: ReportData): Markup {
  const terms: readonly (readonly [string, string])[] = [
    [
      "unfaithful",
      `Teacher and student give the frame different classes, or their confidences differ by more than delta (${summary.delta}) ${summary.neighbourhood === "recorded" ? "at the frame or at any of its slightly changed copies" : "at the frame"}. A part is unfaithful if any of its frames is.`,
    ],
    [
      "passed",
      "Every frame of the part passes the certified rule, as one class that all agree on. Passed means that the class can be believed, not that the part is good.",
    ],
    [
      "wrong",
      "The part passed as another class than its label says. A faithful student errs where its teacher errs.",
    ],
    [
      "alpha",
      `The share of unfaithful parts that the station allows among those that pass: ${percent(summary.alpha)}; within a class ${percent(summary.alphaClass)}.`,
    ],
    [
      "plain max-softmax",
      "The same certificate on nothing but the student's own confidence, without the teacher's band and without the check for novelty: what one would have without the envelope.",
    ],
  ];
  return markup`<h2>Words</h2><dl>${terms.map(([term, says]) => markup`<dt>${term}</dt><dd>${says}</dd>`)}</dl>`;
}
