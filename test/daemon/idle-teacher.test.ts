/** Audits answered by the gateway's own teacher: at the lowest priority, again after it was killed, and gone with the gateway. */

import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aGateway, aGatewayFolder, apparelFrames, metric, type RunningGateway } from "../support/apparel.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const WAIT = { timeout: 30_000, interval: 100 };
const ROUND = 60;

/** Processes of this parent on this module. */
function childrenOn(module: string, parent: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [, rest] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
        return (
          Number(rest!.split(" ")[1]) === parent &&
          readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(module)
        );
      } catch {
        return false; // It has ended meanwhile.
      }
    });
}

describeWithMosquitto("a gateway's own teacher", () => {
  let broker: Mosquitto;
  let gateway: RunningGateway;
  let client: MqttClient;
  let frames: readonly Uint8Array[];

  beforeAll(async () => {
    broker = await aMosquitto();
    frames = await apparelFrames();
    client = await connectAsync(broker.url, { protocolVersion: 5 });
    const audits = ["teacher: idle", "askAgainSeconds: 1"];
    gateway = await aGateway(aGatewayFolder(broker.url, "auto", { audits, thresholds: { auditRate: 0.5 } }));
  });
  afterAll(async () => {
    await client?.endAsync();
    await gateway?.stop();
    await broker?.stop();
  });

  const send = async (from: number): Promise<void> => {
    for (let n = from; n < from + ROUND; n++)
      await client.publishAsync(`apparel/cam-1/frames/f${n}`, Buffer.from(frames[n]!), { qos: 1 });
    await expect
      .poll(async () => metric(await gateway.metrics(), "sekisho_frames_total"), WAIT)
      .toBe(from + ROUND);
  };
  const waiting = async (): Promise<number> =>
    metric(await gateway.metrics(), "sekisho_audits_waiting", /question="teacher"/);
  const answered = async (): Promise<number> =>
    metric(await gateway.metrics(), "sekisho_audits_total", /question="teacher",answer="(good|bad)"/);

  test("answers what was drawn, at the lowest priority", async () => {
    await send(0);
    await expect.poll(waiting, WAIT).toBe(0);
    // How many were drawn is chance: half of some two dozen that passed, and none in one run of millions.
    expect(await answered()).toBeGreaterThan(0);
    const [pid, ...others] = childrenOn("idle-main", gateway.process.pid!);
    expect(others).toEqual([]);
    expect(getPriority(pid!)).toBe(19);
  });

  test("killed, it is started again with the next question", async () => {
    process.kill(childrenOn("idle-main", gateway.process.pid!)[0]!, "SIGKILL");
    await expect.poll(() => childrenOn("idle-main", gateway.process.pid!), WAIT).toEqual([]);
    await send(ROUND);
    await expect.poll(waiting, WAIT).toBe(0);
  });

  test("ends with the gateway", async () => {
    const [pid] = childrenOn("idle-main", gateway.process.pid!);
    expect((await gateway.stop()).status).toBe(0);
    expect(() => process.kill(pid!, 0)).toThrow(/ESRCH/);
  });
});
