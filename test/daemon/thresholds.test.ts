/** Thresholds changed over the API while a thousand frames a second flow, on a real mosquitto with real engines. */

import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeUsers } from "../../src/http/auth/users-file.ts";
import type { ThresholdsStanding } from "../../src/http/thresholds-schemas.ts";
import { formatJson } from "../../src/schema/format-json.ts";
import { Database } from "../../src/sqlite/database.ts";
import type { Thresholds } from "../../src/thresholds/file.ts";
import { envelopeOf, signThresholds } from "../../src/thresholds/signed.ts";
import {
  aConsumer,
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type Consumer,
  type GatewayFolder,
  MODELS,
  metric,
  type RunningGateway,
} from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { aPerson } from "../support/keys.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const TOKEN = "t".repeat(43);
const FRAMES_PER_SECOND = 1000;
const TICK_MS = 10;

describeWithMosquitto("thresholds changed while frames flow", () => {
  let broker: Mosquitto;
  let gateway: RunningGateway;
  let consumer: Consumer;
  let place: GatewayFolder;
  const [aki, ben] = [aPerson("aki"), aPerson("ben")];
  const keys = [aki.trusted, ben.trusted];
  const inFolder = (name: string): string => join(place.folder, name);
  const inFile = (): Thresholds => JSON.parse(readFileSync(inFolder("thresholds.json"), "utf8"));

  beforeAll(async () => {
    broker = await aMosquitto();
    consumer = await aConsumer(broker.url);
    place = aGatewayFolder(broker.url);
    const trust = [aki, ben].map(
      ({ publicFile, trusted }) => `    - { person: ${trusted.person}, file: "${publicFile}" }`,
    );
    const config = readFileSync(place.config, "utf8").replace("port: 0", "port: 0\n  usersFile: users.json");
    writeFileSync(place.config, `${config}trust:\n  keys:\n${trust.join("\n")}\n`);
    writeUsers(inFolder("users.json"), {
      users: [],
      tokens: [{ name: "office", role: "engineer", sha256: hash("sha256", TOKEN, "hex") }],
    });
    writeFileSync(inFolder("token"), TOKEN, { mode: 0o600 });
    const first: Thresholds = { ...inFile(), proposedBy: "aki", approvedBy: "aki" };
    const signed = signThresholds(signThresholds(first, aki.signing, keys), ben.signing, keys);
    writeFileSync(inFolder("thresholds.json"), formatJson(signed));
    gateway = await aGateway(place);
  }, 120_000);
  afterAll(async () => {
    await gateway?.stop();
    await consumer?.end();
    await broker?.stop();
  });

  const thresholds = (act: string, ...options: string[]) =>
    sekisho([
      ...["thresholds", act, "apparel", "--config", place.config, "--url", gateway.httpUrl],
      ...["--token-file", inFolder("token"), ...options],
    ]);

  test("no frame is lost, and none judged by a mixture of old and new", { timeout: 120_000 }, async () => {
    const { certificate } = JSON.parse(readFileSync(join(MODELS, "apparel", "envelope.json"), "utf8"));
    const grid: number[] = certificate.coarse.map((at: number) => certificate.lambdas[at]);
    const lambdas = [inFile().lambda!];
    const frames = await apparelFrames();
    const publisher = await connectAsync(broker.url, { protocolVersion: 5 });
    const decided = new Map<unknown, number>();
    let look = (): void => {};
    consumer.client.on("message", (topic, payload) => {
      if (!topic.includes("/decisions/")) return;
      const { frame, revision } = JSON.parse(payload.toString());
      decided.set(frame, revision);
      look();
    });
    let sent = 0;
    const published: Promise<unknown>[] = [];
    const begun = performance.now();
    const flow = setInterval(() => {
      // As many as are due: a late tick makes up for itself.
      const due = ((performance.now() - begun) * FRAMES_PER_SECOND) / 1000;
      for (; sent < due; sent++) {
        const frame = Buffer.from(frames[sent % frames.length]!);
        published.push(publisher.publishAsync(`apparel/cam-1/frames/f${sent}`, frame, { qos: 1 }));
      }
    }, TICK_MS);
    try {
      for (let revision = 2; revision <= 5; revision++) {
        const lambda = grid.filter((one) => one < lambdas.at(-1)!).at(-1)!;
        lambdas.push(lambda);
        const answer = await thresholds(
          "propose",
          "--lambda",
          String(lambda),
          "--why",
          "x",
          "--key",
          aki.privateFile,
        );
        expect([answer.status, answer.stderr]).toEqual([0, ""]);
        expect(answer.stdout).toMatch(`revision ${revision} is in force`);
      }
      expect((await thresholds("stop", "--why", "smoke", "--key", ben.privateFile)).status).toBe(0);
      const atStop = sent;
      await new Promise<void>((resolve) => {
        look = () => [...decided].some(([frame]) => Number(String(frame).slice(1)) > atStop) && resolve();
      });
    } finally {
      clearInterval(flow);
    }
    const seconds = (performance.now() - begun) / 1000;
    await Promise.all(published);
    await publisher.endAsync();
    await new Promise<void>((resolve) => {
      look = () => decided.size === sent && resolve();
      look();
    });

    const db = new Database(place.ledger, { readonly: true });
    const rows = db
      .prepare("SELECT frame, revision, lambda, decision, reason FROM decisions ORDER BY id")
      .all() as {
      frame: string;
      revision: number;
      lambda: number | null;
      decision: string;
      reason: string;
    }[];
    db.close();
    expect(new Set(rows.map(({ frame }) => frame)).size).toBe(sent);
    expect(rows).toHaveLength(sent);
    for (const { frame, revision, lambda, decision, reason } of rows) {
      expect(decided.get(frame)).toBe(revision);
      if (revision === 6) expect([lambda, decision, reason]).toEqual([null, "review", "stopped"]);
      // Null: a class that is always reviewed.
      else expect([revision, lambda]).toEqual([revision, lambda === null ? null : lambdas[revision - 1]]);
    }
    for (let revision = 1; revision <= 6; revision++) {
      expect(rows.filter((row) => row.revision === revision).length).toBeGreaterThan(0);
      const passes = rows.filter((row) => row.revision === revision && row.decision === "pass");
      expect(passes.length > 0).toBe(revision < 6);
    }
    // In the order in which they came into force, and never back.
    const order = rows.map(({ revision }) => revision);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    const metrics = await gateway.metrics();
    expect(metric(metrics, "sekisho_frames_total")).toBe(sent);
    process.stdout.write(`${sent} frames, ${Math.round(sent / seconds)} a second, through five changes\n`);
  });

  test("a stop publishes no bound; what is handed in again, or was changed, is refused and on record", async () => {
    const metrics = await gateway.metrics();
    expect(metric(metrics, "sekisho_certificate_risk_bound")).toBe(0);
    const { revision } = inFile();
    expect(revision).toBe(6);
    const send = async (document: object, token = TOKEN) => {
      const answer = await fetch(`${gateway.httpUrl}/api/stations/apparel/thresholds`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(document),
      });
      return [answer.status, await answer.json()];
    };
    expect(await send(inFile())).toEqual([
      200,
      expect.objectContaining({
        outcome: "refused",
        reasons: [expect.stringMatching(/6 was accepted already/)],
      }),
    ]);
    expect(await send({ ...inFile(), revision: 7 })).toEqual([
      200,
      expect.objectContaining({ reasons: [expect.stringMatching(/is not over this content/)] }),
    ]);
    expect((await send(inFile(), "x".repeat(43)))[0]).toBe(401);
    const log = await sekisho(["thresholds", "log", "apparel", "--config", place.config, "--verify"]);
    expect(log.stdout).toMatch(/refused 6: revision: 6 was accepted already/);
    const standing = await fetch(`${gateway.httpUrl}/api/stations/apparel/thresholds?limit=2`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const { log: newest, ...told } = (await standing.json()) as ThresholdsStanding;
    expect(told).toMatchObject({
      ...{ revision: 6, nextRevision: 7, base: inFile(), pending: null, signers: ["aki", "ben"] },
      next: newest[1]!.seq,
    });
    expect(newest.map(({ kind, revision: of }) => [kind, of])).toEqual([
      ["refused", 6],
      ["revision", 6],
    ]);
  });

  test("over MQTT they are DSSE envelopes of trusted persons, and nothing else", async () => {
    const client = await connectAsync(broker.url, { protocolVersion: 5 });
    await client.subscribeAsync("plant/office/answers", { qos: 1 });
    const ask = async (payload: object): Promise<Record<string, unknown>> => {
      const answer = new Promise<Record<string, unknown>>((resolve) => {
        client.once("message", (_, body) => resolve(JSON.parse(body.toString())));
      });
      await client.publishAsync("sekisho/test/request/thresholds", JSON.stringify(payload), {
        ...{ qos: 1, properties: { responseTopic: "plant/office/answers" } },
      });
      return answer;
    };
    const { signatures: _, ...rest } = inFile();
    const next: Thresholds = {
      ...rest,
      revision: 7,
      why: "still smoke",
      proposedBy: "aki",
      approvedBy: "aki",
    };
    const signed = envelopeOf(signThresholds(next, aki.signing, keys));
    expect(await ask(next)).toMatchObject({ outcome: "refused" });
    expect(
      await ask({
        ...signed,
        payload: Buffer.from(JSON.stringify({ ...next, alpha: 0.5 })).toString("base64"),
      }),
    ).toMatchObject({
      outcome: "refused",
      reasons: [expect.stringMatching(/not over this content/)],
    });
    expect(await ask({ ...signed, payloadType: "text/plain" })).toMatchObject({ outcome: "refused" });
    expect(inFile().revision).toBe(6);
    expect(await ask(signed)).toMatchObject({ outcome: "accepted", revision: 7, station: "apparel" });
    expect(inFile()).toMatchObject({ revision: 7, why: "still smoke", proposedBy: "aki", approvedBy: "aki" });
    // Heard again, as whoever listened may have it sent.
    expect(await ask(signed)).toMatchObject({ outcome: "refused" });
    await client.endAsync();
  });

  test("keys are read again at SIGHUP: who was added may sign, and what only a key answers for that is gone judges no more", async () => {
    const chie = aPerson("chie");
    const before = readFileSync(place.config, "utf8");
    const hers = `    - { person: chie, file: "${chie.publicFile}" }\n`;
    const stop = (person: typeof chie) => thresholds("stop", "--why", "a smell", "--key", person.privateFile);
    const reloaded = async (config: string, shows: RegExp): Promise<void> => {
      writeFileSync(place.config, config);
      gateway.process.kill("SIGHUP");
      await gateway.shows(shows);
    };
    const revisionIs = (wanted: number) =>
      consumer.waitFor(
        ({ topic, body }) => topic === "sekisho/test/stations/apparel" && body.revision === wanted,
      );

    writeFileSync(place.config, before + hers); // As the command reads it; the gateway has not yet.
    expect((await stop(chie)).status).not.toBe(0);
    await reloaded(before + hers, /"keys":\[[^\]]*chie[^\]]*\],"msg":"other keys are trusted"/);
    expect(await stop(chie)).toMatchObject({ status: 0, stderr: "" });
    await revisionIs(8);

    await reloaded(
      `${before}\n  - nonsense`,
      /the trusted keys could not be read again; those of before count/,
    );
    await reloaded(
      before.replace(/^trust:[\s\S]*/m, ""),
      /whether signatures are demanded changes at a restart/,
    );
    expect(inFile().revision).toBe(8);

    await reloaded(before, /revision 8 cannot be verified by the keys that are trusted now/);
    await revisionIs(0);
    expect((await stop(chie)).status).not.toBe(0);
    expect(await stop(aki)).toMatchObject({ status: 0, stderr: "" });
    await revisionIs(9);
  });
});
