/** `run --show-errors` as systemd starts it: it waits with a page where `run` ends, and judges when all is right. */

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { aGatewayFolder } from "../support/apparel.ts";
import { sekisho, startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";

describeWithMosquitto("a configuration that is wrong", () => {
  test("is shown until it is right, and then the gateway starts by itself", async () => {
    const broker = await aMosquitto();
    const { config } = aGatewayFolder(broker.url);
    const right = readFileSync(config, "utf8");
    writeFileSync(config, right.replace("encodings: [raw, png, json]", "encodings: [raw, gif]"));
    const refused = await sekisho(["run", "--config", config]);
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/sekisho\.yaml:9:\d+: .*gif/),
    ]);

    const waiting = startSekisho(["run", "--show-errors", "--config", config]);
    const [, url] = await waiting.shows(/listed on (http:\S+)\//);
    const errors = await (await fetch(`${url}/api/configuration-errors`)).json();
    expect(errors).toMatchObject({
      count: 1,
      errors: [{ line: 9, message: expect.stringContaining("gif") }],
    });
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    writeFileSync(config, right.replace("raw, png, json", "raw, bmp, png"));
    await waiting.shows(/bmp/);
    writeFileSync(config, right);
    await waiting.shows("judging frames");
    waiting.process.kill("SIGTERM");
    expect((await waiting.finished).status).toBe(0);
    await broker.stop();
  });

  test("waits for no longer than it is wanted", async () => {
    const { config } = aGatewayFolder("mqtt://127.0.0.1:9");
    writeFileSync(config, `${readFileSync(config, "utf8")}\nnonsense: 1\n`);
    const waiting = startSekisho(["run", "--show-errors", "--config", config]);
    await waiting.shows(/nonsense/);
    waiting.process.kill("SIGTERM");
    expect((await waiting.finished).status).toBe(0);
  });
});
