/** The demo's picture: one screen of text that fits its terminal, drawn from what the broker delivered. */

import { stripVTControlCharacters } from "node:util";
import type { ConsoleWords } from "./console.ts";
import { type CameraTally, escalationRate, type SeenAlert, type SeenDecision, type Tally } from "./tally.ts";
import { bold, clipped, dim, green, pictureLines, red, widthOf, wrapped, yellow } from "./text.ts";

export interface ViewState {
  readonly tally: Tally;
  readonly severity: (camera: string) => number;
  readonly console: ConsoleWords;
  readonly metricsUrl: string;
  readonly brokerUrl: string;
  readonly promise: string;
  readonly elapsedSeconds: number;
  readonly frameWidth: number;
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly hasColours: boolean;
}

/** What is shown, from the fullest picture to the leanest; the first that fits is drawn. */
const LAYOUTS = [
  { decisions: 6, hasFrame: true, hasGaps: true },
  { decisions: 3, hasFrame: true, hasGaps: true },
  { decisions: 0, hasFrame: true, hasGaps: true },
  { decisions: 0, hasFrame: true, hasGaps: false },
  { decisions: 6, hasFrame: false, hasGaps: true },
  { decisions: 3, hasFrame: false, hasGaps: true },
  { decisions: 0, hasFrame: false, hasGaps: true },
  { decisions: 0, hasFrame: false, hasGaps: false },
] as const;
type Layout = (typeof LAYOUTS)[number];

/** Columns that the words of an alert need beside its frame. */
const WORDS_COLUMNS_MIN = 40;
const ALERT_ROWS = { withFrame: 14, withoutFrame: 8 };
const BAR_COLUMNS_MAX = 30;
/** Of the words beside a bar: "teacher ", " 0.00 to 0.00". */
const BAR_LABEL_COLUMNS = 21;
const MARKS_MIN = 10;
/** Of a camera's line but its marks: name, counts, rate, and how fouled the lens is. */
const CAMERA_COLUMNS = 62;

/** All lines of the screen: no line wider, and no more of them, than there is room for; the last always shows. */
export function drawView(state: ViewState, { columns, rows, hasColours }: Screen): string[] {
  const canShowFrame = hasColours && columns >= state.frameWidth + WORDS_COLUMNS_MIN;
  const pictures = LAYOUTS.filter(({ hasFrame }) => canShowFrame || !hasFrame).map((layout) =>
    compose(state, layout, columns),
  );
  const picture = pictures.find((lines) => lines.length <= rows) ?? pictures.at(-1)!;
  const lines = picture.length <= rows ? picture : [...picture.slice(0, rows - 1), picture.at(-1)!];
  return lines.map((line) => clipped(hasColours ? line : stripVTControlCharacters(line), columns));
}

function compose(state: ViewState, { decisions, hasFrame, hasGaps }: Layout, columns: number): string[] {
  const blocks = [
    [titleLine(state), ...wrapped(state.promise, columns).map(dim)],
    cameraBlock(state, columns),
    ...(decisions === 0 ? [] : [decisionBlock(state.tally, decisions)]),
    alertBlock(state, columns, hasFrame),
    [consoleLine(state, columns), footLine(state)],
  ];
  return blocks.flatMap((block, i) => (hasGaps && i > 0 ? ["", ...block] : block));
}

function titleLine({ tally, elapsedSeconds }: ViewState): string {
  const minutes = String(Math.floor(elapsedSeconds / 60)).padStart(2, "0");
  const seconds = String(Math.floor(elapsedSeconds % 60)).padStart(2, "0");
  return `${bold("関所 Sekisho")}  garment line, three cameras   ${minutes}:${seconds}   ${withCommas(tally.frames())} frames`;
}

/** The link, whole or not at all: half a link leads nowhere. */
function consoleLine({ console: { url, login } }: ViewState, columns: number): string {
  const line = `${bold("console")} ${url}`;
  const whole = `${line}   ${dim(login)}`;
  return [whole, line].find((one) => widthOf(one) <= columns) ?? dim("the console's link needs more columns");
}

function footLine({ metricsUrl, brokerUrl }: ViewState): string {
  return `${dim("Ctrl-C ends   metrics")} ${metricsUrl}   ${dim("broker")} ${brokerUrl}`;
}

function cameraBlock({ tally, severity }: ViewState, columns: number): string[] {
  const heading = `camera      ${["frames", "passed", "review"].map((one) => one.padStart(8)).join("")}   escalation, one mark a second`;
  const marks = Math.max(MARKS_MIN, columns - CAMERA_COLUMNS);
  return [
    dim(heading),
    ...[...tally.cameras].map(([name, camera]) => cameraLine(name, camera, severity(name), marks)),
  ];
}

