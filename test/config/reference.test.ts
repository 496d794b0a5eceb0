/** docs/configuration.md is generated from the schema; this holds it fresh. */

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ConfigSchema } from "../../src/config/schema.ts";

const FILE = new URL("../../docs/configuration.md", import.meta.url);

interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
}

function rowsOf(shape: Shape, path: string, isRequired: boolean): string[] {
  const members = Object.entries(shape.properties ?? {});
  const named = Object.values(shape.patternProperties ?? {});
  if (members.length > 0 || named.length > 0) {
    return [
      ...members.flatMap(([key, child]) =>
        rowsOf(child, path === "" ? key : `${path}.${key}`, shape.required?.includes(key) === true),
      ),
      ...named.flatMap((child) => rowsOf(child, `${path}.NAME`, true)),
    ];
  }
  if (shape.items?.properties !== undefined) return rowsOf(shape.items, `${path}.N`, true);
  const isGiven = isRequired && shape.default === undefined;
  const fallback =
    shape.default === undefined ? (isGiven ? "**needed**" : "") : `\`${JSON.stringify(shape.default)}\``;
  return [`| \`${path}\` | ${kindOf(shape)} | ${fallback} | ${shape.description ?? ""} |`];
}

function kindOf(shape: Shape): string {
  if (shape.enum !== undefined) return shape.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (shape.items !== undefined) return `list of ${kindOf(shape.items)}`;
  return shape.type ?? "";
}

function reference(): string {
  return `# Configuration, \`sekisho.yaml\`

Generated from the schema by \`UPDATE_DOCS=1 npx vitest run test/config\`. Paths are relative to the file's folder. An
unknown key is an error that names its place and the nearest known key. Single values can be set from outside:
\`SEKISHO_HTTP_PORT=9000\` sets \`http.port\`, \`SEKISHO_BROKER_KEEPALIVE_SECONDS=10\` sets \`broker.keepaliveSeconds\`;
stations are set in the file only.

An editor that knows YAML's language server shows and checks all this while you write, if the file begins with

\`\`\`yaml
# yaml-language-server: $schema=/usr/share/sekisho/schemas/sekisho.schema.json
\`\`\`

which is where the Debian package has it; it is \`schemas/sekisho.schema.json\` in a clone and in the npm package. It
refuses what the gateway refuses, but for what one setting says of another and for files that are not there: \`sekisho
check\` looks at those too.

| setting | kind | default | |
|---|---|---|---|
${rowsOf(ConfigSchema as unknown as Shape, "", true).join("\n")}
`;
}

test("the configuration reference is what the schema says", () => {
  if (process.env.UPDATE_DOCS === "1") writeFileSync(FILE, reference());
  expect(readFileSync(FILE, "utf8")).toBe(reference());
});
