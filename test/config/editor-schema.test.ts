/** schemas/sekisho.schema.json, by which editors check `sekisho.yaml`: fresh, and of one mind with the gateway. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ConfigSchema } from "../../src/config/schema.ts";
import { readDocument } from "../../src/schema/document.ts";
import { formatJson } from "../../src/schema/format-json.ts";
import { editorSchema, type Shape } from "./editor-schema.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FILE = join(ROOT, "schemas", "sekisho.schema.json");
const SCHEMA = ConfigSchema as unknown as Shape;

const text = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const namesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`);
const schemaFile = (): object => JSON.parse(readFileSync(FILE, "utf8")) as object;
const byGateway = (document: unknown): boolean =>
  readDocument(JSON.stringify(document), "sekisho.yaml", ConfigSchema).ok;

// Written by `UPDATE_SCHEMAS=1 npx vitest run test/config/editor-schema.test.ts`.
test("schemas/sekisho.schema.json is made of the schema that the gateway checks by", () => {
  const expected = formatJson(editorSchema(ConfigSchema));
  if (process.env.UPDATE_SCHEMAS === "1") writeFileSync(FILE, expected);
  expect(readFileSync(FILE, "utf8")).toBe(expected);
});

test("every setting and every section says what it is", () => {
  const silent = (shape: Shape, path: string): string[] => [
    ...(shape.description === undefined && path !== "" ? [path] : []),
    ...Object.entries(shape.properties ?? {}).flatMap(([key, child]) => silent(child, `${path}.${key}`)),
    ...Object.values(shape.patternProperties ?? {}).flatMap((child) => silent(child, `${path}.NAME`)),
    ...(shape.items?.properties === undefined ? [] : silent(shape.items, `${path}.N`)),
  ];
  expect(silent(SCHEMA, "")).toEqual([]);
});

/** A configuration with every setting there is. */
function whole(shape: Shape): unknown {
  if (shape.properties !== undefined)
    return Object.fromEntries(Object.entries(shape.properties).map(([key, child]) => [key, whole(child)]));
  if (shape.patternProperties !== undefined)
    return { one: whole(Object.values(shape.patternProperties)[0]!) };
  if (shape.items !== undefined) return [whole(shape.items)];
  if (shape.enum !== undefined) return shape.enum[0];
  if (shape.default !== undefined) return shape.default;
  if (shape.type === "integer" || shape.type === "number") return shape.minimum ?? 1;
  const address = /^\^\(?(mqtt|https)/.exec(shape.pattern ?? "");
  return address === null ? "one" : `${address[1]}://host:1`;
}

/** Each way in which one place of a document may be wrong, and some in which it is right. */
function* mutants(value: unknown): Generator<unknown> {
  for (const other of [null, "x", "", -1, 0, 1, 1.5, 1e12, true, [], {}, ["x"], { x: 1 }]) yield other;
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    yield [...value, ...value];
    for (const [i, child] of value.entries())
      for (const other of mutants(child)) yield value.map((one, at) => (at === i ? other : one));
    return;
  }
  yield { ...value, "no such key": 1 };
  for (const [key, child] of Object.entries(value)) {
    yield Object.fromEntries(Object.entries(value).filter(([one]) => one !== key));
    for (const other of mutants(child)) yield { ...value, [key]: other };
  }
}

test("it takes what the gateway takes, and refuses what the gateway refuses, wherever one place is changed", () => {
  const byEditor = new Ajv({ strict: true }).compile(schemaFile());
  const good = whole(SCHEMA);
  expect(byGateway(good)).toBe(true);
  let taken = 0;
  let refused = 0;
  for (const mutant of mutants(good)) {
    const isGood = byGateway(mutant);
    expect(byEditor(mutant), JSON.stringify(mutant)).toBe(isGood);
    if (isGood) taken++;
    else refused++;
  }
  expect(taken).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(500);
});

/** Smallest configuration; parts of one that a page shows are put into it. */
const BASE = { gateway: "line-1", broker: { url: "mqtt://127.0.0.1:1883" } };
const STATION = {
  frames: { topic: "plant/{source}/frames", encodings: ["raw"] },
  bundle: "b",
  thresholds: "t",
};

function completed(part: Record<string, unknown>): object {
  const stations = (part.stations ?? { press: {} }) as Record<string, { frames?: object }>;
  const whole = Object.entries(stations).map(([name, { frames, ...rest }]) => [
    name,
    { ...STATION, ...rest, frames: { ...STATION.frames, ...frames } },
  ]);
  return { ...BASE, ...part, stations: Object.fromEntries(whole) };
}

describe("every documented example", () => {
  const FENCE = /^```yaml\n(.*?)^```$/gms;
  const HEREDOC = /<<'EOF'\n((?:#[^\n]*\n)?gateway:.*?)^EOF$/gms;
  const pages = ["README.md", "README.ja.md", ...namesIn("docs").filter((one) => one.endsWith(".md"))];
  const shown = pages.flatMap((page) =>
    [FENCE, HEREDOC].flatMap((form) =>
      [...text(page).matchAll(form)].map((found, i) => [`${page}, ${i + 1}`, found[1]!] as const),
    ),
  );
  const files = [
    "packaging/sekisho.yaml",
    ...namesIn("thresholds/templates")
      .map((folder) => `${folder}/sekisho.yaml`)
      .filter((file) => existsSync(join(ROOT, file))),
  ];

  test("was found", () => {
    expect(shown.length).toBeGreaterThan(8);
    expect(shown.map(([name]) => name)).toContain("docs/install.md, 1");
    expect(files.length).toBe(4);
  });

  test.each(shown)("%s is taken, by itself or as a part of a configuration", (_, example) => {
    const byEditor = new Ajv({ strict: true }).compile(schemaFile());
    const document = (parse(example) ?? {}) as Record<string, unknown>;
    const isWhole = "gateway" in document && "broker" in document;
    const completedOne = isWhole ? document : completed(document);
    expect(byEditor(completedOne), JSON.stringify(byEditor.errors)).toBe(true);
    expect(byGateway(completedOne)).toBe(true);
  });

  test.each(files)("%s is taken, and says where its schema is", (file) => {
    const byEditor = new Ajv({ strict: true }).compile(schemaFile());
    expect(byEditor(parse(text(file))), JSON.stringify(byEditor.errors)).toBe(true);
    const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text(file))!;
    // The Debian package has schemas/ there, and thresholds/ beside it: test/package.
    const installed = "/usr/share/sekisho/";
    const place = schema!.startsWith(installed)
      ? join(ROOT, schema!.slice(installed.length))
      : resolve(join(ROOT, dirname(file)), schema!);
    expect(relative(ROOT, place)).toBe("schemas/sekisho.schema.json");
    expect(existsSync(place)).toBe(true);
  });
});
