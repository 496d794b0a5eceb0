/** The npm package: clean by publint, whole, and installed into an empty folder it starts. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inheritedEnvironment } from "../support/cli.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MANIFEST = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let folder: string;
let packed: Packed;
const tarball = (): string => join(folder, packed.filename);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sekisho-npm-"));
  // As it is built: the package's own script would build it under the feet of other tests.
  const options = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const made = JSON.parse(execFileSync("npm", options, { cwd: ROOT, encoding: "utf8" }));
  packed = (Array.isArray(made) ? made[0] : Object.values(made)[0]) as Packed;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("publint has nothing to say", async () => {
  const bytes = readFileSync(tarball());
  const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const { messages, pkg } = await publint({ pack: { tarball: content }, strict: true });
  expect(messages.map((one) => formatMessage(one, pkg!, { color: false }))).toEqual([]);
});

test("it may be published, and only built anew and after all tests", () => {
  expect(MANIFEST).not.toHaveProperty("private");
  expect(MANIFEST.scripts.prepack).toMatch(/rmSync\('dist'.*npm run --silent build$/);
  expect(MANIFEST.scripts.prepublishOnly).toBe("npm test");
});

test("it has all that a user needs, and nothing else", () => {
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toContain(MANIFEST.bin.sekisho);
  for (const path of [
    ...["dist/engine/main.js", "models/apparel/student.onnx", "models/apparel/evidence.sqlite"],
    ...["schemas/sekisho.schema.json", "thresholds/apparel.json", "dashboards/alerts.yml"],
    ...["docs/asyncapi.yaml", "docs/openapi.yaml", "LICENSE", "README.md", "SECURITY.md"],
  ])
    expect(paths).toContain(path);
  const strange = paths.filter((path) =>
    /\.map$|\.ts$|^(test|src|scripts|node_modules)\/|(^|\/)\.[a-z]/.test(path),
  );
  expect(strange).toEqual([]);
});

test("no link in its pages leads out of it, but for tests and sources", () => {
  const paths = new Set(packed.files.map(({ path }) => path));
  const pages = [...paths].filter((path) =>
    /^(README(\.ja)?|SECURITY|docs\/[^/]+)\.md$|^README\.md$/.test(path),
  );
  expect(pages.length).toBeGreaterThan(15);
  const lost = pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), "utf8").matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map((found) => normalize(join(dirname(page), found[1]!)).replace(/\/$/, ""))
      .filter((target) => !/^(test|src|systemd|packaging|scripts)(\/|$)/.test(target))
      .filter((target) => !paths.has(target) && ![...paths].some((path) => path.startsWith(`${target}/`)))
      .map((target) => `${page}: ${target}`),
  );
  expect(lost).toEqual([]);
});

const PING = spawnSync("npm", ["ping"], { cwd: ROOT, encoding: "utf8", timeout: 30_000 });
// In CI it must be: what could be installed there before can be installed here.
const isAsked = PING.status === 0 || process.env.CI === "true";
if (!isAsked)
  process.stderr.write(
    '\n!!! NOT RUN: suite "installed into an empty folder". The npm registry does not answer.\n\n',
  );

describe.runIf(isAsked)("installed into an empty folder", () => {
  let place: string;
  let command: string;

  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), "sekisho-installed-"));
    writeFileSync(join(place, "package.json"), JSON.stringify({ name: "line", private: true }));
    const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    // Without scripts: what a dependency would build or fetch was built here, and is put in its place below.
    execFileSync("npm", ["install", "--ignore-scripts", ...quiet, tarball()], { cwd: place, stdio: "pipe" });
    bringBuilt("better-sqlite3-12");
    command = join(place, "node_modules", ".bin", "sekisho");
  }, 300_000);
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  /** Only of the same version: another is built by npm itself. */
  function bringBuilt(name: string): void {
    const [own, installed] = [ROOT, place].map((root) => join(root, "node_modules", name));
    if (!existsSync(join(own!, "build"))) return; // This Node has no use for it.
    const versions = [own, installed].map((one) => readFileSync(join(one!, "package.json"), "utf8"));
    if (JSON.parse(versions[0]!).version === JSON.parse(versions[1]!).version)
      cpSync(join(own!, "build"), join(installed!, "build"), { recursive: true });
    else execFileSync("npm", ["rebuild", name], { cwd: place, stdio: "pipe" });
  }

  test("the alias of SQLite's older binding is there", () => {
    const alias = JSON.parse(
      readFileSync(join(place, "node_modules/better-sqlite3-12/package.json"), "utf8"),
    );
    expect(alias).toMatchObject({ name: "better-sqlite3", version: expect.stringMatching(/^12\./) });
  });

  test("it says its version, and gives out its schemas", () => {
    const { stdout, stderr } = spawnSync(command, ["--version"], {
      encoding: "utf8",
      env: inheritedEnvironment(),
    });
    expect([stdout.trim(), stderr]).toEqual([MANIFEST.version, ""]);
    const asked = 'process.stdout.write(import.meta.resolve("sekisho/schemas/decision.schema.json"))';
    const found = execFileSync(process.execPath, ["--input-type=module", "-e", asked], { cwd: place });
    expect(found.toString()).toMatch(/node_modules\/sekisho\/schemas\/decision\.schema\.json$/);
  });

  test("its demo judges frames", async () => {
    const demo = spawn(command, ["demo"], {
      cwd: place,
      env: inheritedEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let shown = "";
    await new Promise<void>((resolve, reject) => {
      const look = (text: Buffer): void => {
        shown += text.toString();
        if (/cam-middle \d+ frames/.test(shown)) resolve();
      };
      demo.stdout.on("data", look);
      demo.stderr.on("data", look);
      demo.once("close", (status) => reject(new Error(`ended with ${status}:\n${shown}`)));
    });
    const ended = new Promise((resolve) => demo.once("close", resolve));
    demo.kill("SIGINT");
    expect(await ended, shown).toBe(0);
    expect(shown).toMatch(/[1-9]\d* frames decided\n$/);
  });
});
