/** Text for a terminal: how wide it is, cut and wrapped to fit, in colours that nearly every terminal has. */

import { stripVTControlCharacters } from "node:util";

const ESCAPE = "\x1b";
const RESET = "\x1b[0m";
export const bold = (text: string): string => `\x1b[1m${text}${RESET}`;
export const dim = (text: string): string => `\x1b[2m${text}${RESET}`;
export const green = (text: string): string => `\x1b[32m${text}${RESET}`;
export const yellow = (text: string): string => `\x1b[33m${text}${RESET}`;
export const red = (text: string): string => `\x1b[31m${text}${RESET}`;

/** Characters that take two columns: kana, kanji, hangul, full-width forms. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].reduce((sum, one) => sum + (WIDE.test(one) ? 2 : 1), 0);
}

/** A colour's whole sequence, which takes no room, or one character. */
const PIECE = new RegExp(`${ESCAPE}\\[[\\d;]*m|.`, "gsu");

/** The text, cut to so many columns; colours in it are ended. */
export function clipped(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const [piece] of text.matchAll(PIECE)) {
    const next = width + widthOf(piece);
    if (next > columns) break;
    kept += piece;
    width = next;
  }
  return kept.includes(ESCAPE) ? kept + RESET : kept;
}

/** The text in lines of at most so many columns, broken at spaces, and beside wide characters, which use none. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const [piece] of text.matchAll(WORD)) {
    if (line !== "" && widthOf(line + piece.trimEnd()) > columns) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += piece;
  }
  return [...lines, line.trimEnd()];
}

/** A wide character with the punctuation that must not begin a line, or a word; each with the spaces after it. */
const WORD = new RegExp(`(?:${WIDE.source}[、。]?|(?:(?!${WIDE.source})\\S)+)\\s*`, "gu");

const GREYS = 24;

/** A grey image in half blocks, two pixels a character, from the 256 colours. */
export function pictureLines(pixels: Uint8Array, width: number): string[] {
  const grey = (x: number, y: number): number =>
    232 + Math.min(GREYS - 1, Math.floor(((pixels[y * width + x] ?? 0) * GREYS) / 256));
  const lines: string[] = [];
  for (let y = 0; y * width < pixels.length; y += 2) {
    const row = Array.from(
      { length: width },
      (_, x) => `\x1b[38;5;${grey(x, y)}m\x1b[48;5;${grey(x, y + 1)}m▀`,
    );
    lines.push(row.join("") + RESET);
  }
  return lines;
}
