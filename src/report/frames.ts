/** The frames themselves: those on which student and teacher part most, as a person would see them. */

import type { Look, ReportData, ShownFrame } from "./data.ts";
import { type Markup, markup } from "./markup.ts";

const SIGNAL_WIDTH = 150;
const SIGNAL_HEIGHT = 84;

export function framePictures({ shown, classes, evaluation }: ReportData): Markup {
  const { passed, reviewed } = shown;
  const unfaithful = evaluation.facts.filter(({ isUnfaithful }) => isUnfaithful);
  const unfaithfulPassed = unfaithful.filter(({ isPassed }) => isPassed).length;
  const gallery = (
    title: string,
    frames: readonly ShownFrame[],
    total: number,
    none: string,
    sentence: string,
  ): Markup =>
    markup`<h3>${title}</h3><p>${frames.length === 0 ? none : `${sentence}${total > frames.length ? ` The first ${frames.length} of ${total}.` : ""}`}</p><div class="gallery">${frames.map((frame) => card(frame, classes))}</div>`;
  return markup`${gallery(
    "Unfaithful, and passed",
    passed,
    unfaithfulPassed,
    "No unfaithful frame passed.",
    "These are the errors that the certificate bounds: look at each, since nobody on the line would have.",
  )}${gallery(
    "Unfaithful, and sent to a person",
    reviewed,
    unfaithful.length - unfaithfulPassed,
    "No unfaithful frame was sent to a person.",
    "On these the two models part most, and the gateway would have asked a person.",
  )}<p class="note">The gap is the largest over the frame and its slightly changed copies, so that it may exceed what the two confidences at the frame itself show.</p>`;
}

function card({ facts, look }: ShownFrame, classes: readonly string[]): Markup {
  const { row, studentClass, studentConfidence, teacherClass, teacherConfidence, gap, label } = facts;
  const line = (who: string, classIndex: number, sure: string): Markup =>
    markup`<tr><th>${who}</th><td class="${classIndex === studentClass ? "" : "differs"}">${classes[classIndex]!}</td><td>${sure}</td></tr>`;
  return markup`<div class="card">${picture(look, row)}<table>${line("student", studentClass, confidence(studentConfidence))}${line("teacher", teacherClass, confidence(teacherConfidence))}${label < 0 ? "" : line("truth", label, "")}</table><small>${`frame ${row}, gap ${Number.isFinite(gap) ? gap.toFixed(2) : "not finite"}`}</small></div>`;
}

function confidence(p: number): string {
  return `${(100 * p).toFixed(1)}%`;
}

export function picture(look: Look, row: number): Markup {
  switch (look.kind) {
    case "image":
      return markup`<img alt="${`frame ${row}`}" src="data:image/png;base64,${look.pngBase64}">`;
    case "signal":
      return signal(look.rows, row);
    default:
      return unreachable(look);
  }
}

/** Each row as a line, all on the scale of the largest and the least of them. */
function signal(rows: readonly (readonly number[])[], row: number): Markup {
  const values = rows.flat();
  const least = Math.min(...values);
  const span = Math.max(...values) - least || 1;
  const lines = rows.map((of) => {
    const points = of.map((value, i) => {
      const x = (i / Math.max(1, of.length - 1)) * SIGNAL_WIDTH;
      const y = SIGNAL_HEIGHT - 3 - ((value - least) / span) * (SIGNAL_HEIGHT - 6);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    return markup`<polyline points="${points.join(" ")}"/>`;
  });
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="signal" viewBox="0 0 ${SIGNAL_WIDTH} ${SIGNAL_HEIGHT}" role="img" aria-label="${`frame ${row}`}">${lines}</svg>`;
}

function unreachable(value: never): never {
  throw new Error(`no such look: ${String(value)}`);
}
