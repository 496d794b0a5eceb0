/** The demo as a stranger starts it, without a terminal. */

import { connectAsync } from "mqtt";
import { describe, expect, test } from "vitest";
import { sekisho, startSekisho } from "../support/cli.ts";
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

  test("takes no nonsense", async () => {
    expect((await sekisho(["demo", "--seconds", "1", "--language", "fr"])).stderr).toMatch(
      /review\.language: expected one of "en", "ja", found "fr"/,
    );
    expect((await sekisho(["demo", "--rate", "fast"])).stderr).toMatch(
      /--rate: expected a number above 0, found "fast"/,
    );
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
