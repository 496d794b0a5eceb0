/** The doctor on a real broker: each thing that can be wrong has its finding, with what to do. */

import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Finding } from "../../src/commands/doctor/finding.ts";
import { aGateway, aGatewayFolder, type GatewayFolder } from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto, freePort } from "../support/mosquitto.ts";
import { aSensor } from "../support/mqtt.ts";
import { aCertificate, anAuthority, type Pair } from "../support/pki.ts";

interface Seen {
  readonly status: number | null;
  readonly text: string;
  of(check: string): Finding;
}

async function doctor({ config }: Pick<GatewayFolder, "config">): Promise<Seen> {
  const { status, stdout, stderr } = await sekisho(["doctor", "--config", config, "--json"]);
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

describe("sekisho doctor without a broker", () => {
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
