/** The console in a real browser, before a gateway that judges real frames: everything but the broker is the product. */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "axe-core";
import { connectAsync, type MqttClient } from "mqtt";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { hashPassword } from "../../src/http/auth/password.ts";
import { type Role, writeUsers } from "../../src/http/auth/users-file.ts";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../src/mqtt/embedded-broker.ts";
import {
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type GatewayFolder,
  type RunningGateway,
} from "./apparel.ts";
import { describeWith } from "./describe-with.ts";
import { PASSWORD, someBytes } from "./http.ts";

const CHROMIUM = process.env.CHROMIUM ?? "chromium";

/** A suite that needs a browser. */
export const describeInBrowser = describeWith([CHROMIUM], "chromium");

export async function aBrowser(): Promise<Browser> {
  const executablePath = spawnSync("which", [CHROMIUM], { encoding: "utf8" }).stdout.trim();
  // Whoever runs the tests may be root, in whose name the browser's own sandbox does not start.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}

export type Person = "hanako" | "taro" | "mei" | "sora" | "kenji";
const ROLES: Readonly<Record<Person, Role>> = {
  hanako: "reviewer",
  taro: "reviewer",
  mei: "engineer",
  sora: "engineer",
  kenji: "viewer",
};

export interface ConsoleWorld {
  readonly url: string;
  readonly gateway: RunningGateway;
  readonly place: GatewayFolder;
  /** Frames `from` to `to` of the demo's come in, from two cameras in turn. */
  show(from: number, to: number): Promise<void>;
  stop(): Promise<void>;
}

export interface ConsoleSketch {
  /** Lines of the configuration's section `review`. */
  readonly review?: readonly string[];
  /** Members of the thresholds file that differ. */
  readonly thresholds?: object;
  /** Changes the files before the gateway reads them. */
  readonly prepare?: (place: GatewayFolder) => void;
}

export async function aConsole(is: ConsoleSketch = {}): Promise<ConsoleWorld> {
  const broker: EmbeddedBroker = await startEmbeddedBroker();
  const place = aGatewayFolder(broker.url, "3.1.1", {
    review: is.review ?? ["alertsPerHour: 100000", "coalesceSeconds: 1"],
    thresholds: is.thresholds ?? {},
  });
  const password = await hashPassword(PASSWORD, someBytes());
  writeUsers(join(place.folder, "users.json"), {
    users: Object.entries(ROLES).map(([name, role]) => ({ name, role, password })),
    tokens: [],
  });
  writeFileSync(
    place.config,
    `${readFileSync(place.config, "utf8").replace("  port: 0\n", "  port: 0\n  usersFile: users.json\n")}`,
  );
  is.prepare?.(place);
  const gateway = await aGateway(place);
  const plant = await aPlant(broker.url);
  const frames = await apparelFrames();
  return {
    url: gateway.httpUrl,
    ...{ gateway, place },
    async show(from, to) {
      const decided = plant.decided(to - from);
      for (let i = from; i < to; i++) {
        const topic = `apparel/cam-${1 + (i % 2)}/frames/f-${i}`;
        await plant.client.publishAsync(topic, Buffer.from(frames[i % frames.length]!), { qos: 1 });
      }
      await decided;
    },
    async stop() {
      await gateway.stop();
      await plant.client.endAsync();
      await broker.close();
    },
  };
}

/** A sensor that also hears what is decided. */
async function aPlant(
  brokerUrl: string,
): Promise<{ readonly client: MqttClient; decided(count: number): Promise<void> }> {
  const client = await connectAsync(brokerUrl, { protocolVersion: 4 });
  let decisions = 0;
  const listeners = new Set<() => void>();
  client.on("message", () => {
    decisions++;
    for (const look of listeners) look();
  });
  await client.subscribeAsync("sekisho/test/decisions/#", { qos: 1 });
  return {
    client,
    decided(count) {
      const aim = decisions + count;
      return new Promise((resolve) => {
        const look = (): void => {
          if (decisions < aim) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
      });
    },
  };
}

export interface PageSketch extends BrowserContextOptions {
  /** Signed in as this person. */
  readonly as?: Person;
}

/** A page of the console in a browser of its own: cookies and language are nobody else's. */
export async function aPage(browser: Browser, url: string, { as, ...is }: PageSketch = {}): Promise<Page> {
  const context = await browser.newContext({
    locale: "en-GB",
    viewport: { width: 1280, height: 800 },
    ...is,
  });
  const page = await context.newPage();
  await page.goto(url);
  if (as !== undefined) await signIn(page, as);
  return page;
}

export async function signIn(page: Page, person: Person, password = PASSWORD): Promise<void> {
  await page.locator("input[autocomplete=username]").fill(person);
  await page.locator("input[autocomplete=current-password]").fill(password);
  await page.keyboard.press("Enter");
}

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What is serious of what axe finds wrong with the page. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  // By the debugger's own way: the page's policy lets no script in but the console's.
  await page.evaluate(AxeBuilder.source);
  const { violations } = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as {
    violations: readonly Violation[];
  };
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
