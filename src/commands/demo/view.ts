/** The demo's picture: one screen of text, drawn from what the broker delivered. */

import { type CameraTally, escalationRate, type SeenAlert, type SeenDecision, type Tally } from "./tally.ts";

export interface ViewState {
  readonly tally: Tally;
  readonly severity: (camera: string) => number;
  readonly metricsUrl: string;
  readonly brokerUrl: string;
  readonly promise: string;
  readonly elapsedSeconds: number;
  readonly frameWidth: number;
  readonly columns: number;
}

const RESET = "\x1b[0m";
const bold = (text: string): string => `\x1b[1m${text}${RESET}`;
const dim = (text: string): string => `\x1b[2m${text}${RESET}`;
const green = (text: string): string => `\x1b[32m${text}${RESET}`;
const yellow = (text: string): string => `\x1b[33m${text}${RESET}`;
const red = (text: string): string => `\x1b[31m${text}${RESET}`;

/** All lines of the screen. */
export function drawView(state: ViewState): string[] {
  const { tally, elapsedSeconds } = state;
  const minutes = String(Math.floor(elapsedSeconds / 60)).padStart(2, "0");
  const seconds = String(Math.floor(elapsedSeconds % 60)).padStart(2, "0");
  return [
    `${bold("関所 Sekisho")}  garment line, three cameras   ${minutes}:${seconds}   ${tally.frames().toLocaleString("en")} frames`,
    dim(state.promise),
    "",
    dim("camera        frames   passed  review   escalation, one mark a second"),
    ...[...tally.cameras].map(([name, camera]) =>
      cameraLine(name, camera, state.severity(name), state.columns),
    ),
    "",
    dim("latest decisions                     student is sure"),
    ...tally.decisions.map(decisionLine),
    ...Array.from({ length: Math.max(0, 6 - tally.decisions.length) }, () => ""),
    "",
    dim("alerts: a person decides"),
    ...alertBlock(tally.alerts, state),
    "",
    `${dim("metrics")} ${state.metricsUrl}   ${dim("broker")} ${state.brokerUrl}   ${dim("Ctrl-C ends")}`,
  ];
}

function cameraLine(name: string, camera: CameraTally, severity: number, columns: number): string {
  const rate = escalationRate(camera);
  const percent = rate === undefined ? "    " : `${Math.round(100 * rate)}%`.padStart(4);
  const shown =
    rate !== undefined && rate >= 0.7
      ? red(percent)
      : rate !== undefined && rate >= 0.55
        ? yellow(percent)
        : green(percent);
  const marks = camera.seconds
    .slice(-Math.max(10, Math.min(60, columns - 62)))
    .map(mark)
    .join("");
  const lens = severity > 0 ? `  ${red(`lens fouled ${Math.round(100 * severity)}%`)}` : "";
  const counts = [camera.frames, camera.pass, camera.review + camera.reject].map((n) =>
    n.toLocaleString("en").padStart(8),
  );
  return `${name.padEnd(12)}${counts.join("")}   ${shown} ${marks}${lens}`;
}

function mark({ frames, reviews }: { frames: number; reviews: number }): string {
  if (frames === 0) return " ";
  return "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor((8 * reviews) / frames))]!;
}

function decisionLine(decision: SeenDecision): string {
  const kind = decision.decision.padEnd(7);
  const shown =
    decision.decision === "pass" ? green(kind) : decision.decision === "review" ? yellow(kind) : red(kind);
  const sure = decision.confidence === null ? "    " : decision.confidence.toFixed(2);
  const why = decision.decision === "pass" ? "" : dim(decision.reason);
  return `${decision.source.padEnd(12)}${shown} ${(decision.class ?? "-").padEnd(16)} ${sure}  ${why}`;
}

/** The newest alert with its frame beside it, the older ones as bars. */
function alertBlock(alerts: readonly SeenAlert[], state: ViewState): string[] {
  const [newest, ...older] = alerts;
  if (newest === undefined) return [dim("none yet"), ...Array.from({ length: 14 }, () => "")];
  const picture =
    newest.frameInline === undefined ? [] : pictureLines(newest.frameInline.base64, state.frameWidth);
  const words = [
    bold(newest.review),
    ...wrapped(newest.text, Math.max(30, state.columns - state.frameWidth - 4)),
    "",
    ...confidenceBars(newest),
    "",
    ...older
      .slice(0, 3)
      .map((alert) =>
        dim(`${alert.source.padEnd(11)} ${(alert.class ?? "-").padEnd(11)} ${inNumbers(alert)}`),
      ),
  ];
  const height = Math.max(picture.length, words.length, 14);
  return Array.from(
    { length: height },
    (_, i) => `${picture[i] ?? " ".repeat(state.frameWidth)}  ${words[i] ?? ""}`,
  );
}

function confidenceBars({ confidence, band }: SeenAlert): string[] {
  if (confidence === null || band === null) return [];
  const width = 30;
  const at = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * width);
  const [low, high] = band;
  const teacher = "░".repeat(at(low)) + "█".repeat(Math.max(1, at(high) - at(low)));
  return [
    `student ${yellow("█".repeat(at(confidence)))}${dim("░".repeat(width - at(confidence)))} ${confidence.toFixed(2)}`,
    `teacher ${dim("")}${green(teacher.slice(0, width))}${dim("░".repeat(Math.max(0, width - teacher.length)))} ${low.toFixed(2)} to ${high.toFixed(2)}`,
  ];
}

function inNumbers({ confidence, band, reason }: SeenAlert): string {
  const own = confidence === null ? "-" : confidence.toFixed(2);
  const taught = band === null ? "-" : `${band[0].toFixed(2)} to ${band[1].toFixed(2)}`;
  return `student ${own}, teacher ${taught}  ${reason}`;
}

/** A grey image in half blocks: two pixels a character. */
function pictureLines(base64: string, width: number): string[] {
  const pixels = Buffer.from(base64, "base64");
  const grey = (x: number, y: number): number => pixels[y * width + x] ?? 0;
  const lines: string[] = [];
  for (let y = 0; y * width < pixels.length; y += 2) {
    let line = "";
    for (let x = 0; x < width; x++) {
      const [upper, lower] = [grey(x, y), grey(x, y + 1)];
      line += `\x1b[38;2;${upper};${upper};${upper}m\x1b[48;2;${lower};${lower};${lower}m▀`;
    }
    lines.push(line + RESET);
  }
  return lines;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** For where there is no terminal: how each camera stands, and the newest alert. */
export function summaryLines({ tally, severity, elapsedSeconds }: ViewState): string[] {
  const cameras = [...tally.cameras].map(([name, camera]) => {
    const rate = escalationRate(camera);
    const lens = severity(name) > 0 ? `, lens fouled ${Math.round(100 * severity(name))}%` : "";
    return `${name} ${camera.frames} frames, ${rate === undefined ? "none" : `${Math.round(100 * rate)}%`} to review${lens}`;
  });
  const [alert] = tally.alerts;
  return [
    `${elapsedSeconds.toFixed(0).padStart(4)} s  ${cameras.join("; ")}`,
    ...(alert === undefined ? [] : [`        alert ${alert.review}: ${alert.text}`]),
  ];
}
