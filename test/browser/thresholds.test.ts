/** The Thresholds page in a real browser, before a real guard: tightened, loosened by two, refused with numbers, stopped. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Thresholds } from "../../src/thresholds/file.ts";
import {
  aBrowser,
  aConsole,
  aPage,
  type ConsoleWorld,
  describeInBrowser,
  type Person,
  seriousViolations,
} from "../support/console.ts";
import { PASSWORD, send } from "../support/http.ts";

describeInBrowser("thresholds", () => {
  let world: ConsoleWorld;
  let browser: Browser;
  let mei: Page;
  beforeAll(async () => {
    [world, browser] = await Promise.all([aConsole(), aBrowser()]);
    await world.show(0, 240);
    mei = await open("mei");
  });
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  async function open(as: Person): Promise<Page> {
    const page = await aPage(browser, world.url, { as });
    await page.locator(".tabs a", { hasText: "Thresholds" }).click();
    await page.locator(".curve").waitFor();
    return page;
  }
  async function inForce(): Promise<Thresholds> {
    const login = await send(world.url, "/api/login", {
      ...{ method: "POST", body: { user: "kenji", password: PASSWORD } },
    });
    const cookie = String(login.headers["set-cookie"]).split(";", 1)[0]!;
    const { json } = await send(world.url, "/api/stations/apparel/thresholds", { headers: { cookie } });
    return json.base;
  }
  const slider = (page: Page) => page.getByRole("slider", { name: "How much doubt may pass" });
  async function step(page: Page, key: "ArrowLeft" | "ArrowRight", times: number): Promise<void> {
    await slider(page).focus();
    for (let i = 0; i < times; i++) await page.keyboard.press(key);
  }
  const why = (page: Page) => page.locator(".propose").getByLabel("Why", { exact: true });

  describe("the slider", () => {
    test("begins at what is in force, and says by words and numbers what a point comes to", async () => {
      expect(await slider(mei).getAttribute("aria-valuetext")).toMatch(
        /Point \d+ of \d+: \d\d% pass, risk at most 0\.98%\. The evidence supports it/,
      );
      expect(await mei.locator(".in-force").innerText()).toMatch(
        /9 of 10 classes .* 0\.0675.*at most 0\.98%/s,
      );
      await step(mei, "ArrowLeft", 1);
      expect(await slider(mei).getAttribute("aria-valuetext")).toMatch(
        /Stricter than now\. One person is enough/,
      );
      expect(await mei.locator(".choice").innerText()).toMatch(/If this were in force/);
      await mei.getByRole("button", { name: "Back to what is in force" }).click();
      await mei.getByRole("heading", { name: "This is in force now" }).waitFor();
    });
  });

  test("what the certificate forbids is shown with numbers, refused by the guard, and changes nothing", async () => {
    const before = await inForce();
    await slider(mei).focus();
    await mei.keyboard.press("End");
    const verdict = mei.locator(".choice .note.bad");
    expect(await verdict.innerText()).toMatch(
      /too little is proven[\s\S]*proven is at most 2\.8%, allowed is 1\.0%\. Of 7,443 recorded parts that passed, 149 were unfaithful; 13,308 more/,
    );
    await why(mei).fill("more speed");
    await mei.getByRole("button", { name: "Propose anyway" }).click();
    const refusal = mei.locator(".propose .note.bad");
    await refusal.getByText("Refused. Nothing was changed.").waitFor();
    expect(await refusal.innerText()).toMatch(
      /station: bound [\d.]+% is above alpha 1\.00% \(\d+ unfaithful of \d+ that passed; \d+ more, all faithful, would suffice\)/,
    );
    expect(await inForce()).toEqual(before);
    expect(await seriousViolations(mei)).toEqual([]);
  });

  test("a proposal without a reason is not sent", async () => {
    await mei.getByRole("button", { name: "Back to what is in force" }).click();
    await step(mei, "ArrowLeft", 2);
    await why(mei).fill("  ");
    await mei.getByRole("button", { name: "Put in force" }).click();
    await mei.getByText("Say why").waitFor();
    expect((await inForce()).revision).toBe(1);
  });

  test("one person tightens, by keys alone", async () => {
    await why(mei).fill("calmer for now");
    await why(mei).press("Enter");
    await mei.getByText("Revision 2 is in force.").waitFor();
    await mei.getByRole("heading", { name: "This is in force now" }).waitFor();
    const now = await inForce();
    expect(now).toMatchObject({ revision: 2, proposedBy: "mei", why: "calmer for now" });
    expect(now.lambda).toBeLessThan(0.0675);
  });

  test("what is looser waits for a second person, who is not the first", async () => {
    await step(mei, "ArrowRight", 2);
    await mei.getByText("Looser than now. The evidence supports it; a second person must agree.").waitFor();
    await why(mei).fill("the lens is clean");
    await mei.getByRole("button", { name: "Propose to a second person" }).click();
    await mei.getByText("mei proposes revision 3: the lens is clean").waitFor();
    expect(await mei.locator(".pending").getByRole("button", { name: "Approve" }).count()).toBe(0);
    expect((await inForce()).revision).toBe(2);

    const sora = await open("sora");
    expect(await sora.locator(".pending").innerText()).toMatch(/Doubt that passes: 0\.\d+ to 0\.0675/);
    await sora.locator(".pending").getByRole("button", { name: "Approve" }).click();
    await sora.getByText("Revision 3 is in force.").waitFor();
    expect(await inForce()).toMatchObject({ revision: 3, proposedBy: "mei", approvedBy: "sora" });
    await sora.context().close();
    // The first learns of it by itself.
    await mei.locator(".in-force", { hasText: "Revision 3 · by mei, sora: the lens is clean" }).waitFor();
  });

  test("what it would have done to the frames that came is told beside what was", async () => {
    await step(mei, "ArrowLeft", 4);
    await mei.getByRole("button", { name: "Try it" }).click();
    const outcome = mei.locator(".replay-outcome");
    await outcome.waitFor();
    const text = await outcome.innerText();
    expect(text).toMatch(/of 240\)/);
    const [, newly] = /(\d+) that passed would go to a person/.exec(text)!;
    expect(Number(newly)).toBeGreaterThan(0);
    expect(text).toMatch(/(^|\n)0 that went to a person would pass/);
  });

  test("stop: one confirmation, and from then on everything goes to a person", async () => {
    await mei.getByRole("button", { name: "Stop: all to a person" }).click();
    const dialog = mei.getByRole("dialog");
    await dialog.getByText("To let parts pass again takes two.").waitFor();
    expect(await seriousViolations(mei)).toEqual([]);
    await dialog.getByRole("button", { name: "Stop now" }).click();
    await mei.locator(".in-force", { hasText: "Stopped: everything goes to a person." }).waitFor();
    expect(await inForce()).toMatchObject({ revision: 4, lambda: null, why: "Stopped at the console" });
    await world.show(240, 260);
    await mei.locator(".tabs a", { hasText: "Ledger" }).click();
    await mei.locator("#decision-0", { hasText: "Station stopped" }).waitFor();
    expect(await mei.locator(".ledger-body [role=row]").first().innerText()).toMatch(
      /To a person\s+Station stopped/,
    );
    await mei.locator(".tabs a", { hasText: "Thresholds" }).click();
  });

  test("a stop is lifted by going back, which takes two", async () => {
    const entry = mei.locator(".log-entry", { hasText: "the lens is clean" });
    await entry.getByRole("button", { name: "Go back to this" }).click();
    const dialog = mei.getByRole("dialog");
    await dialog.getByText(/Passing starts again, up to a doubt of 0\.0675/).waitFor();
    await dialog.getByLabel("Why").fill("all is well");
    await dialog.getByRole("button", { name: "Go back" }).click();
    await dialog.getByText("It waits for a second person.").waitFor();
    await mei.keyboard.press("Escape");
    const sora = await open("sora");
    await sora.locator(".pending").getByRole("button", { name: "Approve" }).click();
    await sora.getByText("Revision 5 is in force.").waitFor();
    expect(await inForce()).toMatchObject({ revision: 5, rollbackOf: 3, lambda: expect.closeTo(0.0675, 4) });
    await sora.context().close();
  });

  test("who may only look sees no stop and no proposal", async () => {
    const kenji = await open("kenji");
    expect(await kenji.getByRole("button", { name: "Stop: all to a person" }).count()).toBe(0);
    await kenji.getByText("An engineer may change this. Your account may look.").waitFor();
    expect(await kenji.getByRole("button", { name: "Go back to this" }).count()).toBe(0);
    await kenji.context().close();
  });

  test("axe finds nothing serious in either language, in the dark as well", async () => {
    for (const [locale, colorScheme] of [
      ["en-GB", "dark"],
      ["ja-JP", "light"],
    ] as const) {
      const page = await aPage(browser, world.url, { as: "mei", locale, colorScheme });
      await page.goto(`${world.url}/#/thresholds`);
      await page.locator(".curve").waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await page.context().close();
    }
  });
});
