/** Reads YAML and JSON documents against a schema; every problem is found at once, each with its place. */

import { Ajv2020, type DefinedError } from "ajv/dist/2020.js";
import type { Static, TSchema } from "typebox";
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { nearest } from "./nearest.ts";

/** What is wrong in a document, and where. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The value that is wrong, where the problem is one of a value. */
  readonly path?: readonly (string | number)[];
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly locate: Locate }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Names the place of a value for a problem found later: `locate(["stations", "a", "bundle"], "...")`. */
export type Locate = (path: readonly (string | number)[], message: string) => Problem;

const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: true, useDefaults: true });

/**
 * Parses and checks a document; JSON is read as the subset of YAML that it is.
 * @param file named in problems
 * @param override may change the parsed value before it is checked, and report problems of its own
 */
export function readDocument<S extends TSchema>(
  text: string,
  file: string,
  schema: S,
  override: (value: unknown, locate: Locate) => readonly Problem[] = () => [],
): Parsed<Static<S>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), message };
  };
  if (document.errors.length > 0) {
    return { ok: false, problems: document.errors.map((error) => at(error.pos[0], error.message)) };
  }
  const locate: Locate = (path, message) => ({ ...at(offsetOf(document, path), message), path });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 }) ?? {};
  } catch {
    return { ok: false, problems: [at(0, "aliases (*name) are not taken here; write the value out")] };
  }
  const problems = [...override(value, locate)];

  const check = ajv.compile(schema);
  if (!check(value)) {
    const errors = (check.errors ?? []) as DefinedError[];
    problems.push(...errors.filter(isCause).map((error) => problemOf(error, document, locate, at)));
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: value as Static<S>, locate };
}

/** One line a problem, in the form that editors and terminals turn into links. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join("\n");
}

/** `anyOf`, `oneOf` and `if` only repeat what their branches already said, unless nothing else is said. */
function isCause(error: DefinedError, _: number, all: readonly DefinedError[]): boolean {
  const summarises = error.keyword === "anyOf" || error.keyword === "oneOf" || error.keyword === "if";
  return !summarises || all.length === 1;
}

function problemOf(
  error: DefinedError,
  document: Document,
  locate: Locate,
  at: (offset: number, message: string) => Problem,
): Problem {
  const path = pathOf(error.instancePath);
  if (error.keyword === "additionalProperties") {
    const key = error.params.additionalProperty;
    const { properties = {}, patternProperties = {} } = error.parentSchema ?? {};
    const message = strangeKey(key, path, Object.keys(properties), Object.keys(patternProperties)[0]);
    return at(keyOffset(document, path, key), message);
  }
  return locate(path, `${path.join(".") || "the document"}: ${inWords(error)}`);
}

/**
 * @param known the words that keys may be here
 * @param form of the keys where a document names things of its own
 */
function strangeKey(
  key: string,
  path: readonly (string | number)[],
  known: readonly string[],
  form: string | undefined,
): string {
  if (form !== undefined) return `"${key}" can be no name${inside(path)}; expected text that matches ${form}`;
  const close = nearest(key, known);
  const advice = close === undefined ? `known here: ${known.join(", ")}` : `did you mean "${close}"?`;
  return `unknown key "${key}"${inside(path)}; ${advice}`;
}

function inWords(error: DefinedError): string {
  const found = error.data === undefined ? "" : `, found ${brief(error.data)}`;
  switch (error.keyword) {
    case "required":
      return `"${error.params.missingProperty}" is missing`;
    case "enum":
      return `expected one of ${error.params.allowedValues.map((v) => JSON.stringify(v)).join(", ")}${found}`;
    case "const":
      return `expected ${JSON.stringify(error.params.allowedValue)}${found}`;
    case "type":
      return `expected ${String(error.params.type)}${found}`;
    case "pattern":
      return `expected text that matches ${error.params.pattern}${found}`;
    default:
      return `${error.message ?? error.keyword}${found}`;
  }
}

/** Without what stands before the host of an address: it may be a password, and a log is not the place for it. */
export function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^\s"]*@/g, "//...@");
}

function brief(value: unknown): string {
  const text = withoutCredentials(JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function inside(path: readonly (string | number)[]): string {
  return path.length === 0 ? "" : ` in ${path.join(".")}`;
}

function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

/** Where the value at `path` starts; the nearest parent that exists where it does not. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function keyOffset(document: Document, path: readonly (string | number)[], key: string): number {
  const parent = path.length === 0 ? document.contents : document.getIn(path, true);
  let offset = offsetOf(document, path);
  if (!isMap(parent)) return offset;
  visit(parent, (_, node, ancestors) => {
    const isOwn =
      ancestors.length === 1 && isPair(node) && isScalar(node.key) && String(node.key.value) === key;
    if (isOwn && isScalar(node.key) && node.key.range) offset = node.key.range[0];
  });
  return offset;
}
