/** Pictures of every page for people to look at: SEKISHO_SCREENSHOTS=FOLDER npx vitest run test/browser/screenshots.test.ts */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, test } from "vitest";
import { aBrowser, aConsole, aPage, type ConsoleWorld, signIn } from "../support/console.ts";

const folder = process.env.SEKISHO_SCREENSHOTS;
const SIZES = { landscape: { width: 1280, height: 800 }, portrait: { width: 800, height: 1280 } } as const;
const LOOKS = (["en-GB", "ja-JP"] as const).flatMap((locale) =>
  (["light", "dark"] as const).flatMap((colorScheme) =>
    (["landscape", "portrait"] as const).map((size) => ({ locale, colorScheme, size })),
  ),
);

describe.skipIf(folder === undefined)("screenshots", () => {
  let world: ConsoleWorld;
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(folder!, { recursive: true });
    [world, browser] = await Promise.all([aConsole({ thresholds: { auditRate: 0.3 } }), aBrowser()]);
    await world.show(0, 240);
  });
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  test.each(LOOKS)("$locale $colorScheme $size", async ({ locale, colorScheme, size }) => {
    const page = await aPage(browser, world.url, { locale, colorScheme, viewport: SIZES[size] });
    const shoot = (what: string) => shot(page, `${what}-${locale.slice(0, 2)}-${colorScheme}-${size}`);
    await page.locator("form").waitFor();
    await shoot("sign-in");
    await signIn(page, "hanako");
    await page.locator(".picture img").waitFor();
    await shoot("review");
    await page.locator(".question[aria-busy=false]").waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".foot-answer").waitFor();
    await page.locator(".picture img").waitFor();
    await page.locator(".engineers summary").click();
    await shoot("review-answered");
    await page.keyboard.press("z");
    const other = await theirs(page, size);
    await shoot("review-claimed");
    await other.keyboard.press("c");
    await page.locator(".question .note").waitFor({ state: "detached" });
    await other.context().close();
    await toAudit(page);
    await shoot("review-audit");
    await page.keyboard.press("?");
    await shoot("review-help");
    await page.context().close();
  });

  /** Somebody else claims what is looked at, while an answer to the one before is refused. */
  async function theirs(page: Page, size: keyof typeof SIZES): Promise<Page> {
    const other = await aPage(browser, world.url, { viewport: SIZES[size], as: "taro" });
    await other.locator(".question[aria-busy=false]").waitFor();
    await page.locator(".question[aria-busy=false]").waitFor();
    await other.keyboard.press("u");
    await page.keyboard.press("Enter");
    await page.locator(".question[aria-busy=false]").waitFor();
    await other.locator(".question[aria-busy=false]").waitFor();
    await other.keyboard.press("c");
    await page.locator(".question .note").waitFor();
    await page.locator(".notices .note").waitFor();
    return other;
  }

  /** Down the queue to the first one of which the student's answer is not told. */
  async function toAudit(page: Page): Promise<void> {
    const isThere = page.locator("h1", { hasText: /What is this|これは何/ });
    for (let i = 0; i < 100 && (await isThere.count()) === 0; i++) await page.keyboard.press("j");
    await page.locator(".picture img").waitFor();
  }

  async function shot(page: Page, name: string): Promise<void> {
    await page.evaluate("document.fonts.ready");
    await page.screenshot({ path: join(folder!, `${name}.png`) });
  }
});
