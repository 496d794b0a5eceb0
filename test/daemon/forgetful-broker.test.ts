/** A broker that is killed finds its session as it was when it last saved it; what it took since, only the gateway has. */

import { expect, onTestFinished, test, vi } from "vitest";
import { aGateway, aGatewayFolder, apparelFrames, metric } from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { aSensor } from "../support/mqtt.ts";
import { childrenOf } from "../support/processes.ts";

const WAITING = 50;

describeWithMosquitto("frames that wait in the gateway when their broker is killed", () => {
  test("are decided, though the broker has forgotten them and still knows the session", async () => {
    const broker = await aMosquitto({ persistence: true });
    onTestFinished(broker.stop);
    const gateway = await aGateway(aGatewayFolder(broker.url));
    onTestFinished(() => void gateway.process.kill("SIGKILL"));
    // Saved in good order, with the session and no frame.
    await broker.restart();
    await gateway.shows(/"connection":"intake".*"sessionPresent":true/);

    const [engine] = childrenOf(gateway.process.pid!);
    process.kill(engine!, "SIGSTOP");
    const sensor = await aSensor(broker.url);
    const frames = await apparelFrames();
    const send = async (i: number): Promise<void> => {
      await sensor.send(`apparel/cam-1/frames/f${i}`, Buffer.from(frames[i]!));
      await gateway.metrics(); // By then it has read the frame.
    };
    // The first two are with the engine, a batch each.
    for (let i = 0; i < WAITING + 2; i++) await send(i);
    await vi.waitFor(async () => {
      expect(metric(await gateway.metrics(), "sekisho_intake_backlog")).toBe(WAITING);
    });

    await broker.kill();
    await broker.restart();
    await gateway.shows(/(?:"connection":"intake".*"sessionPresent":true[\s\S]*){2}/);
    process.kill(engine!, "SIGCONT");
    await vi.waitFor(
      async () => expect(metric(await gateway.metrics(), "sekisho_frames_total")).toBe(WAITING + 2),
      { timeout: 10_000 },
    );
  }, 60_000);
});
