/** Which frames of reviews are drawn, on which terminal how; and text and times as a person reads them. */

import { describe, expect, test } from "vitest";
import { drawFrame } from "../../src/commands/review/draw-frame.ts";
import { plain } from "../../src/commands/review/plain.ts";
import { span } from "../../src/commands/review/words.ts";
import type { Terminal } from "../../src/commands/terminal.ts";
import type { FrameDescription } from "../../src/http/api-schemas.ts";

const IN_GREYS = /^[ .:\-=+*#%@\n]+$/;

describe("a frame is drawn", () => {
  const terminal = (is: Partial<Terminal> = {}): Terminal => ({
    out() {},
    err() {},
    isInteractive: true,
    screen: () => ({ columns: 60, rows: 30, hasColours: true }),
    ...is,
  });
  const image: FrameDescription["frame"] = { kind: "image", type: "u8", shape: [2, 2, 1] };
  const pixels = Uint8Array.of(0, 0, 255, 255);
  const inUtf8 = { LANG: "ja_JP.UTF-8" };
  const raw = (frame: FrameDescription["frame"], bytes: number): FrameDescription => ({
    ...{ contentType: "application/octet-stream", bytes, frame },
  });

  test.each([
    ["in all colours", { ...inUtf8, COLORTERM: "truecolor" }, {}, "\x1b[38;2;0;0;0m\x1b[48;2;0;0;0m▀"],
    ["in 256 colours", { ...inUtf8, TERM: "xterm-256color" }, {}, "\x1b[38;5;16m\x1b[48;5;16m▀"],
    ["in greys on a terminal that says nothing of colours", { ...inUtf8, TERM: "vt100" }, {}, IN_GREYS],
    ["in greys into a pipe", { ...inUtf8, COLORTERM: "truecolor" }, { isInteractive: false }, IN_GREYS],
    ["in greys without a locale for blocks", { COLORTERM: "truecolor", LANG: "C" }, {}, IN_GREYS],
    [
      "in greys where colours are not wanted",
      { ...inUtf8, COLORTERM: "truecolor" },
      { screen: () => ({ columns: 60, rows: 30, hasColours: false }) },
      IN_GREYS,
    ],
  ])("%s", async (_, environment, is, expected) => {
    const lines = await drawFrame(raw(image, 4), pixels, terminal(is), environment);
    expect(lines.join("\n")).toMatch(expected);
  });

  test("as a curve for each of its signals, whose numbers are little-endian", async () => {
    const values = Float32Array.from({ length: 128 }, (_, i) => (i < 64 ? i : -i));
    const payload = new Uint8Array(values.buffer);
    const spec: FrameDescription["frame"] = { kind: "tensor", type: "f32", shape: [2, 64] };
    const lines = await drawFrame(raw(spec, 512), payload, terminal(), inUtf8);
    expect(lines.filter((line) => /^ *-?\d/.test(line)).map((line) => line.trim().split(" ")[0])).toEqual([
      ...["63", "0"],
      ...["-64", "-127"],
    ]);
    expect(lines.join("")).toMatch(/[\u2801-\u28ff]/);
    const plainly = await drawFrame(raw(spec, 512), payload, terminal(), { LANG: "C" });
    expect(plainly.join("")).toMatch(/^[-\d *]+$/);
  });

  test.each([
    ["too short", raw(image, 3), new Uint8Array(3), "too-short"],
    ["of no station", raw(null, 4), pixels, "the gateway has no such station any more"],
    ["of no type", { ...raw(image, 4), contentType: "text/html" }, pixels, "its type is not known"],
    ["of no shape", raw({ kind: "tensor", type: "u8", shape: [64, 3] }, 192), new Uint8Array(192), "64 x 3"],
  ])("not where it is %s", async (_, described, payload, words) => {
    const [line, ...rest] = await drawFrame(described, payload, terminal(), inUtf8);
    expect(line).toContain(`its frame is not drawn: `);
    expect(line).toContain(words);
    expect(rest).toEqual([]);
  });
});

test("text of a sensor moves no cursor and turns no line around", () => {
  expect(plain("line-3 関所 é")).toBe("line-3 関所 é");
  expect(plain("\x1b[2J\x9b1m\r\n\u202eback\x7f")).toBe("<1b>[2J<9b>1m<0d><0a><202e>back<7f>");
});

test.each([
  [0, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [7_199_999, "1 h"],
  [200_000_000, "2 d"],
])("%i ms are %s", (ms, words) => {
  expect(span(ms)).toBe(words);
});
