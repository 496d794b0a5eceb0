/** The pictures of the teacher bands: what the teacher was recorded to say, and what it said of these frames. */

import { bandMiddle } from "../core/envelope/bands.ts";
import type { TeacherBand } from "../core/envelope/types.ts";
import type { FrameFacts } from "../core/evaluation/facts.ts";
import { axes, createPlot, drawing, pathThrough, thinned } from "./chart.ts";
import type { ReportData } from "./data.ts";
import { type Markup, markup } from "./markup.ts";

const PANELS_MAX = 30;
const POINTS_MAX = 250;
/** Confidence is drawn by how many nines it has, since most frames crowd below 1, where what passes is decided. */
const NINES_MAX = 4;
const TICKS = [0, 0.9, 0.99, 0.999].map((at) => ({ at: nines(at), label: String(at) }));

/** One panel a class, those with most frames where there are very many classes. */
export function bandPictures({ classes, bands, evaluation }: ReportData): Markup {
  const byClass = classes.map((name, c) => ({
    name,
    band: bands[c]!,
    facts: evaluation.facts.filter(({ studentClass }) => studentClass === c),
  }));
  const most = byClass.toSorted((a, b) => b.facts.length - a.facts.length).slice(0, PANELS_MAX);
  const shown = byClass.filter((of) => most.includes(of));
  const leftOut = byClass.length - shown.length;
  return markup`<figure class="wide"><div class="panels">${shown.map(panel)}</div><ul class="keys"><li><span class="key band"></span>teacher band</li><li><span class="key spot faithful"></span>faithful frame</li><li><span class="key cross unfaithful"></span>unfaithful frame</li></ul><figcaption>${`Each mark is a frame, further right where the student is surer and higher where the teacher is surer of the same class, on scales stretched towards 1; about nine in ten are expected in the shaded band, which is what an operator is shown as the teacher's confidence.${leftOut > 0 ? ` (${leftOut} classes with fewer frames are left out.)` : ""}`}</figcaption></figure>`;
}

function panel({
  name,
  band,
  facts,
}: {
  readonly name: string;
  readonly band: TeacherBand;
  readonly facts: readonly FrameFacts[];
}): Markup {
  const plot = createPlot({
    x: [0, NINES_MAX],
    y: [0, NINES_MAX],
    width: 210,
    height: 190,
    margins: [6, 10, 22, 42],
  });
  const isIn = ({ studentConfidence, teacherInStudentClass }: FrameFacts): boolean =>
    Math.abs(teacherInStudentClass - bandMiddle(band, studentConfidence)) <= band.halfWidth;
  const inside = facts.filter(isIn).length;
  const unfaithful = thinned(
    facts.filter((of) => of.isUnfaithful),
    POINTS_MAX,
  );
  const faithful = thinned(
    facts.filter((of) => !of.isUnfaithful),
    POINTS_MAX,
  );
  return markup`<div class="panel"><h4>${name}</h4>${drawing(
    plot,
    `Teacher band of ${name}`,
    markup`${axes(plot, { x: TICKS, y: TICKS })}<path class="band" d="${bandOutline(band, plot)}"/>${faithful.map(
      (of) =>
        markup`<circle class="faithful" cx="${plot.x(nines(of.studentConfidence))}" cy="${plot.y(nines(of.teacherInStudentClass))}" r="1.6"/>`,
    )}${unfaithful.map(
      (of) =>
        markup`<path class="unfaithful" d="M${plot.x(nines(of.studentConfidence)) - 2} ${plot.y(nines(of.teacherInStudentClass)) - 2}l4 4m0 -4l-4 4"/>`,
    )}`,
  )}<p>${facts.length === 0 ? "no frame" : `${inside} of ${facts.length} in the band`}</p></div>`;
}

/** The steps of m + q from left to right, and those of m - q back. */
function bandOutline(
  { from, teacher, halfWidth }: TeacherBand,
  plot: Parameters<typeof pathThrough>[0],
): string {
  const edge = (shift: number): [number, number][] =>
    from.flatMap((start, i): [number, number][] => {
      const value = nines(teacher[i]! + shift);
      return [
        [nines(start), value],
        [nines(from[i + 1] ?? 1), value],
      ];
    });
  return `${pathThrough(plot, [...edge(halfWidth), ...edge(-halfWidth).reverse()])}Z`;
}

function nines(confidence: number): number {
  return Math.min(NINES_MAX, Math.max(0, -Math.log10(1 - Math.min(1, confidence))));
}
