/** The first start and the way in, in a real browser; and frames like the one that is asked about. */

import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { readConsole } from "../../src/http/console/files.ts";
import type { ShownFrame } from "../../src/http/frame-view-routes.ts";
import { encodePng } from "../../src/http/png.ts";
import { aPrediction } from "../support/builders.ts";
import { aBrowser, aPage, describeInBrowser, seriousViolations } from "../support/console.ts";
import { anHttpWorld, type HttpSketch, type HttpWorld } from "../support/http.ts";

const PICTURE = {
  picture: { width: 2, height: 2 },
  png: encodePng([0, 80, 160, 240], { kind: "image", height: 2, width: 2, channels: 1 }),
};

describeInBrowser("the way into the console", () => {
  let browser: Browser;
  let world: HttpWorld;
  let page: Page;
  beforeAll(async () => {
    browser = await aBrowser();
  });
  afterEach(async () => {
    await page?.context().close();
    await world?.end();
  });
  afterAll(async () => browser?.close());

  async function served(is: HttpSketch): Promise<HttpWorld> {
    const folder = fileURLToPath(new URL("../../dist/web/", import.meta.url));
    return anHttpWorld({ ...is, console: await readConsole(folder) });
  }

  test("whoever has the printed link makes the first account, and is in", async () => {
    world = await served({ isNew: true });
    page = await aPage(browser, `${world.origin}/#/setup?token=${world.setupToken}`);
    await page.getByLabel("Name").fill("mei");
    await page.getByLabel("Password", { exact: true }).fill("too short");
    await page.getByLabel("Password again").fill("too shirt");
    await page.keyboard.press("Enter");
    await page.getByText("needs at least 12 characters").waitFor();
    await page.getByText("The two passwords are not the same.").waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByLabel("Password", { exact: true }).fill("a long enough sentence");
    await page.getByLabel("Password again").fill("a long enough sentence");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Nothing waits" }).waitFor();
    expect(await page.locator(".menu-name").innerText()).toBe("mei");
    expect(page.url()).not.toContain("token");
    await page.reload();
    await page.getByRole("heading", { name: "Nothing waits" }).waitFor();
  });

  test("a link that is not the printed one is refused; without one it says where to find it", async () => {
    world = await served({ isNew: true });
    page = await aPage(browser, world.origin);
    await page.getByText("Open the setup link that the gateway has printed").waitFor();
    await page.goto(`${world.origin}/#/setup?token=${"x".repeat(43)}`);
    await page.getByLabel("Name").fill("mei");
    for (const label of ["Password", "Password again"])
      await page.getByLabel(label, { exact: true }).fill("a long enough sentence");
    await page.keyboard.press("Enter");
    await page.getByText("This setup link is no longer good.").waitFor();
  });

  test("frames like it are shown beside the frame; of an audit none, and no answer of the student's", async () => {
    const { confidence } = aPrediction();
    const like = (name: string) => ({
      ...{ class: name, confidenceTeacher: 0.96, confidenceStudent: 0.9, distance: 1 },
      ...PICTURE,
    });
    const shown: ShownFrame = {
      ...{ kind: "shown", classes: ["good", "bad"], confidence: [confidence, 1 - confidence] },
      frame: PICTURE,
      neighbours: [like("good"), like("good"), like("bad")],
    };
    world = await served({ api: { shownFrame: async () => shown } });
    world.frames({ id: "f-1", priority: 0.9 }, { id: "f-2", priority: 0.1, pi: 0.1 });
    page = await aPage(browser, world.origin, { as: "hanako" });
    await page.getByText("“good”, as the small model says").waitFor();
    await page.getByText("“bad”, its second guess").waitFor();
    const widths = await page.evaluate(
      `Promise.all([...document.querySelectorAll(".like img")].map((image) => image.decode().then(() => image.naturalWidth)))`,
    );
    expect(widths).toEqual([2, 2, 2]);
    expect(await page.locator(".class .share").count()).toBe(2);

    await page.keyboard.press("j");
    await page.getByRole("heading", { name: "What is this?" }).waitFor();
    expect(await page.locator(".like, .sureness, .share").count()).toBe(0);
    expect(await page.getByRole("button", { name: /^Yes/ }).count()).toBe(0);
    await page.keyboard.press("Enter"); // Confirms nothing: there is nothing to confirm.
    expect(await page.locator(".foot-answer").count()).toBe(0);
  });

  test("a session that ends leads back to the sign-in page, not to word of a gateway that is away", async () => {
    world = await served({});
    page = await aPage(browser, world.origin, { as: "hanako" });
    await page.getByRole("heading", { name: "Nothing waits" }).waitFor();
    await world.clock.pass(2 * 3_600_000);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});
