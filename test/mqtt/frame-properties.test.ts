import { describe, expect, test } from "vitest";
import { frameProperties } from "../../src/mqtt/frame-properties.ts";

describe("the frame's id", () => {
  test("is the user property frame-id, whatever the correlation data", () => {
    const properties = { userProperties: { "frame-id": "f-1" }, correlationData: Buffer.from("c-1") };
    expect(frameProperties(properties)).toMatchObject({ frameId: "f-1", ignored: [] });
  });

  test.each([
    ["text", Buffer.from("f/77 ü"), "f/77 ü"],
    ["bytes that are no UTF-8", Buffer.from([0xff, 0x00]), "ff00"],
    ["bytes with control characters", Buffer.from([1, 2, 3]), "010203"],
    ["text that starts with a byte order mark", Buffer.from([0xef, 0xbb, 0xbf, 0x61]), "\ufeffa"],
  ])("is else the correlation data: %s", (_what, correlationData, frameId) => {
    const found = frameProperties({ correlationData });
    expect(found).toMatchObject({ frameId, ignored: [] });
    expect(found.correlation).toBe(correlationData);
  });

  test("is the first of a repeated property", () => {
    expect(frameProperties({ userProperties: { "frame-id": ["a", "b"] } }).frameId).toBe("a");
  });

  test.each(["", "a\nb", "\u0085", "x".repeat(129)])("is not %j, which is said", (id) => {
    const found = frameProperties({ userProperties: { "frame-id": id, "part-id": id } });
    expect(found).toMatchObject({ frameId: undefined, partId: undefined, ignored: ["frame-id", "part-id"] });
  });

  test("falls back to the correlation data where frame-id cannot be used", () => {
    const properties = { userProperties: { "frame-id": "a\nb" }, correlationData: Buffer.from("c") };
    expect(frameProperties(properties)).toMatchObject({ frameId: "c", ignored: ["frame-id"] });
  });

  test.each([Buffer.alloc(0), Buffer.alloc(129, "x"), Buffer.alloc(65, 0xff)])(
    "is not correlation data that is empty or too long (%#), which is still echoed",
    (correlationData) => {
      const found = frameProperties({ correlationData });
      expect(found).toMatchObject({ frameId: undefined, ignored: ["correlation-data"] });
      expect(found.correlation).toBe(correlationData);
    },
  );
});

test("part id and content type are taken as they are", () => {
  const properties = { userProperties: { "part-id": "p-9" }, contentType: "image/png" };
  expect(frameProperties(properties)).toMatchObject({ partId: "p-9", contentType: "image/png" });
});

test.each([
  ["1", 1],
  ["03", 3],
  ["1000000", 1_000_000],
])("part-count %s is %i frames", (text, count) => {
  expect(frameProperties({ userProperties: { "part-count": text } })).toMatchObject({
    partCount: count,
    ignored: [],
  });
});

test.each(["", "0", "-1", "1.5", "1e3", "three", "1000001", " 2"])(
  "part-count %j is none, which is not the same as no part-count",
  (text) => {
    const found = frameProperties({ userProperties: { "part-count": text } });
    expect(found).toMatchObject({ partCount: 0, ignored: ["part-count"] });
  },
);

test("a part whose id cannot be used leaves a mark: its frame must not pass for a part of its own", () => {
  const named = (count?: string) => ({
    userProperties: { "part-id": "a\nb", ...(count !== undefined && { "part-count": count }) },
  });
  expect(frameProperties(named())).toMatchObject({ partId: undefined, partCount: 0 });
  expect(frameProperties(named("2"))).toMatchObject({ partId: undefined, partCount: 2 });
});

test("MQTT 3.1.1 has none of it", () => {
  expect(frameProperties(undefined)).toEqual({
    frameId: undefined,
    partId: undefined,
    partCount: undefined,
    correlation: undefined,
    contentType: undefined,
    ignored: [],
  });
});
