// Prints the CycloneDX bill of materials of what is delivered: production dependencies, models and, with `--with-node`, the
// Node that the Debian package brings. `npm sbom` knows the first only, and takes the folder's name for the program's.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const json = (...path) => JSON.parse(readFileSync(join(ROOT, ...path), "utf8"));

/** Purls of what the lock file has for running. */
function needed() {
  const locked = Object.entries(json("package-lock.json").packages).filter(
    ([path, { dev }]) => path !== "" && !dev,
  );
  return new Set(
    locked.map(([path, { name, version }]) => {
      const installed = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      return `pkg:npm/${(name ?? installed).replace("@", "%40")}@${version}`;
    }),
  );
}

/** Of all that is installed what is needed to run: `--omit=dev` would leave out what development needs as well. */
function resolvedDependencies() {
  const options = ["--sbom-format=cyclonedx", "--sbom-type=application"];
  const shell = { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] };
  const bill = JSON.parse(execFileSync("npm", ["sbom", ...options], shell));
  const purls = needed();
  const components = bill.components.filter(({ purl }) => purls.has(purl));
  const kept = new Set([bill.metadata.component, ...components].map((one) => one["bom-ref"]));
  const dependencies = bill.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn?.filter((one) => kept.has(one)) }));
  return { ...bill, components, dependencies };
}

function models() {
  const folders = readdirSync(join(ROOT, "models"));
  const bundles = folders.filter((folder) => existsSync(join(ROOT, "models", folder, "bundle.json")));
  return bundles.map((folder) => {
    const { name, version, student } = json("models", folder, "bundle.json");
    return {
      "bom-ref": `model:${name}@${version}`,
      type: "machine-learning-model",
      name,
      version,
      description: `The student ${student.file}`,
      hashes: [{ alg: "SHA-256", content: student.sha256 }],
    };
  });
}

function node() {
  const version = process.version.slice(1);
  return {
    "bom-ref": `node@${version}`,
    type: "platform",
    name: "node",
    version,
    description: "The JavaScript runtime, as Node.js distributes it",
    purl: `pkg:generic/node@${version}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    licenses: [{ license: { id: "MIT" } }],
  };
}

const { name, version } = json("package.json");
const bill = resolvedDependencies();
const root = bill.metadata.component;
bill.metadata.component = { ...root, name, version };
bill.components = [
  ...bill.components,
  ...models(),
  ...(process.argv.includes("--with-node") ? [node()] : []),
];
process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`);
