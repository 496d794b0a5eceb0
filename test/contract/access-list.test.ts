/** The access list that is shipped, on a real mosquitto with client certificates: each may do what it is for, and no more. */

import { readFileSync } from "node:fs";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aMosquitto, describeWithMosquitto, freePort, type Mosquitto } from "../support/mosquitto.ts";
import { aCertificate, anAuthority } from "../support/pki.ts";

const LIST = readFileSync(new URL("../../docs/mosquitto.acl", import.meta.url));
/** Those whom the list knows, and one whom the authority alone does. */
const PEOPLE = ["gateway-1", "cam-1", "hanako", "teacher-1", "mallory"] as const;
type Name = (typeof PEOPLE)[number];

const TOPICS = {
  frames: "apparel/cam-1/frames/f1",
  others: "apparel/cam-2/frames/f1",
  state: "sekisho/gateway-1/state",
  station: "sekisho/gateway-1/stations/apparel",
  decisions: "sekisho/gateway-1/decisions/apparel/cam-1",
  reviews: "sekisho/gateway-1/reviews/apparel",
  verdict: "sekisho/gateway-1/verdicts/hanako",
  anothers: "sekisho/gateway-1/verdicts/taro",
  response: "sekisho/gateway-1/response/verdict",
  request: "sekisho/gateway-1/request/thresholds",
  question: "sekisho/gateway-1/teacher/request",
  answer: "sekisho/gateway-1/teacher/response",
  elsewhere: "sekisho/gateway-2/reviews/apparel",
} as const;
type Topic = keyof typeof TOPICS;

/** What each may write and hear; all else is denied. */
const MAY: Readonly<Record<Name, { readonly write: readonly Topic[]; readonly hear: readonly Topic[] }>> = {
  "gateway-1": {
    // Its own base is one line of the list; that it answers nobody's reviews itself is the program's to keep.
    write: [
      "state",
      "station",
      "decisions",
      "reviews",
      "verdict",
      "anothers",
      "response",
      "request",
      "question",
      "answer",
    ],
    hear: ["frames", "others", "verdict", "anothers", "request", "answer"],
  },
  "cam-1": { write: ["frames"], hear: ["decisions"] },
  hanako: { write: ["verdict"], hear: ["state", "station", "reviews", "response"] },
  "teacher-1": { write: ["answer"], hear: ["question"] },
  mallory: { write: [], hear: [] },
};

const NOT_AUTHORIZED = 135;

describeWithMosquitto("the access list that is shipped", () => {
  let broker: Mosquitto;
  /** Added to the list by the test: it may say everything. */
  let plant: MqttClient;
  let connect: (name: string) => Promise<MqttClient>;
  const clients = {} as Record<Name, MqttClient>;
  const heard = Object.fromEntries(PEOPLE.map((name) => [name, new Set<string>()])) as Record<
    Name,
    Set<string>
  >;

  beforeAll(async () => {
    const authority = anAuthority("Plant CA");
    const own = aCertificate("localhost", { by: authority });
    const port = await freePort();
    broker = await aMosquitto({
      files: {
        acl: `${LIST}\nuser plant\ntopic readwrite #\n`,
        "ca.crt": authority.crt,
        "own.crt": own.crt,
        "own.key": own.key,
      },
      extraConfig: [
        ...[`listener ${port} 127.0.0.1`, "acl_file DIR/acl"],
        ...["cafile DIR/ca.crt", "certfile DIR/own.crt", "keyfile DIR/own.key"],
        ...["require_certificate true", "use_identity_as_username true", "allow_anonymous false"],
      ].join("\n"),
    });
    const certificates = new Map(
      [...PEOPLE, "plant"].map((name) => [name, aCertificate(name, { by: authority })]),
    );
    connect = (name) => {
      const { crt: cert, key } = certificates.get(name)!;
      const options = { protocolVersion: 5, ca: authority.crt, cert, key, reconnectPeriod: 0 } as const;
      // mosquitto listens on the one loopback address, of the two that the name has.
      return connectAsync(`mqtts://localhost:${port}`, { ...options, family: 4 } as object);
    };
    plant = await connect("plant");
    for (const name of PEOPLE) {
      clients[name] = await connect(name);
      clients[name].on("message", (topic) => void heard[name].add(topic));
      await clients[name].subscribeAsync("#", { qos: 1 }).catch(() => {}); // It may be denied as a whole.
      for (const topic of Object.values(TOPICS))
        await clients[name].subscribeAsync(topic, { qos: 1 }).catch(() => {});
    }
  });
  afterAll(async () => {
    for (const client of [plant, ...Object.values(clients)]) await client?.endAsync(true);
    await broker?.stop();
  });

  test.each(PEOPLE)("lets %s publish what it is for, and nothing else", async (name) => {
    const taken: string[] = [];
    for (const [topic, path] of Object.entries(TOPICS)) {
      // Each on a connection of its own: mosquitto 2.0.11 ends one on which it has denied something.
      const client = await connect(name);
      try {
        await client.publishAsync(path, "{}", { qos: 1 });
        taken.push(topic);
      } catch (error) {
        expect((error as { code?: number }).code).toBe(NOT_AUTHORIZED);
      } finally {
        await client.endAsync(true);
      }
    }
    expect(taken.sort()).toEqual([...MAY[name].write].sort());
  });

  describe("with everything said by a plant that may", () => {
    beforeAll(async () => {
      for (const topic of Object.values(TOPICS)) await plant.publishAsync(topic, "{}", { qos: 1 });
      // A broker delivers in order: who has the answer to this has all that came before.
      for (const name of PEOPLE) await clients[name].unsubscribeAsync("nothing");
    });

    test.each(PEOPLE)("lets %s hear what it is for, and nothing else", async (name) => {
      const expected = MAY[name].hear.map((topic) => TOPICS[topic] as string);
      expect([...heard[name]].sort()).toEqual(expected.sort());
    });
  });
});
