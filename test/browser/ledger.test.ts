/** The Ledger page in a real browser: searched, walked through by keys, opened, taken away as a file. */

import { readFileSync } from "node:fs";
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

const FRAMES = 400;
/** Rows in the document are those in sight and a few around them. */
const ROWS_IN_DOCUMENT_MAX = 60;

describeInBrowser("the ledger", () => {
  let world: ConsoleWorld;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    [world, browser] = await Promise.all([aConsole(), aBrowser()]);
    await world.show(0, FRAMES);
    page = await aPage(browser, world.url, { as: "kenji", acceptDownloads: true });
    await page.locator(".tabs a", { hasText: "Ledger" }).click();
  });
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  const grid = () => page.getByRole("grid");
  const rows = () => page.locator(".ledger-body [role=row]");
  const countOf = async (): Promise<number> =>
    Number((await page.locator(".ledger-count").innerText()).replace(/\D/g, ""));
  const found = (count: number) =>
    page.locator(".ledger-count", { hasText: new RegExp(`^${count} decisions?$`) }).waitFor();
  const choose = (label: string, option: string) =>
    page.getByLabel(label, { exact: true }).selectOption(option);

  test("all decisions are there, of which only those in sight are in the document", async () => {
    await rows().first().waitFor();
    await grid().focus();
    await page.keyboard.press("End");
    await found(FRAMES);
    await page.keyboard.press("End");
    await page.locator(`#decision-${FRAMES - 1}`).waitFor();
    expect(await rows().count()).toBeLessThan(ROWS_IN_DOCUMENT_MAX);
    expect(await grid().getAttribute("aria-activedescendant")).toBe(`decision-${FRAMES - 1}`);
    expect(await page.locator(`#decision-${FRAMES - 1}`).innerText()).toMatch(/f-0$/);
    await page.keyboard.press("Home");
    await page.locator("#decision-0", { hasText: `f-${FRAMES - 1}` }).waitFor();
  });

  test("a decision opens by key with all that was recorded, and the next by a button", async () => {
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(`f-${FRAMES - 2}`, { exact: true }).waitFor();
    expect(await dialog.innerText()).toMatch(/small model took it for .*, and was \d+% sure/);
    await dialog.getByText("Details for engineers").click();
    const recorded = JSON.parse(await dialog.locator("pre").innerText());
    expect(recorded).toMatchObject({
      frame: `f-${FRAMES - 2}`,
      station: "apparel",
      revision: 1,
      mode: "guarded",
    });
    expect(recorded.score).toBeGreaterThan(0);
    await dialog.getByRole("button", { name: "Older" }).click();
    await dialog.getByText(`f-${FRAMES - 3}`, { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  test("a search finds what it asks for and nothing else, and is in the address", async () => {
    await choose("Result", "review");
    await choose("Reason", "class-uncertified");
    await page.getByLabel("Camera or sensor").fill("cam-2");
    // All three are in force once the number is another than that of all, and no other camera is in sight.
    await expect
      .poll(() => page.locator(".ledger-count").innerText())
      .toMatch(new RegExp(`^(?!${FRAMES} )\\d+ decisions$`));
    await expect.poll(() => page.locator(".ledger-body").innerText()).not.toMatch(/cam-1/);
    const count = await countOf();
    expect(count).toBeGreaterThan(1);
    expect(count).toBeLessThan(FRAMES / 4);
    for (const text of await rows().allInnerTexts()) {
      expect(text).toMatch(/To a person\s+Class always checked\s+shirt[\s\S]*cam-2/);
    }
    expect(page.url()).toMatch(/#\/ledger\?source=cam-2&decision=review&reason=class-uncertified$/);
    const other = await aPage(browser, page.url(), { as: "kenji" });
    await other.locator(".ledger-count", { hasText: new RegExp(`^${count} decisions$`) }).waitFor();
    await other.context().close();
  });

  test("the search is taken away as CSV and NDJSON, all of it", async () => {
    const count = await countOf();
    const fileOf = async (format: string): Promise<string> => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name: format }).click(),
      ]);
      return readFileSync(await download.path(), "utf8");
    };
    const csv = (await fileOf("CSV")).trimEnd().split("\r\n");
    expect(csv[0]).toMatch(/^id,at,station,source,/);
    expect(csv.slice(1).filter((row) => row.includes(",cam-2,"))).toHaveLength(count);
    expect(csv).toHaveLength(count + 1);
    const lines = (await fileOf("NDJSON"))
      .trimEnd()
      .split("\n")
      .map((row) => JSON.parse(row));
    expect(lines).toHaveLength(count);
    expect(new Set(lines.map(({ reason }) => reason))).toEqual(new Set(["class-uncertified"]));
  });

  test("where nothing fits it says so, and clearing brings all back", async () => {
    await page.getByLabel("Part", { exact: true }).fill("p-none");
    await page.getByText("No decision fits").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await page.locator(".ledger-count", { hasText: /^200 decisions so far$/ }).waitFor();
    expect(page.url()).toMatch(/#\/ledger$/);
  });

  test("axe finds nothing serious, with a decision open as well, in either language", async () => {
    expect(await seriousViolations(page)).toEqual([]);
    await rows().first().click();
    await page.getByRole("dialog").waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "日本語" }).click();
    await page.getByRole("heading", { name: "台帳" }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });
});
