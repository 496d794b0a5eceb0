/** The Review page in a real browser, before a gateway that judges real frames. */

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  aBrowser,
  aConsole,
  aPage,
  type ConsoleWorld,
  describeInBrowser,
  type Person,
  seriousViolations,
  signIn,
} from "../support/console.ts";
import { PASSWORD } from "../support/http.ts";

describeInBrowser("the console", () => {
  let world: ConsoleWorld;
  let browser: Browser;
  const pages: Page[] = [];
  beforeAll(async () => {
    [world, browser] = await Promise.all([aConsole(), aBrowser()]);
    await world.show(0, 120);
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
  });
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  async function reviewPage(as: Person = "hanako"): Promise<Page> {
    const page = await aPage(browser, world.url, { as });
    pages.push(page);
    await page.locator(".picture img").waitFor();
    return page;
  }
  const asked = (page: Page): Promise<string> => page.locator("h1").innerText();
  /** The review that is looked at. */
  async function lookedAt(page: Page): Promise<string> {
    await page.locator(".engineers summary").click();
    const id = await page.locator(".facts dd").first().innerText();
    await page.locator(".engineers summary").click();
    await page.locator("h1").focus();
    return id;
  }
  /** How the gateway has it. */
  const stateOf = (page: Page, review: string): Promise<Record<string, unknown>> =>
    page.evaluate(`fetch("/api/reviews/${review}").then((reply) => reply.json())`);
  const verdictSent = (page: Page, review: string) =>
    page.waitForResponse((reply) => reply.url().endsWith(`/api/reviews/${review}/verdict`));
  /** A finger that has just touched is not heard again at once. */
  const settled = (page: Page): Promise<void> => page.locator(".question[aria-busy=false]").waitFor();

  test("a wrong password is told in plain words; a right one opens the queue, most urgent first", async () => {
    const page = await aPage(browser, world.url);
    pages.push(page);
    await signIn(page, "hanako", "not her password");
    await page.getByRole("alert").getByText("do not go together").waitFor();
    await signIn(page, "hanako");
    await page.locator(".queue-row").first().waitFor();
    const { reviews } = await page.evaluate<{ reviews: { class: string }[] }>(
      `fetch("/api/reviews?limit=5").then((reply) => reply.json())`,
    );
    const titles = await page.locator(".queue-title").allInnerTexts();
    expect(titles.slice(0, 5)).toEqual(reviews.map((one) => one.class));
    expect(await asked(page)).toBe(`Is this “${titles[0]}”?`);
  });

  test("from the sign-in page to the first verdict by keys alone", async () => {
    const page = await aPage(browser, world.url);
    pages.push(page);
    await page.locator("form").waitFor();
    await page.keyboard.type("hanako");
    await page.keyboard.press("Tab");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await settled(page);
    const review = (
      await page.evaluate<{ reviews: { review: string }[] }>(
        `fetch("/api/reviews?limit=1").then((reply) => reply.json())`,
      )
    ).reviews[0]!.review;
    const sent = verdictSent(page, review);
    await page.keyboard.press("Enter");
    await page.locator(".foot-answer", { hasText: "Answered:" }).waitFor();
    expect(await stateOf(page, review)).toMatchObject({ state: "open" });
    expect((await sent).status()).toBe(200);
    expect(await stateOf(page, review)).toMatchObject({
      state: "resolved",
      verdict: "confirm",
      reviewer: "hanako",
      vouched: true,
    });
  });

  test("a digit answers with another class, U that nobody can tell, and each is undone by Z before it is sent", async () => {
    const page = await reviewPage();
    const review = await lookedAt(page);
    const question = await asked(page);
    const verdicts: string[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/verdict")) verdicts.push(request.postData() ?? "");
    });
    await settled(page);
    await page.keyboard.press("u");
    await page.getByText("Answered: cannot tell").waitFor();
    await page.keyboard.press("z");
    expect(await lookedAt(page)).toBe(review);
    expect(await asked(page)).toBe(question);
    expect(verdicts).toEqual([]);

    const own = /“(.*)”/.exec(question)![1];
    const digit = own === "t-shirt" ? "2" : "1";
    const other = digit === "2" ? "trouser" : "t-shirt";
    await settled(page);
    const sent = verdictSent(page, review);
    await page.keyboard.press(digit);
    await page.getByText(`Answered: ${other}`).waitFor();
    expect((await sent).status()).toBe(200);
    expect(await stateOf(page, review)).toMatchObject({ verdict: "correct", verdictClass: other });
    expect(verdicts).toHaveLength(1);
  });

  test("a verdict that is held back is sent when the page is left", async () => {
    const page = await reviewPage();
    const review = await lookedAt(page);
    await settled(page);
    await page.keyboard.press("Enter");
    await page.locator(".foot-answer").waitFor();
    await page.goto("about:blank");
    const other = await reviewPage("kenji");
    await expect.poll(() => stateOf(other, review)).toMatchObject({ state: "resolved", reviewer: "hanako" });
  });

  test("what another answers is told where it is looked at, and can be answered no more", async () => {
    const [mine, theirs] = [await reviewPage("hanako"), await reviewPage("taro")];
    const review = await lookedAt(mine);
    expect(await lookedAt(theirs)).toBe(review);
    await settled(theirs);
    const sent = verdictSent(theirs, review);
    await theirs.keyboard.press("u");
    await sent;
    await mine.getByText("taro has just answered this: Cannot tell.").waitFor();
    expect(await mine.locator("button.class").first().isDisabled()).toBe(true);
    await mine.keyboard.press("Enter"); // Goes on, and confirms nothing.
    expect(await lookedAt(mine)).not.toBe(review);
    expect(await mine.locator(".foot-answer").count()).toBe(0);
  });

  test("one who was slower is told who was first, and what they said", async () => {
    const [mine, theirs] = [await reviewPage("hanako"), await reviewPage("taro")];
    const review = await lookedAt(mine);
    await settled(mine);
    const refused = verdictSent(mine, review);
    await mine.keyboard.press("Enter");
    await settled(theirs);
    await theirs.keyboard.press("u");
    await theirs.goto("about:blank"); // Sent at once.
    expect((await refused).status()).toBe(409);
    await mine.getByText("taro was first, and answered “Cannot tell”. Your answer was not taken.").waitFor();
  });

  test("a claim shows live at others', keeps them from answering, and is given back", async () => {
    const [mine, theirs] = [await reviewPage("hanako"), await reviewPage("taro")];
    await mine.keyboard.press("c");
    await theirs.getByText("hanako is on it until").waitFor();
    expect(await theirs.getByRole("button", { name: /^Yes,/ }).isDisabled()).toBe(true);
    await mine.getByRole("button", { name: "Give it back" }).waitFor();
    await mine.keyboard.press("c");
    await theirs.getByText("hanako is on it until").waitFor({ state: "detached" });
  });

  test("what comes in appears by itself", async () => {
    const page = await reviewPage();
    const count = async (): Promise<number> => Number(await page.locator(".queue-count").innerText());
    const before = await count();
    await world.show(120, 160);
    await expect.poll(count).toBeGreaterThan(before);
  });

  test("a viewer sees everything and is told that they may not answer", async () => {
    const page = await reviewPage("kenji");
    await page.getByText("Your account may look, but not answer.").waitFor();
    await settled(page);
    await page.keyboard.press("Enter");
    expect(await page.locator(".foot-answer").count()).toBe(0);
  });

  test("the language is switched in the header, and kept", async () => {
    const page = await reviewPage();
    await page.getByRole("button", { name: "日本語" }).click();
    await page.getByRole("heading", { name: /^これは「.*」ですか？$/ }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("ja");
    await page.reload();
    await page.getByRole("heading", { name: /^これは「/ }).waitFor();
  });

  test("signing out sends what is held back, and lets nobody on", async () => {
    const page = await reviewPage();
    const review = await lookedAt(page);
    await settled(page);
    await page.keyboard.press("u");
    await page.locator(".menu summary").click();
    const sent = verdictSent(page, review);
    await page.getByRole("button", { name: "Sign out" }).click();
    expect((await sent).status()).toBe(200);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.evaluate(`fetch("/api/session").then((reply) => reply.status)`)).toBe(401);
  });

  test.each(["light", "dark"] as const)(
    "axe finds nothing serious on any page, %s, in either language",
    async (colorScheme) => {
      for (const locale of ["en-GB", "ja-JP"]) {
        const page = await aPage(browser, world.url, { locale, colorScheme });
        pages.push(page);
        await page.locator("form").waitFor();
        expect(await seriousViolations(page)).toEqual([]);
        await signIn(page, "mei");
        await page.locator(".picture img").waitFor();
        expect(await seriousViolations(page)).toEqual([]);
        await page.keyboard.press("?");
        expect(await seriousViolations(page)).toEqual([]);
        await page.keyboard.press("Escape");
        for (const name of ["line", "thresholds", "ledger"]) {
          await page.locator(`.tabs a[href="#/${name}"]`).click();
          await page.locator(`.tabs a[href="#/${name}"][aria-current=page]`).waitFor();
          expect(await seriousViolations(page)).toEqual([]);
        }
      }
    },
  );
});
