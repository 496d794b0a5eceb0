/** What a gateway does about bad input: one clear line, and the exit status by which systemd tries again or does not. */

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { aGatewayFolder, type GatewayFolder } from "../support/apparel.ts";
import { type Started, sekisho, startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto, freePort } from "../support/mosquitto.ts";
import { aCertificate, anAuthority, type Pair } from "../support/pki.ts";
import { aScriptedBroker, connack } from "../support/scripted-broker.ts";
import { aSmallDisk, describeWithSmallDisk } from "../support/small-disk.ts";

const NOBODY_THERE = "mqtt://127.0.0.1:1";

function aPlace(broker = NOBODY_THERE, lines: readonly string[] = []): GatewayFolder {
  const place = aGatewayFolder([broker, ...lines].join("\n  "));
  onTestFinished(() => rmSync(place.folder, { recursive: true, force: true }));
  return place;
}

const write = ({ folder }: GatewayFolder, name: string, content: string | Buffer): void =>
  writeFileSync(join(folder, name), content, { mode: 0o600 });

function edit({ config }: GatewayFolder, change: (text: string) => string): void {
  writeFileSync(config, change(readFileSync(config, "utf8")));
}

/** What a gateway without users says when it has begun. */
const INVITATION =
  /^Nobody may use the console yet\.[^\n]*\n\n {2}http[^\n]*\n\nOr at this machine's terminal[^\n]*\n$/;

/** Runs until it ends by itself; standard error must be one line. */
async function ends(
  place: GatewayFolder,
  environment = {},
): Promise<{ status: number | null; line: string }> {
  const { status, stderr } = await sekisho(["run", "--config", place.config], environment);
  expect(stderr).toMatch(/^[^\n]+\n$/);
  return { status, line: stderr.trim() };
}

/** Settings that only an editor can put right: 2, which `RestartPreventExitStatus` leaves at that. */
describe("a configuration that is wrong in itself ends the gateway with status 2", () => {
  test.each([
    [
      "an unknown key",
      (text: string) => text.replace("gateway:", "gatewy:"),
      /gatewy.*did you mean "gateway"/,
    ],
    ["no YAML", () => "gateway: [", /sekisho\.yaml:1:\d+: /],
    [
      "a broker's address that is none",
      (t: string) => t.replace(NOBODY_THERE, "broker"),
      /broker\.url: expected text that matches/,
    ],
    [
      "a certificate without its key",
      (t: string) => t.replace(NOBODY_THERE, "mqtts://127.0.0.1:1\n  tls: { certFile: thresholds.json }"),
      /broker\.tls\.certFile: a certificate needs its key; name it in broker\.tls\.keyFile/,
    ],
    [
      "TLS files for an address that is not encrypted",
      (t: string) => t.replace(NOBODY_THERE, `${NOBODY_THERE}\n  tls: { caFile: thresholds.json }`),
      /broker\.tls\.caFile: TLS files are given, but mqtt:\/\/ is not encrypted; write mqtts:\/\//,
    ],
    ["passwords in the clear", (t: string) => t.replace("port: 0", "host: 192.0.2.1"), /set http\.tls/],
  ])("%s", async (_, change, words) => {
    const place = aPlace();
    edit(place, change);
    const { status, stderr } = await sekisho(["run", "--config", place.config]);
    expect(stderr).toMatch(words);
    expect(status).toBe(2);
    // To `check` it is what was asked about, and not its usage.
    expect((await sekisho(["check", "--config", place.config])).status).toBe(1);
  });
});

