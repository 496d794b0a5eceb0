/** Draws a kept frame in a terminal, as far as it is one that can be drawn there. */

import { frameSpecOf } from "../../bundle/manifest.ts";
import type { Encoding, FrameSpec, Preprocessing } from "../../core/frame.ts";
import { openDecoder } from "../../engine/decoder.ts";
import { CONTENT_TYPE_OF } from "../../gateway/station.ts";
import type { FrameDescription } from "../../http/api-schemas.ts";
import type { Surroundings } from "../run.ts";
import type { Terminal } from "../terminal.ts";
import { drawImage, type Ink } from "./draw-image.ts";
import { drawSignal } from "./draw-signal.ts";

const DECODER = new URL("../../engine/decoder-main.js", import.meta.url);
/** Only decoding is asked for; an image of another size is drawn as the student is given it. */
const AS_IT_IS: Preprocessing = { resize: "fill", layout: "flat", scale: 1, mean: [0], std: [1] };
const COLUMNS_MAX = 80;
/** So that a frame and the prompt below it are seen at once. */
const PROMPT_ROWS = 3;
const ROWS = { min: 8, max: 40 } as const;
const SIGNAL_ROWS = 8;
const SIGNALS_MAX = 8;

/** @returns lines; of a frame that cannot be drawn, why */
export async function drawFrame(
  { contentType, bytes, frame }: FrameDescription,
  payload: Uint8Array,
  terminal: Terminal,
  environment: Surroundings["environment"],
): Promise<readonly string[]> {
  const notDrawn = (why: string): readonly string[] => [
    `its frame is not drawn: ${why} (${bytes} bytes of ${contentType})`,
  ];
  if (frame === null) return notDrawn("the gateway has no such station any more");
  const encoding = (Object.keys(CONTENT_TYPE_OF) as Encoding[]).find(
    (one) => CONTENT_TYPE_OF[one] === contentType,
  );
  if (encoding === undefined) return notDrawn("its type is not known");
  const spec = frameSpecOf(frame);
  const decoder = openDecoder({
    ...{ modulePath: DECODER, spec, preprocessing: AS_IT_IS },
    onStderr: (line) => terminal.err(`decoder: ${line}\n`),
  });
  try {
    const decoded = await decoder.decode({ encoding, payload });
    if (decoded.kind === "reject") return notDrawn(decoded.reason);
    return (
      draw(decoded.values, spec, terminal, environment) ?? notDrawn(`its shape is ${frame.shape.join(" x ")}`)
    );
  } finally {
    await decoder.close();
  }
}

function draw(
  values: ArrayLike<number>,
  spec: FrameSpec,
  terminal: Terminal,
  environment: Surroundings["environment"],
): readonly string[] | undefined {
  const screen = terminal.screen();
  const columns = Math.min(COLUMNS_MAX, screen.columns);
  if (spec.kind === "image") {
    const rows = Math.min(ROWS.max, Math.max(ROWS.min, screen.rows - PROMPT_ROWS));
    return drawImage({ ...spec, pixels: values }, columns, rows, inkOf(terminal, environment));
  }
  const [signals, length] = signalsOf(spec.shape);
  if (signals > SIGNALS_MAX) return undefined;
  const ink = isUnicode(environment) ? "braille" : "ascii";
  return Array.from({ length: signals }, (_, n) =>
    drawSignal({ values, from: n * length, length }, columns, SIGNAL_ROWS, ink),
  ).flat();
}

/** How many signals a tensor holds one behind the other, and how long each is; its last long side is time. */
function signalsOf(shape: readonly number[]): readonly [signals: number, length: number] {
  const length = shape.findLast((side) => side > 1) ?? 1;
  return [shape.reduce((product, side) => product * side, 1) / length, length];
}

/** Half blocks need colours to say anything: without them, and where nobody watches, greys are plain characters. */
function inkOf({ isInteractive, screen }: Terminal, environment: Surroundings["environment"]): Ink {
  const { COLORTERM = "", TERM = "" } = environment;
  if (!isInteractive || !screen().hasColours || !isUnicode(environment)) return "ascii";
  if (/^(truecolor|24bit)$/i.test(COLORTERM)) return "true-colour";
  return /256color|kitty|alacritty/.test(TERM) ? "256-colours" : "ascii";
}

/** By the locale, the first of these that is set. */
function isUnicode({ LC_ALL, LC_CTYPE, LANG }: Surroundings["environment"]): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "");
}
