/** The doctor on a real broker: each thing that can be wrong has its finding, with what to do. */

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Finding, ok, withinAll } from "../../src/commands/doctor/finding.ts";
import { aGateway, aGatewayFolder, apparelFrames, type GatewayFolder } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto, freePort } from "../support/mosquitto.ts";
import { aSensor } from "../support/mqtt.ts";
import { aCertificate, anAuthority, type Pair } from "../support/pki.ts";

interface Seen {
  readonly status: number | null;
  readonly text: string;
  of(check: string): Finding;
}

async function doctor({ config }: Pick<GatewayFolder, "config">, environment = {}): Promise<Seen> {
  const { status, stdout, stderr } = await sekisho(["doctor", "--config", config, "--json"], environment);
  if (stdout === "") throw new Error(stderr);
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  return {
    status,
    text: stdout + stderr,
    of: (check) => findings.find((one) => one.check === check) ?? { check, level: "ok", found: "nothing" },
  };
}

function aPlace(url: string, protocol: "auto" | "3.1.1" = "auto"): GatewayFolder {
  const place = aGatewayFolder(url, protocol);
  onTestFinished(() => rmSync(place.folder, { recursive: true, force: true }));
  return place;
}

describeWithMosquitto("sekisho doctor on mosquitto", () => {
  test("finds nothing to fail on a broker that is set up, and leaves nothing behind there or on the disk", async () => {
    const broker = await aMosquitto({ extraConfig: "sys_interval 1" });
    onTestFinished(broker.stop);
    const place = aPlace(broker.url);
    const { status, of } = await doctor(place);
    expect(status).toBe(0);
    expect(of("queue")).toMatchObject({ level: "ok", found: expect.stringContaining("kept all of 1200") });
    expect(of("hears apparel").found).toContain("apparel/+/frames/+");
    expect(of("engine apparel").found).toMatch(/golden frames come out as recorded; \d+ frames\/s/);
    expect(of("fsync").found).toMatch(/median \d+\.\d ms, worst \d+\.\d ms of \d+/);
    expect(readdirSync(place.folder).sort()).toEqual(["sekisho.yaml", "thresholds.json"]);

    const sensor = await aSensor(broker.url);
    await sensor.subscribe("$SYS/broker/clients/total");
    const { text } = await sensor.received.first(({ text }) => text === "1");
    expect(text).toBe("1");
  });

  test("works beside the gateway, which stays connected", async () => {
    const broker = await aMosquitto();
    onTestFinished(broker.stop);
    const place = aPlace(broker.url);
    const gateway = await aGateway(place);
    onTestFinished(() => void gateway.process.kill("SIGKILL"));
    const { status } = await doctor(place);
    expect(status).toBe(0);
    const { stdout } = await gateway.stop();
    expect(stdout).toContain("judging frames");
    expect(stdout).not.toMatch(/connection to the broker was lost|cannot connect/);
  });

  test("a broker that drops what a gateway needs that is away, in either version of MQTT", async () => {
    const broker = await aMosquitto({ extraConfig: "max_queued_messages 1000\nmax_inflight_messages 20" });
    onTestFinished(broker.stop);
    for (const protocol of ["auto", "3.1.1"] as const) {
      const { status, of } = await doctor(aPlace(broker.url, protocol));
      expect(status).toBe(1);
      expect(of("queue")).toMatchObject({
        level: "fail",
        advice: expect.stringContaining("docs/mosquitto.conf"),
      });
      expect(of("queue").found).toMatch(/kept 10[0-2]\d of 1200/);
      if (protocol === "auto") expect(of("receive maximum")).toMatchObject({ level: "warn" });
    }
  });

  test("an access list that denies publishing, and one that lets nothing be read", async () => {
    for (const [acl, expected] of [
      ["topic read apparel/+/frames/+", { check: "publishes", level: "fail" }],
      ["topic write sekisho/test/#", { check: "queue", level: "warn" }],
    ] as const) {
      const broker = await aMosquitto({ files: { acl: `${acl}\n` }, extraConfig: "acl_file DIR/acl" });
      onTestFinished(broker.stop);
      const { status, of } = await doctor(aPlace(broker.url));
      expect(of(expected.check)).toMatchObject({
        ...expected,
        advice: expect.stringContaining("access list"),
      });
      expect(status).toBe(expected.level === "fail" ? 1 : 0);
    }
  });

  test("a broker that takes less than frames need, and retains nothing", async () => {
    const broker = await aMosquitto({ extraConfig: "max_packet_size 10000\nretain_available false" });
    onTestFinished(broker.stop);
    const { status, of } = await doctor(aPlace(broker.url));
    expect(of("packet size")).toMatchObject({
      level: "warn",
      found: "the broker takes packets of 10000 bytes, frames may have 20000",
      advice: expect.stringContaining("max_packet_size"),
    });
    expect(of("retained").level).toBe("warn");
    expect(status).toBe(0);
  });

  test("what the broker has dropped, by its own count", async () => {
    const broker = await aMosquitto({ extraConfig: "max_queued_messages 100\nsys_interval 1" });
    onTestFinished(broker.stop);
    const watcher = await aSensor(broker.url);
    await watcher.subscribe("$SYS/broker/#");
    await watcher.received.first(({ topic }) => topic === "$SYS/broker/uptime");
    const place = aPlace(broker.url);
    const before = await doctor(place);
    expect(before.of("broker counts").found).toMatch(
      /mosquitto version .* tells of no message that it dropped/,
    );
    expect(before.of("queue").level).toBe("fail"); // It has dropped some of the doctor's now.
    await watcher.received.first(({ topic }) => topic === "$SYS/broker/publish/messages/dropped");
    const after = await doctor(place);
    expect(after.of("broker counts")).toMatchObject({
      level: "warn",
      found: expect.stringMatching(/has dropped \d+ messages since its start/),
    });
  });

  test("decisions of the running gateway that the broker refuses", async () => {
    const broker = await aMosquitto({
      extraConfig: "acl_file DIR/acl",
      files: { acl: "topic readwrite #\ntopic deny sekisho/test/decisions/#\n" },
    });
    onTestFinished(broker.stop);
    const place = aPlace(broker.url);
    const port = String(await freePort());
    const gateway = await aGateway(place, { SEKISHO_HTTP_PORT: port });
    onTestFinished(() => void gateway.process.kill("SIGKILL"));
    const [frame] = await apparelFrames();
    const sensor = await aSensor(broker.url);
    await sensor.send("apparel/cam-1/frames/f0", Buffer.from(frame!));
    await gateway.shows(/refuses|refused/);
    const { status, of } = await doctor(place, { SEKISHO_HTTP_PORT: port });
    expect(status).toBe(1);
    expect(of("publishes decisions")).toMatchObject({
      level: "fail",
      found: "the broker has refused the gateway 1 decisions since its start",
      advice: "allow it in the access list: topic write sekisho/test/decisions/#",
    });
  });

  test("a password that the broker refuses is not shown", async () => {
    const broker = await aMosquitto({
      files: { passwords: "" },
      extraConfig: "allow_anonymous false\npassword_file DIR/passwords",
    });
    onTestFinished(broker.stop);
    const place = aPlace(`${broker.url}\n  usernameFile: user\n  passwordFile: secret`);
    writeFileSync(join(place.folder, "user"), "someone\n");
    writeFileSync(join(place.folder, "secret"), "hunter2-secret\n");
    const { status, of, text } = await doctor(place);
    expect(status).toBe(1);
    expect(of("broker")).toMatchObject({ level: "fail", advice: expect.stringContaining("passwordFile") });
    expect(text).not.toContain("hunter2-secret");
  });
});