function cameraLine(name: string, camera: CameraTally, severity: number, marks: number): string {
  const rate = escalationRate(camera);
  const percent = rate === undefined ? "    " : inPercent(rate).padStart(4);
  const colour = rate === undefined || rate < 0.55 ? green : rate < 0.7 ? yellow : red;
  const counts = [camera.frames, camera.pass, camera.review + camera.reject].map((n) =>
    withCommas(n).padStart(8),
  );
  const lens = severity > 0 ? `  ${red(`lens fouled ${inPercent(severity)}`)}` : "";
  return `${name.padEnd(12)}${counts.join("")}   ${colour(percent)} ${camera.seconds.slice(-marks).map(mark).join("")}${lens}`;
}

function mark({ frames, reviews }: { frames: number; reviews: number }): string {
  if (frames === 0) return " ";
  return "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor((8 * reviews) / frames))]!;
}

function decisionBlock({ decisions }: Tally, rows: number): string[] {
  return [
    dim("latest decisions                     student is sure"),
    ...filled(decisions.slice(0, rows).map(decisionLine), rows),
  ];
}

function decisionLine(decision: SeenDecision): string {
  const kind = decision.decision.padEnd(7);
  const shown =
    decision.decision === "pass" ? green(kind) : decision.decision === "review" ? yellow(kind) : red(kind);
  const sure = decision.confidence === null ? "    " : decision.confidence.toFixed(2);
  const why = decision.decision === "pass" ? "" : dim(decision.reason);
  return `${decision.source.padEnd(12)}${shown} ${(decision.class ?? "-").padEnd(16)} ${sure}  ${why}`;
}

/** One alert, kept long enough to be read, with its frame beside it; then the newest ones in a line each. */
function alertBlock({ tally, frameWidth }: ViewState, columns: number, hasFrame: boolean): string[] {
  const rows = hasFrame ? ALERT_ROWS.withFrame : ALERT_ROWS.withoutFrame;
  const heading = dim(`alerts: a person decides   ${withCommas(tally.alertCount())} so far`);
  const alert = tally.alertShown();
  if (alert === undefined) return [heading, ...filled([dim("none yet")], rows)];
  const { frameInline } = alert;
  const picture =
    hasFrame && frameInline !== undefined
      ? pictureLines(Buffer.from(frameInline.base64, "base64"), frameWidth)
      : [];
  const wordColumns = hasFrame ? columns - frameWidth - 2 : columns;
  const words = [
    bold(alert.review),
    ...wrapped(alert.text, wordColumns),
    ...confidenceBars(alert, wordColumns),
    "",
    ...tally.alerts.slice(0, 3).map((one) => dim(oneLine(one))),
  ];
  const lines = Array.from({ length: rows }, (_, i) => {
    const beside = hasFrame ? `${picture[i] ?? " ".repeat(frameWidth)}  ` : "";
    return `${beside}${words[i] ?? ""}`;
  });
  return [heading, ...lines];
}

function confidenceBars({ confidence, band }: SeenAlert, columns: number): string[] {
  if (confidence === null || band === null) return [];
  const width = Math.max(1, Math.min(BAR_COLUMNS_MAX, columns - BAR_LABEL_COLUMNS));
  const at = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * width);
  const bar = (from: number, to: number, colour: (text: string) => string): string => {
    const start = Math.min(from, width - 1); // A band has a mark, however narrow it is.
    const length = Math.max(1, to - start);
    return `${dim("░".repeat(start))}${colour("█".repeat(length))}${dim("░".repeat(width - start - length))}`;
  };
  const [low, high] = band;
  return [
    "",
    `student ${bar(0, at(confidence), yellow)} ${confidence.toFixed(2)}`,
    `teacher ${bar(at(low), at(high), green)} ${low.toFixed(2)} to ${high.toFixed(2)}`,
  ];
}

function oneLine({ source, class: name, confidence, band, reason }: SeenAlert): string {
  const own = confidence === null ? "-" : confidence.toFixed(2);
  const taught = band === null ? "-" : `${band[0].toFixed(2)} to ${band[1].toFixed(2)}`;
  return `${source.padEnd(11)} ${(name ?? "-").padEnd(11)} ${own}, teacher ${taught}  ${reason}`;
}

function filled(lines: readonly string[], rows: number): string[] {
  return Array.from({ length: rows }, (_, i) => lines[i] ?? "");
}

function withCommas(count: number): string {
  return count.toLocaleString("en");
}

function inPercent(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** For where there is no terminal: how each camera stands, and the newest alert. */
export function summaryLines({ tally, severity, elapsedSeconds }: ViewState): string[] {
  const cameras = [...tally.cameras].map(([name, camera]) => {
    const rate = escalationRate(camera);
    const lens = severity(name) > 0 ? `, lens fouled ${inPercent(severity(name))}` : "";
    return `${name} ${camera.frames} frames, ${rate === undefined ? "none" : inPercent(rate)} to review${lens}`;
  });
  const [alert] = tally.alerts;
  return [
    `${elapsedSeconds.toFixed(0).padStart(4)} s  ${cameras.join("; ")}`,
    ...(alert === undefined ? [] : [`        alert ${alert.review}: ${alert.text}`]),
  ];
}
