/** The demo's picture on terminals of all sizes, and how long an alert stands. */

import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { createTally, type SeenAlert } from "../../src/commands/demo/tally.ts";
import { clipped, widthOf, wrapped } from "../../src/commands/demo/text.ts";
import { drawView, type ViewState } from "../../src/commands/demo/view.ts";

const ENGLISH =
  "dress? The teacher was 0.77 to 1.00 sure of frames like this; the student is 0.98. On frames like this the student often parted from the teacher.";
const JAPANESE =
  "dress？ 同様のフレームに対する教師モデルの確信度は 0.77〜1.00、生徒モデルは 0.98 です。このようなフレームでは教師モデルとの食い違いが多く見られました。";

function anAlert(change: Partial<SeenAlert> = {}): SeenAlert {
  return {
    review: "apparel-1-1",
    frame: "f-1",
    source: "cam-middle",
    decision: "review",
    reason: "class-uncertified",
    class: "dress",
    confidence: 0.98,
    band: [0.77, 1],
    at: "2026-06-01T08:30:00.123Z",
    text: ENGLISH,
    frameInline: { base64: Buffer.alloc(784, 99).toString("base64") },
    ...change,
  };
}

function aTally(alerts: readonly SeenAlert[]) {
  const tally = createTally(["cam-north", "cam-middle", "cam-south"]);
  for (let second = 0; second < 70; second++) {
    for (const source of tally.cameras.keys()) {
      for (const decision of ["pass", "review"] as const) tally.decided(anAlert({ source, decision }));
    }
    tally.nextSecond();
  }
  for (const alert of alerts) tally.alerted(alert);
  return tally;
}

const aState = (alerts: readonly SeenAlert[]): ViewState => ({
  tally: aTally(alerts),
  severity: (camera) => (camera === "cam-middle" ? 1 : 0),
  console: {
    url: "http://127.0.0.1:8477/enter/AAAAAAAAAAAAAAAAAAAAAA",
    login: "or http://127.0.0.1:8477 as demo, password AAAAAAAAAAAAAAAA",
  },
  metricsUrl: "http://127.0.0.1:8477/metrics",
  brokerUrl: "mqtt://127.0.0.1:40699",
  promise:
    "certified with 95% confidence: at most 1.0% of what passes (8 of 10 classes) is unfaithful to the teacher",
  elapsedSeconds: 70,
  frameWidth: 28,
});

const SIZES = [
  [20, 5],
  [60, 16],
  [80, 20],
  [80, 24],
  [100, 30],
  [140, 50],
  [240, 60],
] as const;

describe("the demo's picture", () => {
  const states = { "no alert yet": [], english: [anAlert()], japanese: [anAlert({ text: JAPANESE })] };

  test.each(SIZES)("fits %i columns and %i rows", (columns, rows) => {
    for (const alerts of Object.values(states)) {
      for (const hasColours of [true, false]) {
        const lines = drawView(aState(alerts), { columns, rows, hasColours });
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
        expect(lines.at(-1)).toContain("Ctrl-C ends");
      }
    }
  });

  test.each([60, 80, 240])("has the console's link whole on %i columns", (columns) => {
    const text = drawView(aState([]), { columns, rows: 24, hasColours: false }).join("\n");
    expect(text).toContain("console http://127.0.0.1:8477/enter/AAAAAAAAAAAAAAAAAAAAAA");
    expect(text.includes("password AAAAAAAAAAAAAAAA")).toBe(columns === 240);
  });

  test("keeps its height when the first alert comes", () => {
    for (const [columns, rows] of SIZES) {
      const heights = Object.values(states).map(
        (alerts) => drawView(aState(alerts), { columns, rows, hasColours: true }).length,
      );
      expect(new Set(heights).size).toBe(1);
    }
  });

  test("shows on 80 by 24 what matters: the cameras, and an alert with its frame and both confidences", () => {
    const text = drawView(aState([anAlert()]), { columns: 80, rows: 24, hasColours: true });
    const plain = stripVTControlCharacters(text.join("\n"));
    expect(plain).toMatch(/cam-middle +140 +70 +70 +50% [▁-█]+ +lens fouled 100%/);
    expect(plain).toContain("▀".repeat(28));
    expect(plain).toMatch(/student [█░]+ 0\.98/);
    expect(plain).toMatch(/teacher [█░]+ 0\.77 to 1\.00/);
  });

  test("has neither colours nor a frame where colours are not wanted", () => {
    const text = drawView(aState([anAlert()]), { columns: 140, rows: 50, hasColours: false }).join("\n");
    expect(text).toBe(stripVTControlCharacters(text));
    expect(text).not.toContain("▀");
    expect(text).toContain("0.77 to 1.00");
  });

  test("lets an alert stand for some seconds, and then shows the newest", () => {
    const tally = aTally([]);
    tally.alerted(anAlert({ review: "first" }));
    tally.alerted(anAlert({ review: "second" }));
    expect(tally.alertShown()?.review).toBe("first");
    for (let second = 0; second < 4; second++) tally.nextSecond();
    expect(tally.alertShown()?.review).toBe("second");
    expect(tally.alertCount()).toBe(2);
  });
});

describe("text for a terminal", () => {
  test("is as wide as it shows", () => {
    expect(widthOf("\x1b[1m関所\x1b[0m Sekisho")).toBe(12);
  });

  test("is cut at a column, not in the middle of a wide character or a colour", () => {
    expect(clipped("\x1b[31m関所の図\x1b[0m", 5)).toBe("\x1b[31m関所\x1b[0m");
    expect(clipped("plain text", 5)).toBe("plain");
    expect(clipped("fits", 4)).toBe("fits");
  });

  test("is wrapped at spaces, and anywhere between wide characters", () => {
    expect(wrapped("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrapped("生徒は 0.98 です。", 8)).toEqual(["生徒は", "0.98 で", "す。"]);
    expect(wrapped("unbreakable", 4)).toEqual(["unbreakable"]);
  });
});
