import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import Type from "typebox";
import { describe, expect, test } from "vitest";
import { writeFileAtomically } from "../../src/schema/atomic-file.ts";
import { formatProblems, readDocument } from "../../src/schema/document.ts";
import { formatJson } from "../../src/schema/format-json.ts";
import { nearest } from "../../src/schema/nearest.ts";

describe("a document", () => {
  const Schema = Type.Object(
    { size: Type.Integer({ minimum: 1, default: 3 }) },
    { additionalProperties: false },
  );

  test("fills in defaults", () => {
    expect(readDocument("{}", "a.json", Schema)).toMatchObject({ ok: true, value: { size: 3 } });
  });

  test("says file, line and column in the form that editors follow", () => {
    const parsed = readDocument('{\n  "size": 0\n}', "a.json", Schema);
    if (parsed.ok) throw new Error("expected a problem");
    expect(formatProblems(parsed.problems)).toMatch(/^a\.json:2:11: size: must be >= 1, found 0$/);
  });

  test.each([
    ["the same key twice", '{"size": 1, "size": 2}'],
    ["text behind its end", '{"size": 1} x'],
    ["an anchor that repeats itself", "a: &a [1]\nb: [*a, *a]"],
  ])("with %s is refused", (_, text) => {
    expect(readDocument(text, "a.json", Schema)).toMatchObject({ ok: false, problems: [{ file: "a.json" }] });
  });

  test("never throws, whatever its text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const parsed = readDocument(text, "a.yaml", Schema);
        expect(parsed.ok ? [] : parsed.problems.length).not.toBe(0);
      }),
    );
  });
});

describe("JSON for people", () => {
  test("is the same value again", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(formatJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("keeps a short object on its line and wraps long rows of numbers", () => {
    expect(formatJson({ a: { n: 1, k: 0 } })).toBe('{ "a": { "n": 1, "k": 0 } }\n');
    const lines = formatJson(Array.from({ length: 100 }, (_, i) => i)).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.length).toBeLessThan(10);
  });
});

test("the nearest word is the one at the smallest edit distance, if it is near at all", () => {
  expect(nearest("encodngs", ["topic", "encodings"])).toBe("encodings");
  expect(nearest("zebra", ["topic", "encodings"])).toBeUndefined();
});

test("a file is replaced whole, with nothing left beside it", () => {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-file-"));
  const file = join(folder, "a.json");
  writeFileSync(file, "old");
  writeFileAtomically(file, "new");
  expect(readFileSync(file, "utf8")).toBe("new");
  expect(readdirSync(folder)).toEqual(["a.json"]);
});
