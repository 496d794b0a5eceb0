/** A broker whose access list is wrong takes no decision, and says so: the gateway counts what is not heard. */

import { expect, onTestFinished, test, vi } from "vitest";
import { aGateway, aGatewayFolder, apparelFrames, ledgerRows, metric } from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { aSensor } from "../support/mqtt.ts";

describeWithMosquitto("a broker that refuses decisions", () => {
  test("is counted, and the frame is on record all the same", async () => {
    const broker = await aMosquitto({
      extraConfig: "acl_file DIR/acl",
      files: { acl: "topic readwrite #\ntopic deny sekisho/test/decisions/#\n" },
    });
    onTestFinished(broker.stop);
    const place = aGatewayFolder(broker.url, "5");
    const gateway = await aGateway(place);
    onTestFinished(() => void gateway.process.kill("SIGKILL"));
    expect(await gateway.metrics()).toContain('sekisho_publish_refused_total{what="decision"} 0');

    const [frame] = await apparelFrames();
    const sensor = await aSensor(broker.url);
    await sensor.send("apparel/cam-1/frames/f0", Buffer.from(frame!));
    await vi.waitFor(
      async () => {
        const refused = metric(await gateway.metrics(), "sekisho_publish_refused_total", /"decision"/);
        expect(refused).toBe(1);
      },
      { timeout: 10_000 },
    );
    expect(metric(await gateway.metrics(), "sekisho_publish_refused_total", /"alert"/)).toBe(0);
    expect(ledgerRows(place.ledger, "f0")).toHaveLength(1);
  });
});
