/** The balls around single frames: what is certified, what was found, and both models on the way from one to the other. */

import type { FrameBounds } from "../core/bounds/summary.ts";
import { axes, createPlot, drawing, FIFTHS, figure, pathThrough } from "./chart.ts";
import type { Answer, BallPicture, Direction, ReportData } from "./data.ts";
import { picture } from "./frames.ts";
import { type Markup, markup } from "./markup.ts";

const ENDS = [
  { at: -1, label: "−epsilon" },
  { at: 0, label: "frame" },
  { at: 1, label: "+epsilon" },
];

/** Nothing where no bounds were asked for. */
export function boundsSection({ bounds, classes }: ReportData): Markup | "" {
  if (bounds === undefined) return "";
  const { summary, pictures } = bounds;
  const { epsilon, unit, delta, frames, faithful, unfaithful, open, covers } = summary;
  return markup`<h2>Around single frames</h2>
<p>${`How far can the two models part if every number of a frame may change by up to epsilon ${epsilon} (${unit})? Of ${frames.length} frames ${faithful} are certified faithful in the whole ball (the proven worst gap is at most delta, ${delta}, and no class changes), for ${unfaithful} an input was found that is not, and ${open} are open: nothing found, nothing proven.`}</p>
<p class="note">${`Covered are ${covers}.`}</p>
<div class="scroll"><table class="counts"><thead><tr><th>frame</th><th>worst found</th><th class="word">by</th><th>certified worst</th><th>by intervals alone</th><th class="word">classes</th><th></th></tr></thead><tbody>${frames.map(row)}</tbody></table></div>
${pictures.map((of) => ball(of, classes, delta))}`;
}

function row(of: FrameBounds): Markup {
  const { lower, foundBy, upper, upperByIntervals, classesDiffer, teacherClass, studentClass, verdict } = of;
  const certified = (value: number): string => (value >= 1 ? "none" : value.toFixed(3));
  const same = teacherClass !== null && teacherClass === studentClass ? teacherClass : "may differ";
  return markup`<tr><th scope="row">${of.row}</th><td>${lower.toFixed(3)}</td><td class="word">${foundBy}</td><td>${certified(upper)}</td><td>${certified(upperByIntervals)}</td><td class="word">${classesDiffer ? "differ" : same}</td><td class="word">${verdict === "unfaithful" ? markup`<strong>unfaithful</strong>` : verdict}</td></tr>`;
}

function ball(of: BallPicture, classes: readonly string[], delta: number): Markup {
  const { bounds, frame, worst, directions, shownClass } = of;
  return markup`<h3>${`Around frame ${bounds.row}`}</h3><div class="gallery ball">${card("the frame", frame, bounds.row, classes)}${card(bounds.classesDiffer ? "here the classes part" : "the worst input found", worst, bounds.row, classes)}</div><div class="pictures three">${directions.map((direction) => confidences(direction, classes[shownClass]!))}${gapMap(of, delta)}</div>`;
}

function card(title: string, shown: BallPicture["frame"], frame: number, classes: readonly string[]): Markup {
  const line = (who: string, { class: index, confidence }: Answer): Markup =>
    markup`<tr><th>${who}</th><td class="${shown.student.class === index ? "" : "differs"}">${classes[index]!}</td><td>${`${(100 * confidence).toFixed(1)}%`}</td></tr>`;
  return markup`<div class="card">${picture(shown.look, frame)}<table>${line("student", shown.student)}${line("teacher", shown.teacher)}</table><small>${title}</small></div>`;
}

function confidences({ name, student, teacher }: Direction, of: string): Markup {
  const plot = createPlot({ x: [-1, 1], y: [0, 1] });
  const points = (values: readonly number[]): [number, number][] =>
    values.map((value, i) => [(2 * i) / (values.length - 1) - 1, value]);
  return figure(
    `Confidence ${name}`,
    drawing(
      plot,
      `Confidence of both models ${name}`,
      markup`${axes(plot, { x: ENDS, y: FIFTHS, yLabel: `confidence in ${of}` })}<path class="envelope" d="${pathThrough(plot, points(student))}"/><path class="plain" d="${pathThrough(plot, points(teacher))}"/>`,
    ),
    "Both models look at the same inputs, from one side of the ball through the frame to the other: where the lines part, the student's confidence is not its teacher's.",
    [
      { of: "", text: "student" },
      { of: "plain", text: "teacher" },
    ],
  );
}

/** The gap in the plane through the frame, the worst input found and a corner drawn at random. */
function gapMap({ map }: BallPicture, delta: number): Markup {
  const plot = createPlot({ x: [-1, 1], y: [-1, 1] });
  const cells = map.length;
  const [wide, tall] = [(plot.right - plot.left) / cells, (plot.bottom - plot.top) / cells];
  const scale = Math.max(2 * delta, ...map.flat().map((cell) => cell.gap));
  const rectangles = map.map((line, b) =>
    line.map(({ gap, differs }, a) => {
      const [x, y] = [plot.left + a * wide, plot.bottom - (b + 1) * tall];
      const kind = gap > delta || differs ? "heat over" : "heat";
      return markup`<rect class="${kind}" x="${x}" y="${y}" width="${wide}" height="${tall}" fill-opacity="${gap / scale}"/>${differs ? markup`<path class="unfaithful" d="M${x + wide / 2 - 2} ${y + tall / 2 - 2}l4 4m0 -4l-4 4"/>` : ""}`;
    }),
  );
  return figure(
    "The gap around the frame",
    drawing(
      plot,
      "The gap in a plane through the frame",
      markup`${axes(plot, { x: ENDS, y: ENDS, xLabel: "towards the worst input found", yLabel: "towards a random corner" })}${rectangles}`,
    ),
    `The darker, the further the models part; cells with a border are unfaithful, by a gap above delta (${delta}) or, with a cross, by their classes.`,
  );
}
