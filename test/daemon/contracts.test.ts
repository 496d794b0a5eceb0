/** What a running gateway says on a real broker is what docs/asyncapi.yaml tells its neighbours, message by message. */

import { hash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeUsers } from "../../src/http/auth/users-file.ts";
import { baseTopics } from "../../src/mqtt/topics.ts";
import { formatJson } from "../../src/schema/format-json.ts";
import type { Thresholds } from "../../src/thresholds/file.ts";
import { envelopeOf, signThresholds } from "../../src/thresholds/signed.ts";
import {
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type GatewayFolder,
  MODELS,
  type RunningGateway,
} from "../support/apparel.ts";
import { type AsyncContract, asyncContract } from "../support/async-contract.ts";
import { type Started, startSekisho } from "../support/cli.ts";
import { aPerson } from "../support/keys.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

const TOKEN = "t".repeat(43);
const AUDIT_RATE = 0.5;
const FRAMES_MAX = 400;

interface Captured {
  readonly topic: string;
  // biome-ignore lint/suspicious/noExplicitAny: what it is, is what is tested.
  readonly body: any;
  readonly qos: number;
  readonly retain: boolean;
}

describeWithMosquitto("the contract over MQTT", () => {
  const topics = baseTopics("test");
  const [aki, ben] = [aPerson("aki"), aPerson("ben")];
  const keys = [aki.trusted, ben.trusted];
  const captured: Captured[] = [];
  const waiting = new Set<() => void>();
  let contract: AsyncContract;
  let broker: Mosquitto;
  let client: MqttClient;
  let place: GatewayFolder;
  let gateway: RunningGateway;
  let inShadow: RunningGateway;
  let worker: Started;
  let frames: readonly Uint8Array[];
  let sent = 0;

  const inFile = (): Thresholds => JSON.parse(readFileSync(join(place.folder, "thresholds.json"), "utf8"));

  /** The first message for which this holds, of those from a place in the order on. */
  function heard(is: (one: Captured) => boolean, from = 0): Promise<Captured> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = captured.slice(from).find(is);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  }

  async function publish(topic: string, body: object | Buffer): Promise<number> {
    const from = captured.length;
    await client.publishAsync(topic, Buffer.isBuffer(body) ? body : JSON.stringify(body), { qos: 1 });
    return from;
  }

  /** Sends frames until one comes out as asked for. */
  async function frameThat(is: (decision: Captured["body"]) => boolean): Promise<Captured["body"]> {
    for (; sent < FRAMES_MAX; ) {
      const frame = `f${sent}`;
      await publish(`apparel/cam-1/frames/${frame}`, Buffer.from(frames[sent++]!));
      const { body } = await heard((one) => one.topic.includes("/decisions/") && one.body.frame === frame);
      if (is(body)) return body;
    }
    throw new Error(`none of ${FRAMES_MAX} frames`);
  }

  beforeAll(async () => {
    contract = asyncContract();
    frames = await apparelFrames();
    broker = await aMosquitto();
    client = await connectAsync(broker.url, { protocolVersion: 5 });
    client.on("message", (topic, payload, { qos, retain }) => {
      captured.push({ topic, body: JSON.parse(payload.toString()), qos, retain });
      for (const look of waiting) look();
    });
    await client.subscribeAsync("sekisho/#", { qos: 1, rap: true });
    place = aGatewayFolder(broker.url, "auto", {
      review: ["alertsPerHour: 1000", "coalesceSeconds: 1", "brokerVouches: true"],
      audits: ["teacher: broker", "askAgainSeconds: 1"],
    });
    const trust = [aki, ben].map(
      ({ publicFile, trusted }) => `    - { person: ${trusted.person}, file: "${publicFile}" }`,
    );
    const config = readFileSync(place.config, "utf8").replace("port: 0", "port: 0\n  usersFile: users.json");
    writeFileSync(place.config, `${config}trust:\n  keys:\n${trust.join("\n")}\n`);
    const tokens = [{ name: "office", role: "reviewer" as const, sha256: hash("sha256", TOKEN, "hex") }];
    writeUsers(join(place.folder, "users.json"), { users: [], tokens });
    const first: Thresholds = { ...inFile(), auditRate: AUDIT_RATE, proposedBy: "aki", approvedBy: "aki" };
    const signed = signThresholds(signThresholds(first, aki.signing, keys), ben.signing, keys);
    writeFileSync(join(place.folder, "thresholds.json"), formatJson(signed));
    gateway = await aGateway(place);
    inShadow = await aGateway(
      aGatewayFolder(broker.url, "auto", { gateway: "other", thresholds: { mode: "shadow" } }),
    );
    worker = startSekisho(["teacher", `${MODELS}/apparel`, "--broker", broker.url, "--json"]);
    await worker.shows('"msg":"answering"');
  }, 120_000);
  afterAll(async () => {
    worker?.process.kill("SIGKILL");
    await inShadow?.stop();
    gateway?.process.kill("SIGKILL");
    await client?.endAsync();
    await broker?.stop();
  });

  test("frames, parts, reviews, audits and a teacher", async () => {
    await frameThat(({ decision }) => decision === "pass");
    await frameThat(({ decision }) => decision === "review");
    await publish("apparel/cam-2/frames/bad", Buffer.from("too short"));
    await heard(({ body }) => body.decision === "reject");
    for (const id of ["p-1", "p-2"]) {
      const properties = { userProperties: { "part-id": "p", "part-count": "2" } };
      const payload = Buffer.from(frames[0]!);
      await client.publishAsync(`apparel/cam-2/frames/${id}`, payload, { qos: 1, properties });
    }
    await heard(({ body }) => body.part === "p" && body.frames === 2);
    await heard(({ body }) => typeof body.would === "string");

    // Of the first that opened: a later one may stand behind its alert.
    const open = await heard(
      ({ topic, body }) =>
        topic === topics.reviews("apparel") && body.type === "open" && body.reason !== "audit",
    );
    const claim = await fetch(`${gateway.httpUrl}/api/reviews/${open.body.review}/claim`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ reviewRevision: open.body.reviewRevision }),
    });
    expect(claim.status).toBe(200);
    await heard(({ body }) => body.type === "update" && body.claimedBy === "office");

    await frameThat(() => captured.some(({ body }) => body.type === "open" && body.reason === "audit"));
    const audit = await heard(({ body }) => body.type === "open" && body.reason === "audit");
    const passed = await heard(
      ({ topic, body }) => topic.includes("/decisions/") && body.frame === audit.body.frame,
    );
    const verdict = {
      ...{ review: audit.body.review, reviewRevision: audit.body.reviewRevision, verdict: "label" },
      class: passed.body.class === "bag" ? "coat" : "bag",
    };
    const from = await publish("sekisho/test/verdicts/hanako", verdict);
    await heard(({ topic, body }) => topic === topics.response("verdict") && body.ok === true, from);
    await heard(({ body }) => body.type === "close", from);
    await heard(({ body }) => body.type === "alarm", from);
    const again = await publish("sekisho/test/verdicts/hanako", { ...verdict, review: "r-none" });
    await heard(({ topic, body }) => topic === topics.response("verdict") && body.ok === false, again);
    await heard(({ topic, body }) => topic === topics.teacherResponse && body.answer !== undefined);
  });

  test("thresholds, taken and refused", async () => {
    const { signatures: _, ...rest } = inFile();
    const next: Thresholds = {
      ...rest,
      revision: 2,
      why: "less light",
      proposedBy: "aki",
      approvedBy: "aki",
    };
    const request = topics.request.replace("+", "thresholds");
    const answer = async (document: object): Promise<Captured["body"]> => {
      const from = await publish(request, document);
      return (await heard(({ topic }) => topic === topics.response("thresholds"), from)).body;
    };
    const sign = (document: Thresholds) => envelopeOf(signThresholds(document, aki.signing, keys));
    expect(await answer({ mood: "good" })).toMatchObject({ outcome: "refused" });
    expect(await answer(sign({ ...next, alpha: 0.5 }))).toMatchObject({ station: "apparel" });
    const { certificate } = JSON.parse(readFileSync(join(MODELS, "apparel", "envelope.json"), "utf8"));
    const lambda = certificate.lambdas[certificate.coarse[0]];
    const unproven = { ...next, lambda, certified: false };
    expect(await answer(sign(unproven))).toMatchObject({ outcome: "accepted", certified: false });
    await heard(({ body }) => body.type === "thresholds");
    const stop = { ...next, revision: 3, lambda: null, classes: [] };
    expect(await answer(sign(stop))).toMatchObject({ outcome: "accepted" });
  });

  test("its end by a kill, a ledger that is damaged then, and its end in good order", async () => {
    let from = captured.length;
    gateway.process.kill("SIGKILL");
    if (gateway.process.exitCode === null && gateway.process.signalCode === null)
      await once(gateway.process, "exit");
    await heard(({ body }) => body.state === "offline", from);
    writeFileSync(place.ledger, Buffer.alloc(65_536, "no ledger"));
    from = captured.length;
    gateway = await aGateway(place);
    await heard(({ body }) => body.ledgersSetAside !== undefined, from);
    await heard(({ body }) => body.type === "monitor" && body.state === "red", from);
    await gateway.stop();
    await heard(({ topic, body }) => topic === topics.state && body.state === "stopped", from);
  });

  describe("of all this", () => {
    /** What we ourselves said wrong, and said so. */
    const isOurs = ({ body }: Captured): boolean => body.mood !== undefined;

    test("every message is one that the document has, and only one", () => {
      const problems = captured
        .filter((one) => !isOurs(one))
        .map((one) => contract.recognise(one.topic, one.body));
      expect(problems.filter((one) => "problem" in one)).toEqual([]);
      expect(captured.filter(isOurs).map((one) => contract.recognise(one.topic, one.body))).toEqual([
        { problem: expect.stringContaining("thresholdsRequest") },
      ]);
    });

    test("every kind of message that the document says it sends was there", () => {
      const kinds = captured.map((one) => contract.recognise(one.topic, one.body));
      const seen = new Set(kinds.flatMap((one) => ("message" in one ? [one.message] : [])));
      expect(contract.sent.filter((kind) => !seen.has(kind))).toEqual([]);
      expect(contract.sent.length).toBeGreaterThan(10);
    });

    test("each came at the QoS that the document says, and was retained where it says so", () => {
      for (const { topic, qos, retain } of captured) {
        const said = contract.deliveryOf(contract.channelOf(topic)!);
        expect({ topic, qos, retain }).toEqual({ topic, qos: said.qos, retain: said.retain ?? false });
      }
    });

    test("none would be taken with a member more, or with one of them less", () => {
      for (const kind of contract.sent) {
        const one = captured.find(({ topic, body }) => {
          const found = contract.recognise(topic, body);
          return "message" in found && found.message === kind;
        })!;
        expect(contract.recognise(one.topic, { ...one.body, mood: "good" }), kind).toHaveProperty("problem");
        expect(contract.recognise(one.topic, {}), kind).toHaveProperty("problem");
      }
    });
  });
});
