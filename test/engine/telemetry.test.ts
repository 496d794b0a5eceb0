/** A model that runs leaves nothing in the user's home or among temporary files, and so has nobody to report to. */

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { MODELS } from "../support/apparel.ts";

const PROGRAM = `
  import { readFileSync } from "node:fs";
  import { inspectModel } from ${JSON.stringify(new URL("../../dist/engine/student.js", import.meta.url))};
  const { outputs } = await inspectModel(readFileSync(${JSON.stringify(join(MODELS, "apparel", "student.onnx"))}));
  console.log(outputs[0].name);
`;

test("ONNX Runtime's own telemetry is off", async () => {
  const home = mkdtempSync(join(tmpdir(), "sekisho-home-"));
  // Only this environment: under CI=true ONNX Runtime keeps quiet by itself, and the test would show nothing.
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", PROGRAM], {
    env: { HOME: home, TMPDIR: home },
  });
  expect(stdout).toBe("logits\n");
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});