describeWithMosquitto("sekisho doctor on mosquitto with TLS", () => {
  let ca: Pair;
  let stranger: Pair;
  let own: Pair;
  beforeAll(() => {
    ca = anAuthority("Plant CA");
    stranger = anAuthority("Stranger");
    own = aCertificate("gateway-1", { by: ca });
  });

  async function onTls(
    broker: Pair,
    client: { readonly ca?: Pair; readonly own?: Pair | undefined },
  ): Promise<Seen> {
    const port = await freePort();
    const { stop } = await aMosquitto({
      files: { "ca.crt": ca.crt, "broker.crt": broker.crt, "broker.key": broker.key },
      extraConfig: [
        ...[`listener ${port} 127.0.0.1`, "cafile DIR/ca.crt", "certfile DIR/broker.crt"],
        ...["keyfile DIR/broker.key", "require_certificate true"],
      ].join("\n"),
    });
    onTestFinished(stop);
    const files = { "ca.crt": (client.ca ?? ca).crt, "own.crt": client.own?.crt, "own.key": client.own?.key };
    const lines = [
      "caFile: ca.crt",
      ...(client.own === undefined ? [] : ["certFile: own.crt", "keyFile: own.key"]),
    ];
    const place = aPlace(
      `mqtts://localhost:${port}\n  tls:\n${lines.map((line) => `    ${line}`).join("\n")}`,
    );
    for (const [name, bytes] of Object.entries(files)) {
      if (bytes !== undefined) writeFileSync(join(place.folder, name), bytes);
    }
    return doctor(place);
  }

  test("certificates that are right, of which one ends soon", async () => {
    const broker = aCertificate("broker", { by: ca, host: "localhost", days: 10 });
    const { status, of } = await onTls(broker, { own });
    expect(status).toBe(0);
    expect(of("broker certificate")).toMatchObject({
      level: "warn",
      advice: expect.stringContaining("renew"),
    });
    expect(of("broker certificate").found).toMatch(/CN broker, by CA Plant CA, until .*: \d+ days are left/);
    expect(of("gateway certificate")).toMatchObject({ level: "ok" });
  });

  test.each([
    ["another CA", { by: "stranger" }, /not signed by a CA/, /certificate of CA Stranger/],
    ["another host's", { host: "elsewhere" }, /is not for localhost, but for DNS:elsewhere/, /broker\.url/],
    ["expired", { days: -1 }, /has expired/, /renew/],
  ] as const)("a broker's certificate that is %s", async (_, wrong, found, advice) => {
    const by = "by" in wrong ? stranger : ca;
    const { status, of } = await onTls(aCertificate("broker", { host: "localhost", ...wrong, by }), { own });
    expect(status).toBe(1);
    const finding = of("broker certificate");
    expect(finding.level).toBe("fail");
    expect(finding.found).toMatch(found);
    expect(finding.advice).toMatch(advice);
    expect(of("broker")).toMatchObject({ level: "fail" });
  });

  test.each([
    ["missing", undefined],
    ["a stranger's", "stranger"],
    ["expired", "expired"],
  ] as const)("a gateway's certificate that is %s is refused", async (_, kind) => {
    const certificates = {
      stranger: () => aCertificate("gateway-1", { by: stranger }),
      expired: () => aCertificate("gateway-1", { by: ca, days: -1 }),
    };
    const client = kind === undefined ? {} : { own: certificates[kind]() };
    const { status, of } = await onTls(aCertificate("broker", { by: ca, host: "localhost" }), client);
    expect(status).toBe(1);
    expect(of("broker")).toMatchObject({
      level: "fail",
      advice: expect.stringContaining("broker.tls.certFile"),
    });
    if (kind === "expired") expect(of("gateway certificate")).toMatchObject({ level: "fail" });
  });
});

