/** The HTTP API of the whole gateway in its own process: over TLS, on a real mosquitto, with the real bundle. */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { get, type RequestOptions, request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newToken } from "../../src/http/auth/token.ts";
import { writeUsers } from "../../src/http/auth/users-file.ts";
import { Database } from "../../src/sqlite/database.ts";
import {
  aConsumer,
  aGateway,
  aGatewayFolder,
  apparelFrames,
  type Consumer,
  type GatewayFolder,
  type RunningGateway,
} from "../support/apparel.ts";
import { sekisho } from "../support/cli.ts";
import { someBytes } from "../support/http.ts";
import { aMosquitto, describeWithMosquitto, type Mosquitto } from "../support/mosquitto.ts";

describeWithMosquitto("the API of a gateway on mosquitto, over TLS", () => {
  const { token, sha256 } = newToken(someBytes());
  let broker: Mosquitto;
  let place: GatewayFolder;
  let gateway: RunningGateway;
  let consumer: Consumer;
  let ca: Buffer;

  beforeAll(async () => {
    broker = await aMosquitto();
    place = aGatewayFolder(broker.url);
    ca = aCertificate(place.folder);
    writeUsers(inFolder("users.json"), {
      users: [],
      tokens: [{ name: "line-3", role: "reviewer", sha256 }],
    });
    const http = "  usersFile: users.json\n  tls: {certFile: cert.pem, keyFile: key.pem}\n";
    writeFileSync(place.config, readFileSync(place.config, "utf8") + http);
    writeFileSync(inFolder("token"), token, { mode: 0o600 });
    consumer = await aConsumer(broker.url);
    gateway = await aGateway(place);
  });
  afterAll(async () => {
    await gateway?.stop();
    await consumer?.end();
    await broker?.stop();
  });

  const inFolder = (name: string): string => join(place.folder, name);
  const options = (is: RequestOptions = {}): RequestOptions => ({
    ca,
    agent: false,
    ...is,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  });

  function ask(path: string, body?: object): Promise<{ status: number; bytes: Buffer }> {
    return new Promise((resolve, reject) => {
      const method = body === undefined ? "GET" : "POST";
      const asked = request(`${gateway.httpUrl}${path}`, options({ method }), (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode!, bytes: Buffer.concat(chunks) }));
      });
      asked.on("error", reject).end(body && JSON.stringify(body));
    });
  }
  const json = async (path: string, body?: object) => JSON.parse((await ask(path, body)).bytes.toString());

  const atTerminal = (...args: string[]) => {
    const place = [
      "--url",
      gateway.httpUrl,
      "--ca-file",
      inFolder("cert.pem"),
      "--token-file",
      inFolder("token"),
    ];
    return sekisho(["review", ...args, ...place]);
  };

  test("a review is seen, claimed and answered by a token, another at a terminal; broker, ledger and metrics have it; a listener holds up no stop", async () => {
    const events: string[] = [];
    const listener = get(`${gateway.httpUrl}/api/events`, options(), (response) => {
      response.setEncoding("utf8").on("data", (text: string) => events.push(text));
      response.on("error", () => {}); // Cut off when the gateway stops.
    });
    listener.on("error", () => {});
    await expect.poll(() => events.join("")).toContain('"openReviews":0');

    const frames = await apparelFrames();
    const open = consumer.waitFor(
      ({ topic, body }) => topic.endsWith("/reviews/apparel") && body.type === "open",
    );
    for (const [i, frame] of frames.slice(0, 100).entries())
      await consumer.client.publishAsync(`apparel/cam-1/frames/f-${i}`, Buffer.from(frame), { qos: 1 });
    const { review, frame, frameLink, class: saidClass } = (await open).body as Record<string, string>;
    const path = `/api/reviews/${review}`;

    expect(await json(path)).toMatchObject({
      review,
      frame,
      class: saidClass,
      state: "open",
      hasFrame: true,
    });
    // The port is the system's here, and the link a path.
    expect((await ask(frameLink!)).bytes).toEqual(Buffer.from(frames[Number(frame!.slice(2))]!));
    expect(await json(`${path}/frame-spec`)).toMatchObject({ frame: { kind: "image", shape: [28, 28, 1] } });
    const view = await json(`${path}/view`);
    expect(view).toMatchObject({ picture: { image: "frame-view.png", width: 28, height: 28 } });
    expect(view.student[0].class).toBe(saidClass);
    expect(view.student).toHaveLength(10);
    expect(view.neighbours.map((one: { class: string }) => one.class)).toEqual(
      [0, 0, 0, 1, 1, 1].map((rank) => view.student[rank].class),
    );
    expect((await ask(`${path}/neighbours/5`)).bytes.subarray(1, 4).toString()).toBe("PNG");
    expect((await ask(`${path}/frame-view.png`)).bytes.subarray(1, 4).toString()).toBe("PNG");
    const { reviewRevision: seen } = await json(path);
    const { reviewRevision } = await json(`${path}/claim`, { reviewRevision: seen });
    expect(await json(`${path}/verdict`, { reviewRevision, verdict: "confirm" })).toMatchObject({
      state: "resolved",
    });

    const closed = await consumer.waitFor(({ body }) => body.type === "close" && body.review === review);
    expect(closed.body).toMatchObject({ verdict: "confirm", reviewer: "line-3", vouched: true });
    await expect
      .poll(() => events.join(""))
      .toMatch(new RegExp(`"type":"close".*"${review}"|"${review}".*"type":"close"`));
    const { decisions } = await json("/api/decisions?source=cam-1&decision=review&limit=500");
    expect(decisions.map((one: { frame: string }) => one.frame)).toContain(frame);
    expect((await ask("/metrics")).bytes.toString()).toContain(
      'sekisho_verdicts_total{station="apparel",verdict="confirm"} 1',
    );

    const [other] = (await json("/api/reviews?limit=1")).reviews;
    const shown = await atTerminal("show", other.review);
    expect(shown.stdout).toContain(other.text.slice(0, 40));
    expect(shown.stdout).toMatch(/\n\n(?:[ .:\-=+*#%@]{28}\n){14}$/); // Two rows of its pixels in each line.
    expect((await atTerminal("resolve", other.review, "unusable")).stdout).toBe(
      `${other.review} is resolved: unusable\n`,
    );
    await consumer.waitFor(({ body }) => body.type === "close" && body.review === other.review);

    const { status } = await gateway.stop();
    expect(status).toBe(0);
    const db = new Database(place.ledger, { readonly: true });
    const acts = db.prepare(
      "SELECT person, via, vouched, verdict FROM review_events WHERE review = ? AND person IS NOT NULL ORDER BY seq",
    );
    expect(acts.all(review)).toEqual([
      { person: "line-3", via: "http", vouched: 1, verdict: null },
      { person: "line-3", via: "http", vouched: 1, verdict: "confirm" },
    ]);
    db.close();
  });
});

/** Makes cert.pem and key.pem for 127.0.0.1. */
function aCertificate(folder: string): Buffer {
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    [
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ],
      ...["-subj", "/CN=gateway", "-addext", "subjectAltName=IP:127.0.0.1", ...files],
    ],
    { stdio: "pipe" },
  );
  return readFileSync(join(folder, "cert.pem"));
}
