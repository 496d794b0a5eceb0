/** The bill of materials names all that is delivered, each by the digest and the licence that it has. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly unknown[];
}

interface Bill {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

interface Locked {
  readonly version: string;
  readonly name?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly integrity?: string;
}

let bill: Bill;
beforeAll(() => {
  const made = execFileSync(process.execPath, ["scripts/sbom.mjs", "--with-node"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  bill = JSON.parse(made) as Bill;
});

test("it is CycloneDX, of this version of Sekisho", () => {
  const { name, version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  expect(bill).toMatchObject({ bomFormat: "CycloneDX", specVersion: expect.stringMatching(/^1\.[5-9]$/) });
  expect(bill.metadata.component).toMatchObject({ type: "application", name, version });
});

test("it has every dependency that is locked and needed to run, at its digest, and none that is not", () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const needed = Object.entries(packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  const purlOf = ([path, { name, version }]: readonly [string, Locked]): string =>
    `pkg:npm/${(name ?? path.slice(path.lastIndexOf("node_modules/") + 13)).replace("@", "%40")}@${version}`;
  const libraries = bill.components.filter(({ type }) => type === "library");
  const named = new Map(libraries.map((one) => [one.purl, one]));
  // Binaries for other platforms are locked, and not installed.
  const missing = needed.filter((one) => one[1].optional !== true && !named.has(purlOf(one)));
  expect(missing.map(purlOf)).toEqual([]);
  const locked = new Map(needed.map((one) => [purlOf(one), one[1]]));
  for (const { purl, hashes, licenses } of libraries) {
    const sha512 = Buffer.from(
      locked.get(purl!)?.integrity?.slice("sha512-".length) ?? "",
      "base64",
    ).toString("hex");
    expect(hashes, purl).toEqual([{ alg: "SHA-512", content: sha512 }]);
    expect(licenses?.length, purl).toBeGreaterThan(0);
  }
  expect(libraries.length).toBeGreaterThan(100);
});

test("it has both versions of SQLite's binding, under the name that advisories have", () => {
  const versions = bill.components.filter(({ purl }) => purl?.startsWith("pkg:npm/better-sqlite3@"));
  expect(versions.map(({ version }) => version.split(".")[0]).sort()).toEqual(["12", "13"]);
});

test("it has the models by their digest, and the Node that the Debian package brings", () => {
  const { student } = JSON.parse(readFileSync(join(ROOT, "models", "apparel", "bundle.json"), "utf8"));
  expect(bill.components).toContainEqual(
    expect.objectContaining({
      ...{ type: "machine-learning-model", name: "apparel" },
      hashes: [{ alg: "SHA-256", content: student.sha256 }],
    }),
  );
  const version = process.version.slice(1);
  expect(bill.components).toContainEqual(
    expect.objectContaining({ type: "platform", purl: `pkg:generic/node@${version}` }),
  );
});
