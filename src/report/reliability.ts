/** The pictures of reliability: the student against the teacher, and each of them against the truth. */

import { calibrationError, type ReliabilityBin, reliabilityBins } from "../core/evaluation/reliability.ts";
import { axes, createPlot, drawing, FIFTHS, figure } from "./chart.ts";
import type { ReportData } from "./data.ts";
import { type Markup, markup } from "./markup.ts";

/** One diagram, and where labels are known two more. */
export function reliabilityPictures({ evaluation }: ReportData): Markup[] {
  const { facts } = evaluation;
  const labelled = facts.filter(({ label }) => label >= 0);
  const teacher = reliabilityPicture(
    "Student against teacher",
    reliabilityBins(facts.map((of) => [of.studentConfidence, of.teacherInStudentClass])),
    ["student's confidence", "teacher's, in the same class"],
    (error) =>
      `Where the student is so sure, this is how sure the teacher is of the same class on average: on the diagonal they agree, below it the student is too sure of itself (${error} off on average).`,
  );
  if (labelled.length === 0) return [teacher];
  const truth = (who: string, pairs: [number, number][]): Markup =>
    reliabilityPicture(
      `${who} against the truth`,
      reliabilityBins(pairs),
      [`${who.toLowerCase()}'s confidence`, "share that is right"],
      (error) =>
        `Of the frames on which the ${who.toLowerCase()} is so sure, this share is right: below the diagonal it promises more than it keeps (${error} off on average).`,
    );
  return [
    teacher,
    truth(
      "Student",
      labelled.map((of) => [of.studentConfidence, of.label === of.studentClass ? 1 : 0]),
    ),
    truth(
      "Teacher",
      labelled.map((of) => [of.teacherConfidence, of.label === of.teacherClass ? 1 : 0]),
    ),
  ];
}

function reliabilityPicture(
  title: string,
  bins: readonly ReliabilityBin[],
  [xLabel, yLabel]: readonly [string, string],
  sentenceWith: (error: string) => string,
): Markup {
  const plot = createPlot({ x: [0, 1], y: [0, 1], width: 320, height: 300, margins: [10, 12, 44, 48] });
  const most = Math.max(...bins.map(({ count }) => count), 1);
  const picture = drawing(
    plot,
    `${title}: ${yLabel}, by ${xLabel}`,
    markup`${axes(plot, { x: FIFTHS, y: FIFTHS, xLabel, yLabel })}<path class="diagonal" d="M${plot.x(0)} ${plot.y(0)}L${plot.x(1)} ${plot.y(1)}"/>${bins.map(
      ({ from, to, count, confidence, found }) => {
        const height = plot.bottom - plot.y(found);
        // The area of a dot shows how many frames stand behind it.
        const radius = 2.5 + 7.5 * Math.sqrt(count / most);
        return markup`<rect class="faint block" x="${plot.x(from) + 1}" y="${plot.y(found)}" width="${plot.x(to) - plot.x(from) - 2}" height="${height}"/><circle class="envelope dot" cx="${plot.x(confidence)}" cy="${plot.y(found)}" r="${radius}"><title>${`${count} frames, confidence ${confidence.toFixed(3)}, found ${found.toFixed(3)}`}</title></circle>`;
      },
    )}`,
  );
  return figure(title, picture, sentenceWith(calibrationError(bins).toFixed(3)), [
    { of: "disc", text: "the larger, the more frames" },
    { of: "agreement", text: "as sure as it should be" },
  ]);
}
