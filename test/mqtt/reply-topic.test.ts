import { expect, test } from "vitest";
import { isReplyTopic } from "../../src/mqtt/topics.ts";

const FILTERS = ["line/+/frames", "$share/load/press/#"];

test.each<[string, boolean]>([
  ["operators/hanako/replies", true],
  ["sekisho/test/response/verdict", true],
  ["sekisho/other/decisions/a/b", true],
  ["sekisho/testing", true],
  ["line/cam-1/results", true],
  ["", false],
  ["a/+", false],
  ["a/#", false],
  ["a\0b", false],
  ["$SYS/broker", false],
  ["sekisho/test", false],
  ["sekisho/test/verdicts/hanako", false],
  ["sekisho/test/response/", true],
  ["line/cam-1/frames", false],
  ["press/any/where", false],
  ["x".repeat(1025), false],
])("a reply may go to %j: %s", (topic, may) => {
  expect(isReplyTopic(topic, "test", FILTERS)).toBe(may);
});
