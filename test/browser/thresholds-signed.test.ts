/** Where keys are trusted: the browser signs nothing and sends nothing; the command that it shows does the change. */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatJson } from "../../src/schema/format-json.ts";
import type { Thresholds } from "../../src/thresholds/file.ts";
import { signThresholds } from "../../src/thresholds/signed.ts";
import { sekisho } from "../support/cli.ts";
import { aBrowser, aConsole, aPage, type ConsoleWorld, describeInBrowser } from "../support/console.ts";
import { aPerson } from "../support/keys.ts";

describeInBrowser("thresholds that are signed", () => {
  let world: ConsoleWorld;
  let browser: Browser;
  const [aki, ben] = [aPerson("aki"), aPerson("ben")];
  beforeAll(async () => {
    const keys = [aki.trusted, ben.trusted];
    [world, browser] = await Promise.all([
      aConsole({
        prepare({ folder, config }) {
          const trust = [aki, ben].map(
            ({ publicFile, trusted }) => `    - { person: ${trusted.person}, file: "${publicFile}" }`,
          );
          writeFileSync(config, `${readFileSync(config, "utf8")}trust:\n  keys:\n${trust.join("\n")}\n`);
          const file = join(folder, "thresholds.json");
          const first: Thresholds = {
            ...JSON.parse(readFileSync(file, "utf8")),
            proposedBy: "aki",
            approvedBy: "aki",
          };
          writeFileSync(
            file,
            formatJson(signThresholds(signThresholds(first, aki.signing, keys), ben.signing, keys)),
          );
        },
      }),
      aBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  test("the command that is shown tightens, signed by the key of its owner", async () => {
    const page = await aPage(browser, world.url, { as: "mei" });
    const changes: string[] = [];
    page.on("request", (request) => request.method() === "POST" && changes.push(request.url()));
    await page.locator(".tabs a", { hasText: "Thresholds" }).click();
    await page.getByRole("slider").focus();
    await page.keyboard.press("ArrowLeft");
    await page.locator(".propose").getByLabel("Why", { exact: true }).fill("it's calmer");
    const note = await page.locator(".propose .sign-here").innerText();
    expect(note).toMatch(/trusts the keys of aki, ben[\s\S]*never comes into a browser/);
    expect(await page.locator(".propose button[type=submit]").count()).toBe(0);
    const shown = await page.locator(".propose pre").innerText();
    expect(shown).toMatch(
      /^sekisho thresholds propose apparel --lambda 0\.\d+ --why 'it'\\''s calmer' --key YOUR\.key/,
    );

    // As a shell takes it, with key and configuration in place of what stands for them.
    const { stdout } = spawnSync("sh", ["-c", `printf '%s\\n' ${shown}`], { encoding: "utf8" });
    const [, ...words] = stdout.trimEnd().split("\n");
    const untilToken = words.slice(0, words.indexOf("--token-file"));
    const given = untilToken.map((word) => (word === "YOUR.key" ? aki.privateFile : word));
    const answer = await sekisho([...given, "--config", world.place.config]);
    expect([answer.status, answer.stderr]).toEqual([0, ""]);
    expect(answer.stdout).toMatch(/revision 2 is written/);

    await page.getByRole("button", { name: "Stop: all to a person" }).click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.locator("pre").innerText()).toMatch(/^sekisho thresholds stop apparel --why /);
    expect(await dialog.getByRole("button", { name: "Stop now" }).count()).toBe(0);
    expect(changes).toEqual([]);
  });
});