test("the doctor's checks share one deadline, and each that it leaves out says so", async () => {
  let nowMs = 0;
  const look = withinAll(60_000, () => nowMs);
  const fine = async () => [ok("a", "fine")];
  nowMs = 59_999;
  expect(await look("a", 5_000, fine)).toEqual([ok("a", "fine")]);
  expect(await look("a", 5_000, () => new Promise(() => {}))).toMatchObject([{ level: "fail" }]); // In its last millisecond.
  nowMs = 60_000;
  const looked = await look("a", 5_000, fine);
  expect(looked).toMatchObject([{ check: "a", level: "fail", found: expect.stringContaining("60 s") }]);
});

describe("sekisho doctor without a broker", () => {
  test("a clock that is behind what people have signed", async () => {
    const place = aPlace(`mqtt://127.0.0.1:${await freePort()}`);
    const file = join(place.folder, "thresholds.json");
    const thresholds = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...thresholds, at: "2126-01-01T00:00:00Z" }));
    const { text } = await doctor(place);
    expect(text).toContain("the thresholds of apparel were made at 2126-01-01T00:00:00Z");
  });

  test("says so, and looks at the rest all the same", async () => {
    const place = aPlace(`mqtt://127.0.0.1:${await freePort()}`);
    const { status, of } = await doctor(place);
    expect(status).toBe(1);
    expect(of("broker")).toMatchObject({
      level: "fail",
      advice: expect.stringContaining("start the broker"),
    });
    expect(of("engine apparel")).toMatchObject({ found: expect.stringContaining("frames/s") });
  });

  test("thresholds that do not fit are a finding among the others", async () => {
    const place = aPlace(`mqtt://127.0.0.1:${await freePort()}`);
    writeFileSync(join(place.folder, "thresholds.json"), "{}");
    const { status, of } = await doctor(place);
    expect(status).toBe(1);
    expect(of("files")).toMatchObject({ level: "fail", found: expect.stringContaining("thresholds.json") });
    expect(of("node")).toMatchObject({ found: expect.stringContaining("Node ") });
  });
});
