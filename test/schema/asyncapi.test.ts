/** docs/asyncapi.yaml is generated, and is what AsyncAPI asks of a document. That the gateway keeps to it: test/daemon. */

import specs from "@asyncapi/specs";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { REJECT_REASONS } from "../../src/core/frame.ts";
import { REVIEW_REASONS } from "../../src/core/judge.ts";
import { decodeJson } from "../../src/engine/decode-json.ts";
import { baseTopics } from "../../src/mqtt/topics.ts";
import { FrameMessageSchema } from "../../src/schema/frame-message.ts";
import { OF_DECISION } from "../../src/schema/gateway-messages.ts";
import { asyncContract } from "../support/async-contract.ts";
import { publishedYaml, readYaml, references } from "../support/published-yaml.ts";
import { asyncApi } from "./asyncapi.ts";

test("docs/asyncapi.yaml is made of the schemas and topics as they are", () => {
  const { expected, found } = publishedYaml("asyncapi.yaml", asyncApi(), "test/schema");
  expect(found).toBe(expected);
});

describe("docs/asyncapi.yaml", () => {
  let document: object;
  beforeAll(() => {
    document = readYaml<object>("asyncapi.yaml");
  });
  // No meta-schema of its own for formats: they are notes there.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const isAsyncApi = ajv.compile(specs.schemasWithoutId["3.0.0"] as object);

  test("is an AsyncAPI 3.0 document, by AsyncAPI's own schema", () => {
    expect(isAsyncApi(document), ajv.errorsText(isAsyncApi.errors)).toBe(true);
    expect(isAsyncApi({ ...document, mood: "good" })).toBe(false);
  });

  test("has no reference that leads nowhere", () => {
    const all = references(document);
    expect(all.length).toBeGreaterThan(40);
    expect(all.filter(([, target]) => target === undefined)).toEqual([]);
  });

  test("has a channel for each of the gateway's topics, and for no other", () => {
    const { document: contract, channelOf } = asyncContract();
    const topics = baseTopics("hall-2");
    const all: Record<keyof typeof topics, readonly string[]> = {
      state: [topics.state],
      info: [topics.info],
      station: [topics.station("press")],
      decisions: [topics.decisions("press", "cam-1")],
      reviews: [topics.reviews("press")],
      verdicts: [topics.verdicts.replace("+", "hanako")],
      request: [topics.request.replace("+", "thresholds")],
      response: [topics.response("verdict"), topics.response("thresholds")],
      teacherRequest: [topics.teacherRequest],
      teacherResponse: [topics.teacherResponse],
    };
    expect(Object.keys(all).sort()).toEqual(Object.keys(topics).sort());
    const channels = Object.values(all).flat().map(channelOf);
    expect(channels).not.toContain(undefined);
    expect([...channels, "frames"].sort()).toEqual(Object.keys(contract.channels).sort());
  });

  test("names every reason that a decision can have", () => {
    const { description } = OF_DECISION.reason as { description?: string };
    for (const reason of ["faithful", "shadow", ...REVIEW_REASONS, ...REJECT_REASONS])
      expect(description).toMatch(new RegExp(`[ ,]${reason}[,;.]`));
  });
});

test("a frame as JSON is taken by the decoder only if the schema has it", () => {
  const isFrame = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(FrameMessageSchema);
  const spec = { kind: "tensor", type: "f32", shape: [2] } as const;
  const id = fc.oneof(
    ...[fc.string({ maxLength: 4 }), fc.constant("x".repeat(128)), fc.constant("x".repeat(129))],
    ...[fc.constant(null), fc.maxSafeInteger(), fc.double(), fc.boolean(), fc.constant("\u0007")],
  );
  const count = fc.oneof(fc.integer({ min: -1, max: 1_000_002 }), fc.constant(null), fc.double(), id);
  const number = fc.oneof(fc.integer(), fc.constant("1"), fc.constant(null));
  const values = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(fc.integer(), fc.integer()) },
    fc.tuple(number, number),
    fc.tuple(fc.tuple(fc.integer(), fc.integer())),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const optional = { requiredKeys: [] as [] };
  const documents = fc
    .tuple(fc.record({ id, part: id, partCount: count, values, mood: fc.string() }, optional), fc.boolean())
    .map(([document, isWhole]) => (isWhole ? { values: [1, 2], ...document } : document));
  let taken = 0;
  let refused = 0;
  fc.assert(
    fc.property(documents, (document) => {
      const text = JSON.stringify(document);
      const { kind } = decodeJson(Buffer.from(text), spec);
      if (kind === "values") {
        taken++;
        expect(isFrame(JSON.parse(text)), text).toBe(true);
      } else refused += isFrame(JSON.parse(text)) ? 0 : 1;
    }),
    { numRuns: 2000 },
  );
  // Both happen often, or this would show nothing.
  expect(Math.min(taken, refused)).toBeGreaterThan(100);
});
