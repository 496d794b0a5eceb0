/**
 * Secrets stay where they are: a gateway that has every secret there is, at its most talkative, tells none of them to
 * its log, its metrics, its API, its ledger or the broker, not even where it is given one that is wrong.
 */

import { pbkdf2Sync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { hashPassword } from "../../src/http/auth/password.ts";
import { newToken } from "../../src/http/auth/token.ts";
import { writeUsers } from "../../src/http/auth/users-file.ts";
import {
  ALL_TO_REVIEW,
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type GatewayFolder,
  type RunningGateway,
} from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { type Answer, type Asked, send, someBytes } from "../support/http.ts";
import { aMosquitto, describeWithMosquitto, freePort, type Mosquitto } from "../support/mosquitto.ts";
import { aCertificate, anAuthority } from "../support/pki.ts";

/** As many characters of a secret in a row are as good as told. */
const TOLD = 8;

/** Which secrets a text tells, whole or in part. */
function toldBy(text: string, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const pieces = Array.from({ length: secret.length - TOLD + 1 }, (_, i) => secret.slice(i, i + TOLD));
    return pieces.some((piece) => text.includes(piece)) ? [name] : [];
  });
}

/** What of a PEM file is secret: its longest line, which has no header that others have too. */
function pemSecret(pem: Buffer): string {
  const lines = pem
    .toString()
    .split("\n")
    .filter((line) => !line.startsWith("-----") && !line.includes(":"));
  // An EC key in PKCS #8 begins alike in every file.
  return lines.join("").slice(48);
}

/** Of a token: they all begin alike. */
const secretPart = (token: string): string => token.slice("sekisho_".length);

/** As mosquitto_passwd writes it. */
function mosquittoPassword(user: string, password: string): string {
  const salt = Buffer.from(someBytes(3)(12));
  const key = pbkdf2Sync(password, salt, 101, 64, "sha512");
  return `${user}:$7$101$${salt.toString("base64")}$${key.toString("base64")}\n`;
}