/** What may be mended while nobody looks, a mount or a renewal: 1, and systemd tries again after its ten seconds. */
describe("what may be mended by others ends the gateway with status 1", () => {
  let ca: Pair;
  let own: Pair;
  let other: Pair;
  beforeAll(() => {
    ca = anAuthority("Plant CA");
    own = aCertificate("gateway-1", { by: ca });
    other = aCertificate("gateway-2", { by: ca });
  });
  const tls = (lines: string): readonly string[] => [`tls: ${lines}`];

  test.each([
    [
      "a configuration that is not there",
      () => {
        const place = aPlace();
        rmSync(place.config);
        return place;
      },
      /cannot read the configuration: ENOENT/,
    ],
    [
      "a key that cannot be read",
      () => {
        const place = aPlace("mqtts://127.0.0.1:1", tls("{ certFile: own.crt, keyFile: own.key }"));
        write(place, "own.crt", own.crt);
        mkdirSync(join(place.folder, "own.key"));
        return place;
      },
      /yaml:\d+:\d+: broker\.tls\.keyFile: cannot read .*own\.key: it is a folder, expected a file/,
    ],
    [
      "a key that is none",
      () => {
        const place = aPlace("mqtts://127.0.0.1:1", tls("{ certFile: own.crt, keyFile: own.key }"));
        write(place, "own.crt", own.crt);
        write(place, "own.key", "hello\n");
        return place;
      },
      /broker\.tls\.keyFile: expected the key of the gateway's certificate.* in PEM in .*own\.key/,
    ],
    [
      "another certificate's key",
      () => {
        const place = aPlace("mqtts://127.0.0.1:1", tls("{ certFile: own.crt, keyFile: own.key }"));
        write(place, "own.crt", own.crt);
        write(place, "own.key", other.key);
        return place;
      },
      /broker\.tls\.keyFile: .*own\.key is not the key of the certificate in .*own\.crt/,
    ],
    [
      "a CA file without a certificate, which OpenSSL would take without a word",
      () => {
        const place = aPlace("mqtts://127.0.0.1:1", tls("{ caFile: ca.crt }"));
        write(place, "ca.crt", "hello\n");
        return place;
      },
      /broker\.tls\.caFile: expected the certificate of the CA that signed the broker's in PEM in .*ca\.crt/,
    ],
    [
      "a password file that is a folder",
      () => {
        const place = aPlace(NOBODY_THERE, ["passwordFile: secret"]);
        mkdirSync(join(place.folder, "secret"));
        return place;
      },
      /broker\.passwordFile: cannot read .*secret: it is a folder, expected a file/,
    ],
    [
      "a state directory that is a file",
      () => {
        const place = aPlace();
        write(place, "state", "");
        edit(place, (text) => text.replace("path: test.ledger", "path: state/test.ledger"));
        return place;
      },
      /yaml:\d+:\d+: ledger\.path: the folder .*state cannot be written: it is a file.*; make it, or set another/,
    ],
    [
      "a ledger that is a folder",
      () => {
        const place = aPlace();
        mkdirSync(place.ledger);
        return place;
      },
      /test\.ledger: cannot open the ledger: .*; set ledger\.path to another place, or move the file away/,
    ],
    [
      "an address that this machine has not",
      () => {
        const place = aPlace();
        edit(place, (text) =>
          text.replace("port: 0", "port: 0\n  host: 192.0.2.1\n  behindProxy: [127.0.0.1]"),
        );
        return place;
      },
      /http: 192\.0\.2\.1 is no address of this machine \(EADDRNOTAVAIL\); set http\.host/,
    ],
    [
      "a bundle that is not there",
      () => {
        const place = aPlace();
        edit(place, (text) => text.replace(/bundle: .*/, "bundle: not-there"));
        return place;
      },
      /not-there\/bundle\.json:1:1: .*ENOENT/,
    ],
  ] as const)("%s", async (_, make, words) => {
    const { status, line } = await ends(make());
    expect(line).toMatch(words);
    expect(status).toBe(1);
  });

  test("a port that is taken", async () => {
    const place = aPlace();
    const rival = createServer();
    const port = await new Promise<number>((resolve) =>
      rival.listen(0, "127.0.0.1", () => resolve((rival.address() as { port: number }).port)),
    );
    onTestFinished(() => void rival.close());
    const { status, line } = await ends(place, { SEKISHO_HTTP_PORT: String(port) });
    expect(line).toBe(`http: 127.0.0.1:${port} is taken by another program; set http.port to a free one`);
    expect(status).toBe(1);
  });

  test("a key that the gateway's user may not read", () => {
    const place = aPlace("mqtts://127.0.0.1:1", tls("{ certFile: own.crt, keyFile: own.key }"));
    write(place, "own.crt", own.crt);
    write(place, "own.key", own.key);
    chmodSync(join(place.folder, "own.key"), 0);
    const nobody = 65_534;
    const opened = spawnSync("chmod", ["o+rx", place.folder, dirname(place.folder)]);
    expect(opened.status).toBe(0);
    spawnSync("chmod", [
      "o+r",
      place.config,
      join(place.folder, "own.crt"),
      join(place.folder, "thresholds.json"),
    ]);
    // Root may read everything, and so becomes another, to whom the program must be readable wherever the tests run.
    const script = `if (process.getuid() === 0) { process.setgid(${nobody}); process.setuid(${nobody}); } process.argv.splice(1, 0, "sekisho"); await import(process.env.MAIN);`;
    const main = new URL("../../dist/main.js", import.meta.url).href;
    const ran = spawnSync(
      process.execPath,
      ["--input-type=module", "-e", script, "--", "run", "--config", place.config],
      { encoding: "utf8", env: { PATH: process.env.PATH, MAIN: main } },
    );
    expect(ran.stderr).toMatch(/broker\.tls\.keyFile: cannot read .*own\.key: EACCES: permission denied/);
    expect(ran.status).toBe(1);
  });
});

