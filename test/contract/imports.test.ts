/** The layers of the design, held: who may import whom, and where the process may be touched. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));
const WEB = fileURLToPath(new URL("../../web/src", import.meta.url));
const ADAPTERS = ["mqtt", "ledger", "http", "engine", "bundle"];

/** What the files of a folder of src may import: other folders of src, and node or npm modules. */
const MAY_IMPORT: Readonly<
  Record<string, { readonly folders: readonly string[]; readonly modules: boolean }>
> = {
  core: { folders: ["core"], modules: false },
  gateway: { folders: ["core", "gateway"], modules: false },
  mqtt: { folders: ["core", "mqtt", "gateway/ports.ts"], modules: true },
  sqlite: { folders: ["sqlite"], modules: true },
  ledger: { folders: ["core", "ledger", "gateway/ports.ts", "sqlite"], modules: true },
  http: { folders: ["core", "http", "gateway/ports.ts", "gateway/desk.ts", "schema"], modules: true },
  engine: { folders: ["core", "engine", "gateway/ports.ts"], modules: true },
  bundle: { folders: ["core", "bundle", "gateway/ports.ts", "schema", "signing", "sqlite"], modules: true },
  schema: { folders: ["schema"], modules: true },
  config: { folders: ["core", "config", "schema"], modules: true },
  signing: { folders: ["core", "signing", "schema"], modules: true },
  thresholds: { folders: ["core", "thresholds", "schema", "signing"], modules: true },
  report: { folders: ["core", "report"], modules: false },
  telemetry: { folders: ["core", "telemetry", "gateway/ports.ts"], modules: true },
};

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly isTypeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

function importsOf(file: string, folder = SRC): Import[] {
  const text = readFileSync(join(folder, file), "utf8");
  const statement = /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/g;
  const dynamic = /\bimport\(\s*"([^"]+)"\s*\)/g;
  return [
    ...[...text.matchAll(statement)].map((m) => ({ file, specifier: m[3]!, isTypeOnly: m[2] !== undefined })),
    ...[...text.matchAll(dynamic)].map((m) => ({ file, specifier: m[1]!, isTypeOnly: false })),
  ];
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

function targetOf({ file, specifier }: Import): string {
  return relative(SRC, resolve(SRC, dirname(file), specifier));
}

describe("imports", () => {
  test("the scan sees the files and their imports", () => {
    expect(files.length).toBeGreaterThan(40);
    expect(importsOf("gateway/gateway.ts").map((i) => i.specifier)).toContain("../core/record.ts");
  });

  test.each(Object.entries(MAY_IMPORT))("%s imports only what its layer may", (folder, allowed) => {
    const own = files.filter((file) => folderOf(file) === folder);
    expect(own.length).toBeGreaterThan(0);
    const strangers = own
      .flatMap((file) => importsOf(file))
      .filter((one) => {
        if (!one.specifier.startsWith(".")) return !(allowed.modules || one.isTypeOnly);
        const target = targetOf(one);
        return !allowed.folders.some((place) => target === place || target.startsWith(`${place}/`));
      });
    expect(strangers).toEqual([]);
  });

  test("core does not even import the types of node", () => {
    const node = files
      .filter((file) => folderOf(file) === "core")
      .flatMap((file) => importsOf(file))
      .filter(({ specifier }) => specifier.startsWith("node:"));
    expect(node).toEqual([]);
  });

  test("adapters never import each other", () => {
    const crossings = files
      .filter((file) => ADAPTERS.includes(folderOf(file)))
      .flatMap((file) => importsOf(file))
      .filter((one) => one.specifier.startsWith("."))
      .filter((one) => {
        const target = folderOf(targetOf(one));
        return ADAPTERS.includes(target) && target !== folderOf(one.file);
      });
    expect(crossings).toEqual([]);
  });

  test("the console takes of the gateway no more than the types of what it answers and takes", () => {
    const own = readdirSync(WEB, { recursive: true, encoding: "utf8" }).filter((file) =>
      /\.tsx?$/.test(file),
    );
    const ofGateway = own
      .flatMap((file) => importsOf(file, WEB))
      .filter(({ specifier }) => specifier.includes("/src/"));
    expect(ofGateway.length).toBeGreaterThan(5);
    const strangers = ofGateway.filter(
      ({ specifier, isTypeOnly }) =>
        !isTypeOnly || !/\/src\/(http\/[a-z-]+|thresholds\/file)\.ts$/.test(specifier),
    );
    expect(strangers).toEqual([]);
  });

  test("every folder is held by a rule, or wires", () => {
    const folders = new Set(files.map(folderOf));
    const wires = ["", "commands"];
    expect([...folders].filter((folder) => !(folder in MAY_IMPORT) && !wires.includes(folder))).toEqual([]);
  });

  test("only main.ts, and the engine for its own process and runtime, use process, the clock's date and Math.random", () => {
    const users = files.filter((file) => {
      const text = readFileSync(join(SRC, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      return /\bprocess\.(env|exit|argv|on|once|stdout|stderr|kill)\b|\bMath\.random\(/.test(text);
    });
    expect(users.sort()).toEqual(["engine/main.ts", "engine/no-telemetry.ts", "main.ts"]);
  });
});
