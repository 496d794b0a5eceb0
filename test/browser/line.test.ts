/** The Line page in a real browser: what goes to a person and why, live, in figures as well as in colours. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  aBrowser,
  aConsole,
  aPage,
  type ConsoleWorld,
  describeInBrowser,
  seriousViolations,
} from "../support/console.ts";

const FRAMES = 240;

describeInBrowser("the line", () => {
  let world: ConsoleWorld;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    [world, browser] = await Promise.all([aConsole({ thresholds: { auditRate: 0.2 } }), aBrowser()]);
    await world.show(0, FRAMES);
    page = await aPage(browser, world.url, { as: "kenji" });
    await page.locator(".tabs a", { hasText: "Line" }).click();
    await page.locator(".layers li").first().waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  const waitingCard = () => page.locator(".figure-card", { hasText: "wait for a person" }).locator("strong");
  const waiting = async (): Promise<number> => Number((await waitingCard().innerText()).replace(/\D/g, ""));

  test("share, reasons and what waits agree with what was decided", async () => {
    const text = await page.locator(".figure-card").first().innerText();
    const [, reviews] = /(\d+) of 240/.exec(text)!;
    const counts = await page.locator(".layer-count").allInnerTexts();
    expect(counts.reduce((sum, one) => sum + Number(one), 0)).toBe(Number(reviews));
    expect(Number(reviews)).toBeGreaterThan(60);
    expect(Number(reviews)).toBeLessThan(130);
    expect(await page.locator(".layers").innerText()).toMatch(/Too much doubt[\s\S]*Class always checked/);
  });

  test("the table has the same figures as the chart", async () => {
    await page.getByRole("button", { name: "Table" }).click();
    const cells = await page.locator(".history-table tbody tr td:nth-child(2)").allInnerTexts();
    expect(cells.reduce((sum, one) => sum + Number(one), 0)).toBe(FRAMES);
    await page.getByRole("button", { name: "Class", exact: true }).click();
    expect(await page.locator(".history-table thead").innerText()).toMatch(/shirt/);
    await page.getByRole("button", { name: "Chart" }).click();
    await page.locator(".chart canvas").waitFor();
  });

  test("monitor, engine and promise are there in words", async () => {
    expect(await page.locator(".monitor-card").innerText()).toMatch(
      /Green[\s\S]*apparel's monitor is green: thresholds apply as they are/,
    );
    await page.getByText("Judging frames").waitFor();
    expect(await page.locator(".promise-card").innerText()).toMatch(
      /Allowed\s+1\.0%\s+Proven beforehand\s+at most 0\.98%/,
    );
    expect(await page.locator(".promise-card").innerText()).toMatch(
      /0 settled, of them 0 bad and 0 unanswered; [1-9]\d* still wait/,
    );
  });

  test("what waits is live", async () => {
    const before = await waiting();
    await world.show(FRAMES, FRAMES + 60);
    await expect.poll(waiting).toBeGreaterThan(before);
  });

  test("a reason leads to its decisions in the ledger", async () => {
    await page.getByRole("button", { name: "Reason", exact: true }).click();
    await page.getByRole("link", { name: "Class always checked" }).click();
    await page.locator(".ledger-body [role=row]").first().waitFor();
    for (const text of await page.locator(".ledger-body [role=row]").allInnerTexts()) {
      expect(text).toMatch(/Class always checked/);
    }
    await page.locator(".tabs a", { hasText: "Line" }).click();
  });

  test("axe finds nothing serious, as a chart or a table, in either language", async () => {
    await page.locator(".layers li").first().waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Table" }).click();
    await page.getByRole("button", { name: "日本語" }).click();
    await page.getByRole("heading", { name: "ライン" }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });
});