describeWithSmallDisk("a state directory without room", () => {
  test("ends the gateway with status 1; with room again it begins", async () => {
    const place = aPlace();
    const disk = aSmallDisk(4 << 20);
    onTestFinished(disk.unmount);
    disk.fill(0);
    const path = join(disk.folder, "test.ledger");
    const { status, line } = await ends(place, { SEKISHO_LEDGER_PATH: path });
    expect(line).toMatch(
      /test\.ledger: the disk is full, no room to begin \(\d+ bytes free in .*\); make room there, or set ledger\.path/,
    );
    expect(status).toBe(1);
    disk.clear();
    const gateway = startSekisho(["run", "--config", place.config], { SEKISHO_LEDGER_PATH: path });
    onTestFinished(() => void gateway.process.kill("SIGKILL"));
    await gateway.shows("engines ready");
  });
});

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly reason?: string;
  readonly advice?: string;
}

/** Lines of warnings and errors about the broker. */
function complaints(shown: string): readonly Line[] {
  return shown
    .split("\n")
    .filter((text) => text.startsWith("{"))
    .map((text) => JSON.parse(text) as Line)
    .filter(({ level, msg }) => level >= 40 && /broker/.test(msg));
}

describeWithMosquitto("a broker that refuses does not end the gateway", () => {
  /** Waits until it has been refused on each connection, and more than once. */
  async function refused(place: GatewayFolder): Promise<Started> {
    const gateway = startSekisho(["run", "--config", place.config], { SEKISHO_LOG_LEVEL: "debug" });
    onTestFinished(() => void gateway.process.kill("SIGKILL"));
    await gateway.shows(/("connection":"control"[^\n]*trying again[^\n]*\n[\s\S]*){3}/);
    return gateway;
  }
  async function end(gateway: Started): Promise<readonly Line[]> {
    gateway.process.kill("SIGTERM");
    const { status, stdout, stderr } = await gateway.finished;
    expect([status, stderr.replace(INVITATION, "")]).toEqual([0, ""]);
    return complaints(stdout);
  }

  test.each([
    [
      "a wrong password",
      "allow_anonymous false\npassword_file DIR/passwords",
      ["usernameFile: user", "passwordFile: secret"],
      /not authori[sz]ed|bad user/i,
      /usernameFile and passwordFile/,
    ],
    [
      "nobody without a name",
      "allow_anonymous false",
      [],
      /not authori[sz]ed/i,
      /usernameFile and passwordFile/,
    ],
    [
      "a banned client id",
      "clientid_prefixes plant-",
      [],
      /not authori[sz]ed/i,
      /takes no client of these ids/,
    ],
  ] as const)(
    "%s: one line for all of its connections, and it goes on trying",
    async (_, extraConfig, lines, reason, advice) => {
      const broker = await aMosquitto({ extraConfig, files: { passwords: "" } });
      onTestFinished(broker.stop);
      const place = aPlace(broker.url, lines);
      write(place, "user", "someone\n");
      write(place, "secret", "hunter2-secret\n");
      const told = await end(await refused(place));
      expect(told).toHaveLength(1);
      expect(told[0]!.reason).toMatch(reason);
      expect(told[0]!.advice).toMatch(advice);
      expect(JSON.stringify(told)).not.toContain("hunter2");
    },
  );

  test("one that does not speak TLS, and one that speaks nothing else", async () => {
    const ca = anAuthority("Plant CA");
    const pair = aCertificate("broker", { by: ca, host: "localhost" });
    const port = await freePort();
    const broker = await aMosquitto({
      files: { "ca.crt": ca.crt, "broker.crt": pair.crt, "broker.key": pair.key },
      extraConfig: `listener ${port} 127.0.0.1\ncafile DIR/ca.crt\ncertfile DIR/broker.crt\nkeyfile DIR/broker.key`,
    });
    onTestFinished(broker.stop);
    const place = aPlace(`mqtts://localhost:${broker.port}`, ["tls: { caFile: ca.crt }"]);
    write(place, "ca.crt", ca.crt);
    const [one, ...more] = await end(await refused(place));
    expect(one!.advice).toMatch(/it may want TLS \(mqtts:\/\/\) or speak none/);
    expect(more).toEqual([]);
    const [two] = await end(await refused(aPlace(`mqtt://localhost:${port}`)));
    expect(two!.advice).toMatch(/it may want TLS \(mqtts:\/\/\)/);
  });

  /** A broker with this certificate that asks for one in return; the gateway trusts `trusted` and shows `own`. */
  async function onTls(server: Pair, trusted: Pair, ca: Pair, own: Pair | undefined): Promise<Line> {
    const port = await freePort();
    const broker = await aMosquitto({
      files: { "ca.crt": ca.crt, "broker.crt": server.crt, "broker.key": server.key },
      extraConfig: [
        ...[`listener ${port} 127.0.0.1`, "cafile DIR/ca.crt", "certfile DIR/broker.crt"],
        ...["keyfile DIR/broker.key", "require_certificate true"],
      ].join("\n"),
    });
    onTestFinished(broker.stop);
    const shown = own === undefined ? "" : ", certFile: own.crt, keyFile: own.key";
    const place = aPlace(`mqtts://localhost:${port}`, [`tls: { caFile: ca.crt${shown} }`]);
    write(place, "ca.crt", trusted.crt);
    if (own !== undefined) {
      write(place, "own.crt", own.crt);
      write(place, "own.key", own.key);
    }
    const told = await end(await refused(place));
    expect(told).toHaveLength(1);
    return told[0]!;
  }
  const ca = anAuthority("Plant CA");
  const stranger = anAuthority("Stranger");
  const localhost = { by: ca, host: "localhost" };
  const good = () => aCertificate("gateway-1", { by: ca });

  test.each([
    [
      "a CA that is not the broker's",
      () => aCertificate("broker", { ...localhost, by: stranger }),
      /broker\.tls\.caFile/,
    ],
    [
      "another name",
      () => aCertificate("broker", { by: ca, host: "elsewhere" }),
      /name that is in the broker's certificate/,
    ],
    [
      "a broker's certificate that has expired",
      () => aCertificate("broker", { ...localhost, days: -1 }),
      /renew the broker's/,
    ],
  ])("over TLS: %s", async (_, server, advice) => {
    expect((await onTls(server(), ca, ca, good())).advice).toMatch(advice);
  });

  test.each([
    ["none", () => undefined],
    ["a stranger's", () => aCertificate("gateway-1", { by: stranger })],
    ["one that has expired", () => aCertificate("gateway-1", { by: ca, days: -1 })],
  ])("over TLS, which wants a certificate and gets %s", async (_, own) => {
    const { advice } = await onTls(aCertificate("broker", localhost), ca, ca, own());
    expect(advice).toMatch(/broker\.tls\.certFile/);
  });

  test.each([
    [0x85, /client of this id/],
    [0x8a, /banned this client/],
    [0x97, /broker's log/],
  ])("on MQTT 5 by reason %i", async (code, advice) => {
    const broker = await aScriptedBroker((packet, line) => {
      if (packet.cmd !== "connect") return undefined;
      line.send(connack(line, code));
      return true;
    });
    const told = await end(await refused(aPlace(broker.url)));
    expect(told).toHaveLength(1);
    expect(told[0]!.advice).toMatch(advice);
  });

  test("is judged by as soon as it lets the gateway in, without a restart", async () => {
    const broker = await aMosquitto({ extraConfig: "clientid_prefixes plant-" });
    onTestFinished(broker.stop);
    const place = aPlace(broker.url);
    const gateway = startSekisho(["run", "--config", place.config]);
    onTestFinished(() => void gateway.process.kill("SIGKILL"));
    const [, httpUrl] = await gateway.shows(/"http":"(http:[^"]+)"/);
    await gateway.shows("cannot connect to the broker");
    const ready = await fetch(`${httpUrl}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toMatch(/not connected to the broker: .*Not authorized/);
    await broker.stop();
    const mended = await aMosquitto({ port: broker.port });
    onTestFinished(mended.stop);
    await gateway.shows("judging frames");
    await vi.waitFor(async () => expect((await fetch(`${httpUrl}/readyz`)).status).toBe(200));
  });
});

test("a subscription that is refused is asked for again, and granted it is judged by", async () => {
  let asked = 0;
  const broker = await aScriptedBroker((packet, line) => {
    if (packet.cmd !== "subscribe" || !packet.subscriptions[0]!.topic.startsWith("apparel/"))
      return undefined;
    const granted = ++asked > 2 ? 1 : 0x87;
    line.send({ cmd: "suback", messageId: packet.messageId!, granted: [granted] });
    return true;
  });
  const gateway = startSekisho(["run", "--config", aPlace(broker.url).config]);
  onTestFinished(() => void gateway.process.kill("SIGKILL"));
  await gateway.shows("judging frames");
  gateway.process.kill("SIGTERM");
  const { status, stdout } = await gateway.finished;
  expect(status).toBe(0);
  const [refusal, ...more] = complaints(stdout);
  expect(more).toEqual([]);
  expect(refusal).toMatchObject({
    problem: expect.stringContaining("apparel/+/frames/+ (Not authorized)"),
    advice: expect.any(String),
  });
});
