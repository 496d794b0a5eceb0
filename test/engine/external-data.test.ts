import fc from "fast-check";
import { expect, test } from "vitest";
import { scanExternalData } from "../../src/engine/external-data.ts";
import {
  bytesField,
  externalTensor,
  message,
  stringField,
  tinyOnnx,
  varint,
  varintField,
} from "../support/tiny-onnx.ts";

const TINY = { inputShape: [4], classes: 3, featureCount: 2 };

test("a student whose values are all in the file is self-contained", () => {
  expect(scanExternalData(tinyOnnx(TINY))).toEqual({ kind: "self-contained" });
});

test("an initializer in another file is found, with its name and place", () => {
  expect(scanExternalData(tinyOnnx({ ...TINY, externalLocation: "weights.bin" }))).toEqual({
    kind: "external",
    tensor: "w",
    location: "weights.bin",
  });
});

test("a constant in the branch of an If is found", () => {
  const bytes = tinyOnnx({ ...TINY, externalLocation: "../../etc/passwd", externalInSubgraph: true });
  expect(scanExternalData(bytes)).toMatchObject({ kind: "external", location: "../../etc/passwd" });
});

const EXTERNAL = externalTensor("t", [1], "elsewhere");
const attribute = (field: number, bytes: Uint8Array): Uint8Array => bytesField(5, bytesField(field, bytes));
const graph = (fields: Uint8Array): Uint8Array => bytesField(7, fields);
const nodeIn = (inner: Uint8Array): Uint8Array => bytesField(1, inner);

test.each([
  ["a node's tensor", graph(nodeIn(attribute(5, EXTERNAL)))],
  ["a node's list of tensors", graph(nodeIn(attribute(10, EXTERNAL)))],
  ["a node's list of graphs", graph(nodeIn(attribute(11, bytesField(5, EXTERNAL))))],
  ["the values of a sparse initializer", graph(bytesField(15, bytesField(1, EXTERNAL)))],
  ["the indices of a sparse attribute", graph(nodeIn(attribute(22, bytesField(2, EXTERNAL))))],
  ["a node of a function", bytesField(25, bytesField(7, attribute(5, EXTERNAL)))],
  ["a function's default attribute", bytesField(25, bytesField(11, bytesField(5, EXTERNAL)))],
  ["a training graph", bytesField(20, bytesField(1, bytesField(5, EXTERNAL)))],
  [
    "a second graph, which protobuf merges into the first",
    message([graph(stringField(2, "a")), graph(bytesField(5, EXTERNAL))]),
  ],
])("external data in %s is found", (_, bytes) => {
  expect(scanExternalData(bytes)).toEqual({ kind: "external", tensor: "t", location: "elsewhere" });
});

test("a data location is external unless it is 0, in whatever way it is written", () => {
  const withLocation = (field: Uint8Array): Uint8Array => graph(bytesField(5, field));
  expect(scanExternalData(withLocation(varintField(14, 0))).kind).toBe("self-contained");
  expect(scanExternalData(withLocation(varintField(14, 1))).kind).toBe("external");
  // Parsed as a 32-bit enum this is 1.
  expect(scanExternalData(withLocation(varintField(14, 2 ** 32 + 1))).kind).toBe("external");
  expect(scanExternalData(withLocation(message([varintField(14, 1), varintField(14, 0)]))).kind).toBe(
    "external",
  );
  expect(scanExternalData(withLocation(bytesField(14, Uint8Array.of(1)))).kind).toBe("external");
});

test.each([
  ["no protobuf at all", new TextEncoder().encode("<html>not found</html>")],
  ["a file cut short", tinyOnnx(TINY).subarray(0, 100)],
  ["a field longer than the file", message([varint(7 * 8 + 2), varint(1000), Uint8Array.of(1)])],
  ["a graph that is a number", varintField(7, 5)],
  ["a field numbered 0", Uint8Array.of(0, 0)],
  ["a group", Uint8Array.of(7 * 8 + 3, 7 * 8 + 4)],
  ["a tag beyond 32 bits", Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f, 0)],
  ["a varint without end", new Uint8Array(64).fill(0xff).fill(0x08, 0, 1)],
  ["ONNX Runtime's own format", new TextEncoder().encode("\u0008\u0000\u0000\u0000ORTM")],
])("%s is malformed", (_, bytes) => {
  expect(scanExternalData(bytes)).toMatchObject({ kind: "malformed", at: expect.any(Number) });
});

test("graphs in graphs beyond the bound are malformed, and cost no stack", () => {
  let inner: Uint8Array = bytesField(5, EXTERNAL);
  for (let i = 0; i < 5_000; i++) inner = nodeIn(attribute(6, inner));
  expect(scanExternalData(graph(inner)).kind).toBe("malformed");
});

test("no bytes make the scan throw, and none hide an external tensor in a sound prefix", () => {
  const sound = tinyOnnx({ ...TINY, externalLocation: "weights.bin" });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (junk) => {
      scanExternalData(junk);
      expect(scanExternalData(message([sound, junk])).kind).toBe("external");
    }),
  );
});
