/** What Sekisho brings along has no known vulnerability, where the registry can be asked for that. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Report {
  readonly vulnerabilities: Readonly<Record<string, { readonly severity: string; readonly range: string }>>;
}

/** What npm has found; else why it could not be asked. A mirror may have no advisories, and a line may be cut. */
function audit(): Report | string {
  const { status, stdout, stderr } = spawnSync("npm", ["audit", "--omit=dev", "--json"], {
    ...{ cwd: ROOT, encoding: "utf8", timeout: 45_000 },
  });
  try {
    const found = JSON.parse(stdout) as Partial<Report> & { readonly message?: string };
    return found.vulnerabilities !== undefined ? (found as Report) : (found.message ?? stdout.slice(0, 200));
  } catch {
    return `npm audit ended with ${status}: ${stderr.slice(0, 200)}`;
  }
}

test("npm audit knows of nothing in what is needed to run", ({ skip }) => {
  const found = audit();
  if (typeof found === "string") {
    process.stderr.write(
      `\n!!! NOT RUN: npm audit. The registry cannot be asked for advisories: ${found}\n\n`,
    );
    skip(found);
  } else {
    expect(
      Object.entries(found.vulnerabilities).map(
        ([name, { severity, range }]) => `${severity}: ${name} ${range}`,
      ),
    ).toEqual([]);
  }
});
