/** How a connection to the broker is made, kept and explained. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startEmbeddedBroker } from "../../src/mqtt/embedded-broker.ts";
import { aMosquitto, describeWithMosquitto, freePort } from "../support/mosquitto.ts";
import { anIntake, aPublisher, aSensor, textOf } from "../support/mqtt.ts";
import { aScriptedBroker, connack } from "../support/scripted-broker.ts";

const isConnected = ({ kind }: { kind: string }) => kind === "connected";

test("Nagle's algorithm is off on every connection, which would hold small packets back", async () => {
  const broker = await aScriptedBroker(() => undefined);
  const port = Number(new URL(broker.url).port);
  const setNoDelay = vi.spyOn(Socket.prototype, "setNoDelay");
  onTestFinished(() => setNoDelay.mockRestore());
  const { start } = anIntake(broker.url, { protocol: "5" });
  const { publisher } = aPublisher(broker.url, { protocol: "5" });
  await Promise.all([start(), publisher.connect()]);
  const sockets = setNoDelay.mock.contexts.filter((_, i) => setNoDelay.mock.calls[i]![0] === true);
  const ours = sockets.filter((socket) => (socket as Socket).remotePort === port);
  expect(new Set(ours).size).toBe(2);
});

describe("the MQTT version", () => {
  test("falls back to 3.1.1 on the embedded broker, through which frames and decisions pass", async () => {
    const broker = await startEmbeddedBroker();
    onTestFinished(broker.close);
    const { intake, deliveries, events, start } = anIntake(broker.url);
    await start();
    expect(events.all).toMatchObject([
      { kind: "connect-failed", reason: expect.stringContaining("protocol version"), retryInMs: 0 },
      { kind: "connected", version: "3.1.1" },
    ]);
    const { publisher, publish } = aPublisher(broker.url);
    await publisher.connect();
    expect(await publish({ topic: "line/cam/frames", payload: "frame", qos: 1 })).toBeUndefined();
    const delivery = await deliveries.first(() => true);
    expect(textOf(delivery)).toBe("frame");
    intake.acknowledge([delivery.ticket]);
  });

  test("falls back on a broker that just ends the connection, and remembers it", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "connect" || line.version === 4) return undefined;
      line.hangUp();
      return true;
    });
    const { publisher, events } = aPublisher(broker.url);
    await publisher.connect();
    expect(events.all.at(-1)).toMatchObject({ kind: "connected", version: "3.1.1" });
    const versions = () => broker.connects.all.map(({ protocolVersion }) => protocolVersion);
    // Asked once more while it is up; the connection left for that said DISCONNECT.
    expect(versions()).toEqual([5, 4, 5, 4]);
    expect(broker.packets.all.map(({ cmd }) => cmd)).toContain("disconnect");
  });

  test("is not lost to a broker that ends connections while it starts", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "connect" || line.connection > 3) return undefined;
      line.hangUp();
      return true;
    });
    const { start, events } = anIntake(broker.url);
    await start();
    expect(broker.connects.all.map(({ protocolVersion }) => protocolVersion)).toEqual([5, 4, 5, 4, 5]);
    expect(events.all.filter(isConnected)).toMatchObject([{ version: "5" }]);
  });

  test("delivers nothing of a connection that is left for a look at MQTT 5", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "connect" || line.connection === 1) {
        if (packet.cmd === "connect") line.hangUp();
        return packet.cmd === "connect";
      }
      line.send(connack(line));
      const payload = `over ${line.version}`;
      line.send({ cmd: "publish", topic: "t", payload, qos: 1, messageId: 5, dup: false, retain: false });
      return true;
    });
    const { deliveries, start } = anIntake(broker.url);
    await start();
    await deliveries.first(() => true);
    expect(deliveries.all.map(textOf)).toEqual(["over 5"]);
  });

  test("stays where it is fixed", async () => {
    const broker = await startEmbeddedBroker();
    onTestFinished(broker.close);
    const { publisher, events } = aPublisher(broker.url, { protocol: "5" });
    publisher.connect().catch(() => {});
    const failures = await events.count(3, ({ kind }) => kind === "connect-failed");
    expect(failures).toMatchObject(
      Array(3).fill({ reason: expect.stringContaining("Unacceptable protocol version") }),
    );
    expect(events.all.some(isConnected)).toBe(false);
  });
});

describe("a failed attempt", () => {
  test("waits longer each time, by chance up to half", async () => {
    const port = await freePort();
    const { publisher, events } = aPublisher(`mqtt://127.0.0.1:${port}`, { firstRetryMs: 4, retryMaxMs: 32 });
    publisher.connect().catch(() => {});
    const failures = await events.count(6, ({ kind }) => kind === "connect-failed");
    const waits = failures.map((event) => (event.kind === "connect-failed" ? event.retryInMs : -1));
    for (const [i, wait] of waits.entries()) {
      const whole = Math.min(32, 4 * 2 ** i);
      expect(wait).toBeGreaterThanOrEqual(whole / 2);
      expect(wait).toBeLessThanOrEqual(whole);
    }
  });

  test("says that the broker did not answer in time", async () => {
    const broker = await aScriptedBroker(({ cmd }) => cmd === "connect");
    const { publisher, events } = aPublisher(broker.url, { connectTimeoutMs: 30 });
    publisher.connect().catch(() => {});
    expect(await events.first(() => true)).toMatchObject({
      kind: "connect-failed",
      reason: "connack timeout",
    });
  });

  test("is one that answers with something else than MQTT, too", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { publisher, events } = aPublisher(`mqtt://127.0.0.1:${port}`);
    publisher.connect().catch(() => {});
    await events.count(3, ({ kind }) => kind === "connect-failed");
  });

  test("repeats no credentials", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "connect") return undefined;
      line.send(connack(line, line.version === 5 ? 0x86 : 4));
      return true;
    });
    const url = broker.url.replace("//", "//gateway:geheim@");
    const { publisher, events } = aPublisher(url);
    publisher.connect().catch(() => {});
    const failed = await events.first(() => true);
    expect(failed).toMatchObject({
      kind: "connect-failed",
      reason: "Connection refused: Bad User Name or Password",
    });
    const connect = await broker.connects.first(() => true);
    expect([connect.username, connect.password?.toString()]).toEqual(["gateway", "geheim"]);
    await publisher.close();
    expect(JSON.stringify(events.all)).not.toMatch(/geheim|gateway/);
  });
});

describe("a connection that is lost", () => {
  test("says what the broker gave as its reason", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "publish") return undefined;
      line.send({ cmd: "disconnect", reasonCode: 0x8e });
      line.hangUp();
      return true;
    });
    const { publisher, publish, events } = aPublisher(broker.url);
    await publisher.connect();
    const error = await publish({ topic: "t", payload: "", qos: 1 });
    expect(error?.message).toContain("Session taken over (142)");
    expect(await events.first(({ kind }) => kind === "connection-lost")).toMatchObject({
      reason: "the broker disconnected: Session taken over (142)",
    });
  });

  test("is one whose bytes make no sense any more", async () => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "subscribe" || line.connection > 1) return undefined;
      line.sendBytes(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]));
      return true;
    });
    const { events, start } = anIntake(broker.url);
    await start();
    expect(events.all.map(({ kind }) => kind)).toEqual(["connected", "connection-lost", "connected"]);
  });

  test("is noticed by the keepalive when the broker falls silent", async () => {
    const broker = await aScriptedBroker(({ cmd }, { connection }) => connection === 1 && cmd === "pingreq");
    const { publisher, events } = aPublisher(broker.url, { keepaliveSeconds: 1 });
    await publisher.connect();
    expect(await events.first(({ kind }) => kind === "connection-lost")).toMatchObject({
      reason: "Keepalive timeout",
    });
  });
});

describe("closing", () => {
  test("says DISCONNECT, is done once, and does not wait for ever", async () => {
    const broker = await aScriptedBroker(({ cmd }) => cmd === "disconnect");
    const { publisher, events } = aPublisher(broker.url, { closeTimeoutMs: 30 });
    await publisher.connect();
    await Promise.all([publisher.close(), publisher.close()]);
    expect(events.all.map(({ kind }) => kind)).toEqual(["connected", "closed"]);
    expect(broker.packets.all.at(-1)?.cmd).toBe("disconnect");
    expect(publisher.connected).toBe(false);
  });
});

describeWithMosquitto("other ways to mosquitto", () => {
  test("WebSockets", async () => {
    const port = await freePort();
    const broker = await aMosquitto({ extraConfig: `listener ${port} 127.0.0.1\nprotocol websockets` });
    onTestFinished(broker.stop);
    const url = `ws://127.0.0.1:${port}/mqtt`;
    const { deliveries, intake, start } = anIntake(url);
    await start();
    const sensor = await aSensor(broker.url);
    await sensor.subscribe("sekisho/gw/state");
    const { publisher, publish } = aPublisher(url);
    await publisher.connect();
    for (const qos of [0, 1] as const) {
      expect(await publish({ topic: "line/cam/frames", payload: `${qos}`, qos })).toBeUndefined();
    }
    const frames = await deliveries.count(2);
    expect(frames.map(textOf)).toEqual(["0", "1"]);
    intake.acknowledge(frames.map(({ ticket }) => ticket));
    await publisher.close([{ topic: "sekisho/gw/state", payload: "stopped", qos: 1 }]);
    await sensor.send("sekisho/gw/state", "mark");
    await sensor.received.first(({ text }) => text === "mark");
    expect(sensor.received.all.map(({ text }) => text)).toEqual(["stopped", "mark"]);
  });

  test("TLS with a certificate on both sides, the broker's always verified", async () => {
    const pki = aCertificateAuthority();
    const port = await freePort();
    const broker = await aMosquitto({
      files: pki,
      extraConfig: [
        `listener ${port} 127.0.0.1`,
        "cafile DIR/ca.crt",
        "certfile DIR/broker.crt",
        "keyfile DIR/broker.key",
        "require_certificate true",
      ].join("\n"),
    });
    onTestFinished(broker.stop);
    const url = `mqtts://localhost:${port}`;
    const ca = pki["ca.crt"];
    const own = { cert: pki["gateway.crt"], key: pki["gateway.key"] };

    const { publisher, publish, events } = aPublisher(url, { tls: { ca, ...own } });
    await publisher.connect();
    expect(events.all).toMatchObject([{ kind: "connected", version: "5", broker: url }]);
    const { deliveries, start } = anIntake(url, { tls: { ca, ...own } });
    await start();
    const payload = Buffer.alloc(300_000, "frame");
    for (const qos of [0, 1] as const) {
      expect(await publish({ topic: "line/cam/frames", payload, qos })).toBeUndefined();
    }
    const frames = await deliveries.count(2);
    expect(frames.map((frame) => payload.equals(frame.payload))).toEqual([true, true]);

    for (const [tls, words] of [
      [own, /self-signed|unable to verify|local issuer/i],
      [{ ca }, /certificate required|alert|ended the connection|ECONNRESET/i],
    ] as const) {
      const refused = aPublisher(url, { tls });
      refused.publisher.connect().catch(() => {});
      const failed = await refused.events.first(({ kind }) => kind === "connect-failed");
      expect(failed.kind === "connect-failed" && failed.reason).toMatch(words);
      await refused.publisher.close();
      expect(refused.events.all.some(isConnected)).toBe(false);
    }
  });

  test("an address that is not in the broker's certificate is refused", async () => {
    const pki = aCertificateAuthority();
    const port = await freePort();
    const broker = await aMosquitto({
      files: pki,
      extraConfig: `listener ${port} 127.0.0.1\ncafile DIR/ca.crt\ncertfile DIR/broker.crt\nkeyfile DIR/broker.key`,
    });
    onTestFinished(broker.stop);
    const { publisher, events } = aPublisher(`mqtts://127.0.0.1:${port}`, { tls: { ca: pki["ca.crt"] } });
    publisher.connect().catch(() => {});
    const failed = await events.first(({ kind }) => kind === "connect-failed");
    expect(failed.kind === "connect-failed" && failed.reason).toMatch(
      /IP: 127\.0\.0\.1 is not in the cert's list/,
    );
  });
});

test("the embedded broker ends with connections open, and frees its port", async () => {
  const broker = await startEmbeddedBroker();
  const sensor = await aSensor(broker.url, 4);
  const ended = new Promise<void>((resolve) => sensor.client.once("close", resolve));
  await broker.close();
  await ended;
  const again = await startEmbeddedBroker({ port: Number(new URL(broker.url).port) });
  await expect(startEmbeddedBroker({ port: Number(new URL(again.url).port) })).rejects.toThrow("EADDRINUSE");
  await again.close();
});

type PemFile = "ca.crt" | "broker.crt" | "broker.key" | "gateway.crt" | "gateway.key";

/** A CA, a broker's certificate for "localhost" and a gateway's, good for a day. */
function aCertificateAuthority(): Record<PemFile, Buffer> {
  const dir = mkdtempSync(join(tmpdir(), "sekisho-pki-"));
  const program = "openssl";
  const openssl = (...args: string[]) => execFileSync(program, args, { cwd: dir, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-days",
    "1",
    "-subj",
    "/CN=test-ca",
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
  );
  for (const [name, subject] of [
    ["broker", "/CN=localhost"],
    ["gateway", "/CN=gateway"],
  ] as const) {
    const signed = [
      "-days",
      "1",
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-addext",
      "subjectAltName=DNS:localhost",
    ];
    openssl(
      "req",
      "-x509",
      ...key,
      ...signed,
      "-subj",
      subject,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.crt`,
    );
  }
  const names: PemFile[] = ["ca.crt", "broker.crt", "broker.key", "gateway.crt", "gateway.key"];
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(dir, name))]));
  rmSync(dir, { recursive: true, force: true });
  return files as Record<PemFile, Buffer>;
}
