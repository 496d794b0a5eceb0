/** The demo as a stranger starts it, without a terminal. */

import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { describe, expect, test } from "vitest";
import { type Started, sekisho, startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";

describe("the demo", () => {
  test("judges real frames, shows alerts with both confidences, and ends when asked", async () => {
    const demo = startSekisho(["demo", "--foul-after", "1"]);
    await demo.shows(/at most \d\.\d% of what passes/);
    const [, metricsUrl] = await demo.shows(/metrics (http:\S+)/);
    await demo.shows(
      /alert apparel-\S+: [a-z-]+\? The teacher was [01]\.\d\d to [01]\.\d\d sure of frames like this; the student is [01]\.\d\d/,
    );
    await demo.shows(/cam-middle \d+ frames, \d+% to review, lens fouled/);
    const [, consoleUrl] = await demo.shows(/console (http:\S+)/);
    const entered = await fetch(consoleUrl!, { redirect: "manual" });
    expect([entered.status, entered.headers.get("location")]).toEqual([303, "/"]);
    const cookie = entered.headers.get("set-cookie")!.split(";", 1)[0]!;
    const session = await fetch(new URL("/api/session", consoleUrl), { headers: { cookie } });
    expect(await session.json()).toMatchObject({ name: "demo", role: "engineer", by: "password" });
    const metrics = await (await fetch(metricsUrl!)).text();
    expect(metrics).toMatch(
      /sekisho_frames_total\{station="apparel",decision="pass",reason="faithful"\} [1-9]/,
    );
    demo.process.kill("SIGINT");
    const { status, stdout, stderr } = await demo.finished;
    expect(stderr).toBe("");
    expect(stdout).toMatch(/[1-9]\d* frames decided\n$/);
    expect(status).toBe(0);
  });

  test("says which broker it cannot reach", async () => {
    const { status, stderr } = await sekisho(["demo", "--broker", "mqtt://127.0.0.1:9"]);
    expect(stderr).toMatch(/cannot reach the broker at mqtt:\/\/127\.0\.0\.1:9: .*is it running\?/);
    expect(status).toBe(1);
  });

  test.each([
    ["--language", "fr", "Allowed choices are en, ja"],
    ["--rate", "fast", "Expected a number above 0"],
    ["--seconds", "0", "Expected a number above 0"],
    ["--foul-after", "Infinity", "Expected a number above 0"],
    ["--broker", "127.0.0.1:1883", "Expected an address such as mqtt://host:1883"],
    ["--broker", "mqtt://me:secret@127.0.0.1", "The demo brings no credentials"],
  ])("takes no nonsense: %s %s", async (option, value, answer) => {
    const { status, stdout, stderr } = await sekisho(["demo", option, value]);
    expect(stderr).toContain(answer);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });

  const endings: readonly (readonly [string, (demo: Started) => void])[] = [
    ["a Ctrl-C", ({ process }) => process.kill("SIGINT")],
    [
      "a Ctrl-C that npm passes on as well",
      ({ process }) => {
        process.kill("SIGINT");
        process.kill("SIGINT");
      },
    ],
    ["its terminal, closed", ({ process }) => process.kill("SIGHUP")],
    ["its reader, gone", ({ process }) => process.stdout?.destroy()],
  ];
  test.each(endings)("ended by %s leaves no file behind", async (_, end) => {
    const folder = mkdtempSync(join(tmpdir(), "sekisho-home-"));
    const demo = startSekisho(["demo"], { TMPDIR: folder });
    await demo.shows("frames");
    expect(readdirSync(folder)).not.toEqual([]);
    end(demo);
    const { status, stderr } = await demo.finished;
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describeWithMosquitto("the demo on a broker of one's own", () => {
  test("publishes its decisions there, in the language asked for", async () => {
    const broker = await aMosquitto();
    const listener = await connectAsync(broker.url);
    const alert = new Promise<string>((resolve) => {
      listener.on("message", (_, payload) => resolve(payload.toString()));
    });
    await listener.subscribeAsync("sekisho/+/reviews/apparel");
    const demo = startSekisho(["demo", "--broker", broker.url, "--language", "ja"]);
    expect(JSON.parse(await alert).text).toMatch(/生徒モデルは [01]\.\d\d です。|。$/);
    demo.process.kill("SIGTERM");
    expect((await demo.finished).status).toBe(0);
    await listener.endAsync();
    await broker.stop();
  });
});
