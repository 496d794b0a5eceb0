/** Suites that need programs of the system. */

import { spawnSync } from "node:child_process";
import { describe, test } from "vitest";

/**
 * Describes a suite where the programs are. Without them: not run, and said so loudly; under CI=true a failure.
 * @param packages what brings them
 */
export function describeWith(programs: readonly string[], packages: string) {
  const missing = programs.filter((program) => spawnSync("which", [program]).status !== 0);
  return describeUnless(missing.length === 0 ? undefined : missing.join(", "), packages);
}

/** The same for modules of Python's, Debian's own. */
export function describeWithPython(modules: readonly string[], packages: string) {
  const asked = `import importlib.util as i; print(*(m for m in ${JSON.stringify(modules)} if not i.find_spec(m)))`;
  const found = spawnSync(PYTHON, ["-c", asked], { encoding: "utf8" });
  const missing = found.status === 0 ? found.stdout.trim().replaceAll(" ", ", ") : PYTHON;
  return describeUnless(missing === "" ? undefined : missing, packages);
}

/** By its path: another Python in front of it may know nothing of Debian's packages. */
export const PYTHON = "/usr/bin/python3";

function describeUnless(missing: string | undefined, packages: string) {
  const problem = `${missing} not found: apt-get install ${packages}`;
  return (name: string, suite: () => void): void => {
    if (missing === undefined) describe(name, suite);
    else if (process.env.CI === "true") {
      test(`${name} needs its programs`, () => {
        throw new Error(problem);
      });
    } else {
      process.stderr.write(`\n!!! NOT RUN: suite "${name}". ${problem}\n\n`);
      describe.skip(name, suite);
    }
  };
}
