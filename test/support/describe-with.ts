/** Suites that need programs of the system. */

import { spawnSync } from "node:child_process";
import { describe, test } from "vitest";

/**
 * Describes a suite where the programs are. Without them: not run, and said so loudly; under CI=true a failure.
 * @param packages what brings them
 */
export function describeWith(programs: readonly string[], packages: string) {
  const missing = programs.filter((program) => spawnSync("which", [program]).status !== 0);
  const problem = `${missing.join(", ")} not found: apt-get install ${packages}`;
  return (name: string, suite: () => void): void => {
    if (missing.length === 0) describe(name, suite);
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
