/** The queue of the console with ten thousand reviews in it, and frames of every kind, before a desk over a real ledger. */

import { fileURLToPath } from "node:url";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { readConsole } from "../../src/http/console/files.ts";
import type { ShownFrame } from "../../src/http/frame-view-routes.ts";
import { encodePng } from "../../src/http/png.ts";
import { aBrowser, aPage, describeInBrowser } from "../support/console.ts";
import { anHttpWorld, type HttpWorld } from "../support/http.ts";

const REVIEWS = 10_000;
const BATCH = 500;
/** The processor time of the page, so that a busy machine says nothing else than a quiet one. */
const OPEN_CPU_SECONDS_MAX = 1;
const STEP_CPU_SECONDS_MAX = 0.05;
/** That are made of those that wait, whatever has been read. */
const ROWS_MAX = 40;

const GREY = { kind: "image", height: 2, width: 2, channels: 1 } as const;
const CLASSES = { classes: ["good", "bad"], confidence: [0.75, 0.25], neighbours: [] };
const A_PICTURE: ShownFrame = {
  ...{ kind: "shown", ...CLASSES },
  frame: { picture: { width: 2, height: 2 }, png: encodePng([0, 80, 160, 240], GREY) },
};

describeInBrowser("the queue", () => {
  let world: HttpWorld;
  let browser: Browser;
  let page: Page;
  let shown: ShownFrame = A_PICTURE;
  beforeAll(async () => {
    const folder = fileURLToPath(new URL("../../dist/web/", import.meta.url));
    [world, browser] = await Promise.all([
      anHttpWorld({ console: await readConsole(folder), api: { shownFrame: async () => shown } }),
      aBrowser(),
    ]);
    for (let from = 0; from < REVIEWS; from += BATCH) {
      const ids = Array.from({ length: BATCH }, (_, i) => from + i);
      world.frames(...ids.map((i) => ({ id: `f-${i}`, priority: 1 - i / REVIEWS, source: `cam-${i % 7}` })));
    }
  });
  afterEach(async () => page?.context().close());
  afterAll(async () => {
    await browser?.close();
    await world?.end();
  });

  async function measured(on: Page): Promise<CDPSession> {
    const session = await on.context().newCDPSession(on);
    await session.send("Performance.enable");
    return session;
  }

  /** Of the page's main thread since it was opened. */
  async function cpuSeconds(session: CDPSession): Promise<number> {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")!.value;
  }

  async function signedIn(): Promise<void> {
    page = await aPage(browser, world.origin, { as: "hanako" });
    await page.locator(".queue-row").first().waitFor();
  }

  test("ten thousand reviews open by one page of them, in few rows", async () => {
    await signedIn();
    const session = await measured(page);
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/api/reviews?")) asked.push(new URL(request.url()).search);
    });
    await page.reload();
    await page.locator(".queue-row").first().waitFor();
    await page.locator(".picture img").waitFor();
    expect(await cpuSeconds(session)).toBeLessThan(OPEN_CPU_SECONDS_MAX);
    expect(asked).toEqual(["?limit=100"]);
    expect(await page.locator(".queue-count").innerText()).toBe("10,000");
    expect(await page.locator(".queue-row").count()).toBeLessThan(ROWS_MAX);
  });

  test("all of them are reached by scrolling; then going through them by keys costs the page little", async () => {
    await signedIn();
    const last = page.locator(`li[aria-posinset="${REVIEWS}"] button`);
    const toTheEnd = 'document.querySelector(".queue-rows").scrollTo(0, Number.MAX_SAFE_INTEGER)';
    await expect
      .poll(
        async () => {
          await page.evaluate(toTheEnd);
          return last.count();
        },
        { timeout: 30_000 },
      )
      .toBe(1);
    expect(await page.locator(".queue-row").count()).toBeLessThan(ROWS_MAX);

    await last.click();
    const session = await measured(page);
    const before = await cpuSeconds(session);
    const steps = 50;
    for (let i = 0; i < steps; i++) await page.keyboard.press("k");
    await page.locator(`li[aria-posinset="${REVIEWS - steps}"] [aria-current=true]`).waitFor();
    expect(((await cpuSeconds(session)) - before) / steps).toBeLessThan(STEP_CPU_SECONDS_MAX);
  });

  test.each<readonly [string, ShownFrame, readonly string[]]>([
    [
      "a signal as waveform and spectrum",
      {
        frame: {
          signal: { samples: [0, 1, 0, -1], spectrum: [0, 1], length: 4, signals: 1 },
        },
        ...{ kind: "shown", ...CLASSES },
      },
      ["Waveform", "Frequencies, low to high"],
    ],
    [
      "numbers as a table",
      { kind: "shown", ...CLASSES, frame: { numbers: [0.5, 21.25] } },
      ["Reading", "21.25"],
    ],
    ["what is gone in words", { kind: "none", why: "gone" }, ["The picture is no longer kept"]],
    ["what nobody can read in words", { kind: "none", why: "unreadable" }, ["cannot be shown as a picture"]],
  ])("shows %s", async (_, frame, texts) => {
    shown = frame;
    await signedIn();
    for (const text of texts) await page.locator(".picture").getByText(text).waitFor();
    shown = A_PICTURE;
  });
});