describeWithMosquitto("the secrets of a gateway", () => {
  const random = someBytes(11);
  const made = { api: newToken(random), reviewer: newToken(random), wrong: newToken(random) };
  const authority = anAuthority("Plant CA");
  const own = aCertificate("gateway-1", { by: authority });
  const web = aCertificate("localhost", { by: authority });
  const secrets: Record<string, string> = {
    "the broker's password": "Kiso-kaido-67-shukuba",
    "a person's password": "Hakone-no-seki-1619-oni",
    "a person's password, mistyped": "Usui-no-seki-1623-mochi",
    "a token of the API": secretPart(made.api.token),
    "a token of the API that is none": secretPart(made.wrong.token),
    "a reviewer's token": secretPart(made.reviewer.token),
    "a reviewer's token, mistyped": `Arai-${made.reviewer.token.slice(5, 9)}-Maisaka`,
    "the key to the broker": pemSecret(own.key),
    "the key of the API": pemSecret(web.key),
    "the digest of a token": made.api.sha256,
  };
  const published: string[] = [];
  const answered: string[] = [];
  const answeredPaths: string[] = [];
  const logs: string[] = [];
  let broker: Mosquitto;
  let place: GatewayFolder;
  let gateway: RunningGateway;
  let client: MqttClient;
  let heardOpen: Promise<{ review: string; reviewRevision: number }>;

  async function ask(path: string, asked?: Asked): Promise<Answer> {
    const answer = await send(gateway.httpUrl, path, asked, { ca: authority.crt, servername: "localhost" });
    answered.push(answer.text);
    answeredPaths.push(`${answer.status} ${path}`);
    return answer;
  }

  beforeAll(async () => {
    const port = await freePort();
    broker = await aMosquitto({
      files: {
        ...{ "ca.crt": authority.crt, "broker.crt": web.crt, "broker.key": web.key },
        passwords: mosquittoPassword("gateway-1", secrets["the broker's password"]!),
      },
      extraConfig: [
        ...["password_file DIR/passwords", `listener ${port} 127.0.0.1`, "cafile DIR/ca.crt"],
        ...["certfile DIR/broker.crt", "keyfile DIR/broker.key", "require_certificate true"],
      ].join("\n"),
    });
    place = aGatewayFolder(
      `mqtts://localhost:${port}\n  usernameFile: user\n  passwordFile: password\n  tls: { caFile: ca.crt, certFile: own.crt, keyFile: own.key }`,
      "5",
      {
        thresholds: ALL_TO_REVIEW,
        review: ["reviewers: { hanako: { tokenFile: hanako.token } }"],
        files: {
          ...{ user: "gateway-1\n", password: `${secrets["the broker's password"]}\n` },
          "hanako.token": `${made.reviewer.token}\n`,
          ...{ "ca.crt": `${authority.crt}`, "own.crt": `${own.crt}`, "own.key": `${own.key}` },
          ...{ "web.crt": `${web.crt}`, "web.key": `${web.key}` },
        },
      },
    );
    const kept = await hashPassword(secrets["a person's password"]!, random);
    secrets["what is kept of a password"] = kept.slice(kept.lastIndexOf("$") + 1);
    writeUsers(join(place.folder, "users.json"), {
      users: [{ name: "hanako", role: "engineer", password: kept }],
      tokens: [{ name: "line-3", role: "engineer", sha256: made.api.sha256 }],
    });
    const config = readFileSync(place.config, "utf8")
      .replace("port: 0", "port: 0\n  usersFile: users.json\n  tls: { certFile: web.crt, keyFile: web.key }")
      .concat("log: { level: debug }\n");
    writeFileSync(place.config, config);
    client = await connectAsync(broker.url, { protocolVersion: 5 });
    heardOpen = new Promise((resolve) => {
      client.on("message", (topic, payload) => {
        const text = payload.toString();
        if (topic.includes("/verdicts/")) return; // Where reviewers say theirs.
        published.push(text);
        const body = JSON.parse(text);
        if (body.type === "open") resolve(body);
      });
    });
    await client.subscribeAsync("sekisho/#", { qos: 1 });
  });
  afterAll(async () => {
    gateway?.process.kill("SIGKILL");
    await client?.endAsync();
    await broker?.stop();
  });

  test("a wrong password for the broker ends in a line without it", async () => {
    const password = join(place.folder, "password");
    writeFileSync(password, `${secrets["a person's password, mistyped"]}\n`);
    const { status, stdout, stderr } = await sekisho(["doctor", "--config", place.config]);
    expect(status).toBe(1);
    logs.push(stdout, stderr);
    writeFileSync(password, `${secrets["the broker's password"]}\n`);
  });

  test("are used, rightly and wrongly, wherever they can be", async () => {
    const check = await sekisho(["check", "--config", place.config]);
    expect(check.status, check.stderr).toBe(0);
    logs.push(check.stdout, check.stderr);
    gateway = await aGateway(place);

    const frames = await apparelFrames();
    await client.publishAsync("apparel/cam-1/frames/f1", Buffer.from(frames[0]!), { qos: 1 });
    const { review, reviewRevision } = await heardOpen;
    const json = { "content-type": "application/json" };
    const logIn = (password: string) =>
      ask("/api/login", { method: "POST", headers: json, body: { user: "hanako", password } });
    expect((await logIn(secrets["a person's password, mistyped"]!)).status).toBe(401);
    const cut = `{"user":"hanako","password":${secrets["a person's password"]}}`;
    expect((await ask("/api/login", { method: "POST", headers: json, body: cut })).status).toBe(400);
    const { status, headers } = await logIn(secrets["a person's password"]!);
    expect(status).toBe(200);
    const cookie = String(headers["set-cookie"]).split(";", 1)[0]!;
    secrets["a session"] = cookie.slice(cookie.indexOf("=") + 1);
    expect((await ask("/api/session", { headers: { cookie } })).status).toBe(200);
    expect(
      (await ask("/api/session", { headers: { authorization: `Bearer ${made.wrong.token}` } })).status,
    ).toBe(401);

    const verdict = { review, reviewRevision, verdict: "confirm" };
    const say = (body: string | object) =>
      client.publishAsync(
        "sekisho/test/verdicts/hanako",
        typeof body === "string" ? body : JSON.stringify(body),
        { qos: 1 },
      );
    const before = published.length;
    await say({ ...verdict, token: secrets["a reviewer's token, mistyped"] });
    // What a parser says of it quotes what it cannot read.
    await say(`{"review":"${review}","token":${secretPart(made.reviewer.token)}}`);
    await say({ ...verdict, token: [made.reviewer.token] });
    await say({ ...verdict, token: made.reviewer.token });
    await expect
      .poll(() => published.slice(before).filter((one) => /^\{"ok":(true|false)/.test(one)).length)
      .toBe(4);
  });

  test("every path of the API and beside it is asked", async () => {
    const { paths } = parse(readFileSync(new URL("../../docs/openapi.yaml", import.meta.url), "utf8")) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const reviews = (await ask("/api/reviews?state=resolved,open", bearer())).json as {
      reviews: { review: string }[];
    };
    const places = Object.entries(paths)
      .filter(([path, methods]) => "get" in methods && path !== "/api/events")
      .map(([path]) => path.replace("{station}", "apparel").replace("{id}", reviews.reviews[0]!.review));
    for (const path of [...places, "/api/openapi.json", "/metrics", "/healthz", "/readyz", "/api/none"])
      await ask(path, bearer());
    expect(answeredPaths.filter((one) => one.startsWith("200 ")).length).toBeGreaterThan(12);
  });

  const bearer = (): Asked => ({ headers: { authorization: `Bearer ${made.api.token}` } });

  describe("are not told", () => {
    beforeAll(async () => {
      const { stdout, stderr } = await gateway.stop();
      logs.push(stdout, stderr);
    });

    test.each([
      ["in the log, at level debug", () => logs.join("\n"), "judging frames"],
      ["in what is published", () => published.join("\n"), '"ok":true'],
      ["in metrics and replies of the API", () => answered.join("\n"), "sekisho_frames_total"],
    ])("%s", (_, text, within) => {
      expect(text()).toContain(within);
      expect(toldBy(text(), secrets)).toEqual([]);
    });

    test("in the ledger's files", () => {
      const files = readdirSync(place.folder).filter((name) => name.startsWith("test.ledger"));
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) {
        const text = readFileSync(join(place.folder, file), "latin1");
        expect(toldBy(text, secrets), file).toEqual([]);
      }
    });

    test("but would be found if they were", () => {
      expect(toldBy(`password ${secrets["the broker's password"]!.slice(3, 12)}`, secrets)).toEqual([
        "the broker's password",
      ]);
      for (const secret of Object.values(secrets)) expect(secret.length).toBeGreaterThan(2 * TOLD);
    });
  });
});
