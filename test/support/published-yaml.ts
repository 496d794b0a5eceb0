/** Documents under docs/ that are generated: written when asked, else held to what they are generated from. */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";

const DOCS = new URL("../../docs/", import.meta.url);
const LINE_WIDTH = 110;

/**
 * The text that a file under docs/ is to have, and the one that it has; `UPDATE_SCHEMAS=1` makes them the same.
 * @param by the command that writes it anew
 */
export function publishedYaml(
  name: string,
  document: object,
  by: string,
): { expected: string; found: string } {
  const options = { lineWidth: LINE_WIDTH, aliasDuplicateObjects: false };
  // By way of JSON: what a schema carries beside its JSON is not the document's.
  const body = stringify(JSON.parse(JSON.stringify(document)), options);
  const expected = `# Generated from the schemas that the program checks by: UPDATE_SCHEMAS=1 npx vitest run ${by}\n${body}`;
  const file = fileURLToPath(new URL(name, DOCS));
  if (process.env.UPDATE_SCHEMAS === "1") writeFileSync(file, expected);
  return { expected, found: readFileSync(file, "utf8") };
}

/** A published document, as a neighbour reads it. */
export function readYaml<T>(name: string): T {
  return parse(readFileSync(new URL(name, DOCS), "utf8")) as T;
}

/** Every `$ref` in a document, and what it stands for: undefined where it leads nowhere. */
export function references(document: unknown): readonly (readonly [string, unknown])[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      if (key === "$ref") found.push(child as string);
      else visit(child);
    }
  };
  visit(document);
  return found.map((one) => [one, one.startsWith("#/") ? lookUp(document, one) : undefined] as const);
}

/** What a reference such as `#/components/messages/decision` stands for. */
export function lookUp(document: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], document);
}
