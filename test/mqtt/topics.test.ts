import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  baseTopics,
  filtersOverlap,
  isName,
  parseTopicPattern,
  type TopicPattern,
} from "../../src/mqtt/topics.ts";

function aPattern(text: string, fixedSource?: string): TopicPattern {
  const parsed = parseTopicPattern(text, fixedSource);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed;
}

describe("a topic pattern", () => {
  test("becomes a filter, and gives source and frame of a topic", () => {
    const pattern = aPattern("apparel/{source}/frames/{frame}");
    expect(pattern.filter).toBe("apparel/+/frames/+");
    expect(pattern.match("apparel/cam-1/frames/f 77")).toEqual({
      source: "cam-1",
      valid: true,
      frame: "f 77",
    });
  });

  test.each([
    ["apparel/cam-1/frames"],
    ["apparel/cam-1/frames/7/8"],
    ["other/cam-1/frames/7"],
    ["apparel/cam-1/Frames/7"],
    [""],
  ])("does not match %j", (topic) => {
    expect(aPattern("apparel/{source}/frames/{frame}").match(topic)).toBeUndefined();
  });

  test.each([["a b"], [""], ["kamera-ü"], ["x".repeat(65)]])(
    "gives a source that is no name as it came, and says so: %j",
    (source) => {
      const match = aPattern("line/{source}").match(`line/${source}`);
      expect(match).toEqual({ source, valid: false, frame: undefined });
    },
  );

  test("gives no frame where that level can be no id", () => {
    const pattern = aPattern("line/{source}/{frame}");
    expect(pattern.match(`line/a/${"x".repeat(128)}`)?.frame).toHaveLength(128);
    expect(pattern.match(`line/a/${"x".repeat(129)}`)?.frame).toBeUndefined();
    expect(pattern.match("line/a/")?.frame).toBeUndefined();
    expect(pattern.match("line/a/b\u0007")?.frame).toBeUndefined();
  });

  test("may end in #, which is any number of levels, none as well", () => {
    const pattern = aPattern("line/{source}/#");
    expect(pattern.filter).toBe("line/+/#");
    expect(pattern.match("line/cam")?.source).toBe("cam");
    expect(pattern.match("line/cam/a/b")?.source).toBe("cam");
    expect(pattern.match("line")).toBeUndefined();
  });

  test("may leave a level open", () => {
    expect(aPattern("plant/+/{source}").match("plant/hall-2/cam")?.source).toBe("cam");
  });

  test("without {source} has one source, which is given", () => {
    expect(aPattern("press/frames", "press-7").match("press/frames")?.source).toBe("press-7");
  });

  test("is shared among gateways by a prefix that topics do not have", () => {
    const pattern = aPattern("$share/line-1/apparel/{source}");
    expect(pattern.filter).toBe("$share/line-1/apparel/+");
    expect(pattern.match("apparel/cam")?.source).toBe("cam");
  });

  test("keeps off the broker's own topics unless it names them", () => {
    expect(aPattern("{source}/x").match("$SYS/x")).toBeUndefined();
    expect(aPattern("#").match("$SYS/x")).toBeUndefined();
    expect(aPattern("$SYS/{source}").match("$SYS/x")?.source).toBe("x");
  });

  test.each([
    ["", "an empty one"],
    ["a/{source}/{source}", '"{source}" at most once, found "a/{source}/{source}"'],
    ["{frame}/{frame}", '"{frame}" at most once'],
    ["a/cam-{source}", 'as a whole level, found "cam-{source}" in "a/cam-{source}"'],
    ["a/{station}/{source}", 'found "{station}"'],
    ["a/#/{source}", '"#" as the last level only, found "a/#/{source}"'],
    ["a/b+/c", 'wildcard to be a whole level, found "b+"'],
    ["a\0", "NUL"],
    ["$share/{source}", '"$share/GROUP/" and a topic behind it'],
    ["$share/g+/a", '"$share/GROUP/"'],
    ["x".repeat(65_536), "at most 65535 bytes"],
  ])("is refused with what was expected and found: %j", (text, words) => {
    expect(parseTopicPattern(text)).toEqual({ problem: expect.stringContaining(words) });
  });
});

describe("two filters", () => {
  test.each([
    ["a/+", "a/b", true],
    ["a/+", "+/b", true],
    ["a/#", "a", true],
    ["a/#", "a/b/c", true],
    ["#", "a/b", true],
    ["a/b", "a/b", true],
    ["a/+/c/#", "a/b/+", true],
    ["$share/g/a/+", "$share/h/a/b", true],
    ["a/b", "a/c", false],
    ["a/+", "a", false],
    ["a/+", "a/b/c", false],
    ["a/+/x", "a/b/y", false],
    ["#", "$SYS/a", false],
    ["+/a", "$SYS/a", false],
    ["$SYS/#", "$SYS/a", true],
  ])("%s and %s overlap: %s", (a, b, expected) => {
    expect(filtersOverlap(a, b)).toBe(expected);
    expect(filtersOverlap(b, a)).toBe(expected);
  });

  test("overlap exactly where one topic matches both", () => {
    const level = fc.constantFrom("a", "b", "+", "$s");
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([levels, hash]) => [...levels, ...(hash ? ["#"] : [])].join("/"));
    const topics = topicsUpTo(4, ["a", "b", "$s", "z"]);
    fc.assert(
      fc.property(filter, filter, (a, b) => {
        const first = aPattern(a);
        const second = aPattern(b);
        const common = topics.some((topic) => first.match(topic) && second.match(topic));
        expect(filtersOverlap(a, b)).toBe(common);
      }),
      { numRuns: 300 },
    );
  });
});

function topicsUpTo(levels: number, alphabet: readonly string[]): string[] {
  if (levels === 1) return [...alphabet];
  const shorter = topicsUpTo(levels - 1, alphabet);
  return [
    ...new Set([...shorter, ...shorter.flatMap((topic) => alphabet.map((level) => `${topic}/${level}`))]),
  ];
}

test("the gateway's own topics are those of the contract", () => {
  const topics = baseTopics("gw_1");
  expect(topics).toMatchObject({
    state: "sekisho/gw_1/state",
    info: "sekisho/gw_1/info",
    verdicts: "sekisho/gw_1/verdicts/+",
    request: "sekisho/gw_1/request/+",
  });
  expect(topics.station("apparel")).toBe("sekisho/gw_1/stations/apparel");
  expect(topics.decisions("apparel", "cam-1")).toBe("sekisho/gw_1/decisions/apparel/cam-1");
  expect(topics.reviews("apparel")).toBe("sekisho/gw_1/reviews/apparel");
  expect(topics.response("verdict")).toBe("sekisho/gw_1/response/verdict");
});

test("a name that would change the topic is a defect", () => {
  expect(() => baseTopics("a/b")).toThrow(/gateway must match/);
  expect(() => baseTopics("a").decisions("s", "+")).toThrow(/source must match .* found "\+"/);
});

test.each([["a"], ["A-9_z"], ["x".repeat(64)]])("%j is a name", (name) => expect(isName(name)).toBe(true));
test.each([[""], ["a/b"], ["a b"], ["a\n"], ["x".repeat(65)]])("%j is none", (name) =>
  expect(isName(name)).toBe(false),
);
