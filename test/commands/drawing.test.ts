/** Frames drawn with characters, to the character. */

import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { drawImage, type Ink, type Picture } from "../../src/commands/review/draw-image.ts";
import { drawSignal } from "../../src/commands/review/draw-signal.ts";

const E = "\x1b";

function grey(width: number, ...pixels: number[]): Picture {
  return { width, height: pixels.length / width, channels: 1, pixels };
}

/** A light disc on a dark ground. */
const disc = grey(
  16,
  ...Array.from({ length: 256 }, (_, at) =>
    Math.hypot((at % 16) - 7.5, Math.floor(at / 16) - 7.5) < 6 ? 230 : 20,
  ),
);

describe("an image", () => {
  test("in plain characters has two of its pixels in each", () => {
    expect(drawImage(disc, 40, 8, "ascii")).toEqual([
      "                ",
      "    ==%%%%==    ",
      "   %%%%%%%%%%   ",
      "  %%%%%%%%%%%%  ",
      "  %%%%%%%%%%%%  ",
      "   %%%%%%%%%%   ",
      "    ==%%%%==    ",
      "                ",
    ]);
  });

  test("in colours is half blocks, the upper pixel before the lower", () => {
    const picture: Picture = {
      ...{ width: 2, height: 2, channels: 3 },
      pixels: [255, 0, 0, 255, 0, 0, 0, 0, 0, 100, 110, 120],
    };
    expect(drawImage(picture, 2, 1, "true-colour")).toEqual([
      `${E}[38;2;255;0;0m${E}[48;2;0;0;0m▀${E}[38;2;255;0;0m${E}[48;2;100;110;120m▀${E}[0m`,
    ]);
    expect(drawImage(picture, 2, 1, "256-colours")).toEqual([
      `${E}[38;5;196m${E}[48;5;16m▀${E}[38;5;196m${E}[48;5;242m▀${E}[0m`,
    ]);
  });

  test("names a colour only where it changes, and leaves the ground where a last row has no lower pixel", () => {
    expect(drawImage(grey(3, 9, 9, 0), 3, 1, "true-colour")).toEqual([
      `${E}[38;2;9;9;9m${E}[49m▀▀${E}[38;2;0;0;0m${E}[49m▀${E}[0m`,
    ]);
  });

  test.each<[string, Picture, number, number, string[]]>([
    ["smaller than the room is enlarged by a whole factor", grey(2, 0, 255, 255, 0), 5, 9, ["  @@", "@@  "]],
    [
      "larger is reduced by means",
      grey(4, 0, 0, 255, 255, 0, 0, 255, 255, 0, 255, 0, 255, 255, 0, 255, 0),
      2,
      9,
      [":#"],
    ],
    ["too high for the room keeps its proportion", grey(1, 255, 255, 0, 0, 255, 255, 0, 0), 9, 2, ["=", "="]],
    ["wider than any room keeps one row", grey(8, 0, 0, 0, 0, 255, 255, 255, 255), 2, 1, [" @"]],
  ])("%s", (_, picture, columns, rows, lines) => {
    expect(drawImage(picture, columns, rows, "ascii")).toEqual(lines);
  });

  test.each<Ink>(["true-colour", "256-colours", "ascii"])("in %s never leaves its room", (ink) => {
    for (const [width, height] of [
      [1, 300],
      [300, 1],
      [28, 28],
      [640, 480],
      [3, 5],
    ] as const) {
      const picture: Picture = {
        width,
        height,
        channels: 1,
        pixels: new Uint8Array(width * height).fill(99),
      };
      for (const [columns, rows] of [
        [1, 1],
        [80, 24],
        [7, 50],
      ] as const) {
        const lines = drawImage(picture, columns, rows, ink);
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines)
          expect([...stripVTControlCharacters(line)].length).toBeLessThanOrEqual(columns);
      }
    }
  });
});

describe("a signal", () => {
  const wave = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i / 20) * Math.exp(-i / 300));
  wave[333] = 1.7;

  test("in braille shows its course, its extremes, and a peak of one number", () => {
    expect(drawSignal({ values: wave, from: 0, length: 500 }, 70, 8, "braille")).toEqual([
      "   1.7                                           ⡇",
      "                                                 ⡇",
      "         ⢀⡤⣄⡀                                   ⢸⡇",
      "        ⣰⠋  ⠳⡄           ⣠⠤⣄⡀                   ⢸⡇",
      "       ⣰⠃    ⠹⡄        ⢠⠞⠁  ⠙⢦         ⢀⡤⠖⠒⠒⢦⡀  ⢸⡇      ⣀⣠⠤⣄⣀",
      "       ⠇      ⠹⡄      ⣰⠋     ⠈⠳⡄     ⢀⡴⠋     ⠉⠳⣄⢸⡇   ⣀⡴⠋⠁   ⠈⠙⠦⣄⡀   ⣀⣠",
      "               ⠹⣄    ⡴⠃        ⠙⢦⣀ ⣀⡴⠋         ⠈⠛⠳⠤⠖⠋⠁          ⠉⠉⠉⠉⠁",
      "-0.732          ⠘⢦⣀⣠⠞⠁           ⠈⠉⠁",
    ]);
  });

  test("in plain characters shows the same", () => {
    expect(drawSignal({ values: wave, from: 0, length: 500 }, 70, 8, "ascii")).toEqual([
      "   1.7                                           *",
      "                                                 *",
      "         ***                                    **",
      "        ** ***           ****                   **",
      "       **    **        ***  ***        *******  **     *******",
      "       *      **      **      **     ***     *****  ****     *********",
      "               **   ***        *******          *****",
      "-0.732          *****",
    ]);
  });

  test("between few numbers is a line, and only the part asked for", () => {
    const values = [9, 9, 0, 4, 0, -4, 0, -9];
    expect(drawSignal({ values, from: 2, length: 5 }, 12, 2, "braille")).toEqual([
      " 4 ⣠⠞⠙⢦⡀",
      "-4 ⠁   ⠉⠳⣄⡴⠋",
    ]);
  });

  test("that does not move is a line in the middle", () => {
    expect(drawSignal({ values: [1, 1, 1], from: 0, length: 3 }, 8, 3, "ascii")).toEqual([
      "1",
      "  ******",
      "1",
    ]);
  });

  test("of one number is drawn as well", () => {
    expect(drawSignal({ values: [5], from: 0, length: 1 }, 5, 1, "ascii")).toEqual(["5 ***"]);
  });
});
