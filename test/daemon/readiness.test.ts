/** /readyz says whether frames are judged, also where the answer to the subscription waits behind a backlog. */

import { expect, onTestFinished, test, vi } from "vitest";
import { aGateway, aGatewayFolder, apparelFrames, metric } from "../support/apparel.ts";
import { startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { aSensor } from "../support/mqtt.ts";
import { childrenOf } from "../support/processes.ts";

const QUEUED = 3000;
const SMALL_BACKLOG = { SEKISHO_INTAKE_BACKLOG_MAX_FRAMES: "100" };

describeWithMosquitto("a gateway that finds its session with thousands of frames", () => {
  test("is ready once they flow, while its subscription is still unanswered", async () => {
    const broker = await aMosquitto();
    onTestFinished(broker.stop);
    // 3.1.1 has no receive maximum: the broker sends more than may wait, so that the intake stops reading.
    const place = aGatewayFolder(broker.url, "3.1.1");
    await (await aGateway(place)).stop();
    const sensor = await aSensor(broker.url);
    const frames = await apparelFrames();
    const sends = Array.from({ length: QUEUED }, (_, i) =>
      sensor.send(`apparel/cam-1/frames/f${i}`, Buffer.from(frames[i % frames.length]!)),
    );
    await Promise.all(sends);

    const gateway = startSekisho(["run", "--config", place.config], SMALL_BACKLOG);
    onTestFinished(() => void gateway.process.kill("SIGKILL"));
    let isSubscribed = false;
    const subscribed = gateway.shows("judging frames").then(() => {
      isSubscribed = true;
    });
    const [, httpUrl] = await gateway.shows(/"http":"(http:[^"]+)"/);
    // A slow student: the answer to the subscription comes behind as many frames as the broker may have sent.
    const [engine] = childrenOf(gateway.process.pid!);
    process.kill(engine!, "SIGSTOP");
    await vi.waitFor(async () => expect((await fetch(`${httpUrl}/readyz`)).status).toBe(200), {
      timeout: 8000,
      interval: 20,
    });
    expect(isSubscribed).toBe(false);
    process.kill(engine!, "SIGCONT");
    await subscribed;
    await vi.waitFor(
      async () => {
        const metrics = await (await fetch(`${httpUrl}/metrics`)).text();
        expect(metric(metrics, "sekisho_frames_total")).toBe(QUEUED);
      },
      { timeout: 30_000, interval: 100 },
    );
    expect((await fetch(`${httpUrl}/readyz`)).status).toBe(200);
  }, 60_000);
});
