/** kill -9 between the frames of parts, against a real mosquitto: each part is decided once, by all of its frames. */

import { connectAsync } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import { oneOf } from "../simulation/life.ts";
import { aConsumer, aGateway, apparelFrames } from "../support/apparel.ts";
import { startSekisho } from "../support/cli.ts";
import { aRealLedger } from "../support/ledger.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { aClientId } from "../support/mqtt.ts";
import { aPartsFolder, partRows } from "../support/parts-plant.ts";

const LONG = process.env.SEKISHO_SOAK === "1";
const PARTS = LONG ? 3000 : 300;
const KILLS = LONG ? 40 : 6;
const OPEN_AT_A_TIME = 12;
const WINDOW_SECONDS = 8;
const TIMEOUT_MS = LONG ? 1_800_000 : 240_000;

interface SentPart {
  readonly id: string;
  readonly count: number;
  readonly saysCount: boolean;
  /** One of its frames never comes. */
  readonly lacksOne: boolean;
  readonly hasReviewed: boolean;
  sent: number;
}

describeWithMosquitto("parts under kill -9", () => {
  test(
    `${KILLS} kills while ${PARTS} parts come in: one decision each, none open, none passed with a frame missing or failing`,
    async () => {
      const broker = await aMosquitto();
      onTestFinished(broker.stop);
      const place = aPartsFolder(broker.url, WINDOW_SECONDS);
      const random = seededRandom(21);
      const consumer = await aConsumer(broker.url);
      onTestFinished(() => consumer.end());
      let running = (await aGateway(place)) as Pick<ReturnType<typeof startSekisho>, "process" | "finished">;
      onTestFinished(() => void running.process.kill("SIGKILL"));
      const sensor = await connectAsync(broker.url, { protocolVersion: 5, clientId: aClientId() });
      onTestFinished(() => sensor.endAsync(true));

      const send = (frame: string, payload: Uint8Array, part?: SentPart): Promise<unknown> =>
        sensor.publishAsync(`apparel/cam-${1 + (frame.length % 2)}/frames/${frame}`, Buffer.from(payload), {
          qos: 1,
          ...(part !== undefined && {
            properties: {
              userProperties: {
                "part-id": part.id,
                ...(part.saysCount && { "part-count": String(part.count) }),
              },
            },
          }),
        });
      const [passing, reviewed] = await aPassingAndAReviewed(send, consumer);

      // Frames of several parts come mixed, so that a kill strikes between those of many.
      const parts: SentPart[] = [];
      let open: SentPart[] = [];
      let frames = 0;
      const killEvery = Math.ceil((PARTS * 2.5) / (KILLS + 1));
      let kills = 0;
      let killIn = -1;
      const heldAtKills: number[] = [];
      while (parts.length < PARTS || open.length > 0) {
        if (parts.length < PARTS && open.length < OPEN_AT_A_TIME) {
          const part = aPart(parts.length, random.next(), random.next(), random.next(), random.next());
          parts.push(part);
          open.push(part);
        }
        const part = oneOf(random, open);
        part.sent++;
        const isMissing = part.lacksOne && part.sent === part.count;
        const isBad = part.hasReviewed && part.sent === 1;
        if (!isMissing) await send(`${part.id}-${part.sent}`, isBad ? reviewed : passing, part);
        open = open.filter((one) => one.sent < one.count);
        if (++frames % killEvery === 0 && kills < KILLS) {
          // Behind it all that was sent so far is on disk; what follows is at any stage when the kill strikes.
          await send(`mark-${kills}`, passing);
          await consumer.waitFor(({ body }) => body.frame === `mark-${kills}`);
          killIn = Math.floor(random.next() * 20);
        }
        if (killIn-- === 0) {
          kills++;
          running.process.kill("SIGKILL");
          await running.finished;
          heldAtKills.push(partRows(place.ledger).filter(({ isOpen }) => isOpen === 1).length);
          running = startSekisho(["run", "--config", place.config]);
        }
      }
      const decided = new Set<unknown>();
      await consumer.waitFor(({ body }) => {
        if (body.frames !== undefined) decided.add(body.part);
        return decided.size === PARTS;
      });
      running.process.kill("SIGTERM");
      expect((await running.finished).status).toBe(0);
      expect(kills).toBe(KILLS);
      expect(Math.min(...heldAtKills)).toBeGreaterThan(0);

      const rows = partRows(place.ledger);
      let whole = 0;
      for (const part of parts) {
        const own = rows.filter((row) => row.part === part.id);
        const decisions = own.filter(({ frames }) => frames !== null);
        expect(decisions, part.id).toHaveLength(1);
        expect(own.filter(({ review }) => review !== null).length, part.id).toBeLessThanOrEqual(1);
        const held = own.filter(({ decision }) => decision === "held");
        expect(new Set(held.map(({ frame }) => frame)).size, part.id).toBe(held.length);
        expect(decisions[0]!.frames, part.id).toBe(held.length);
        // Of a part without a count one cannot tell that a frame is missing, but that it came late.
        const isLate = own.some(({ reason }) => reason === "late-frame");
        const mayPass = !part.hasReviewed && !(part.lacksOne && part.saysCount);
        if (!mayPass) expect(decisions[0]!.decision, part.id).toBe("review");
        else if (!isLate && held.length === part.count - Number(part.lacksOne)) {
          expect(decisions[0]!.decision, part.id).toBe("pass");
          whole++;
        }
        if (isLate)
          expect(
            own.filter(({ review }) => review !== null),
            part.id,
          ).toHaveLength(1);
      }
      expect(rows.filter(({ isOpen }) => isOpen === 1)).toEqual([]);
      process.stderr.write(
        `  ${KILLS} kills, ${PARTS} parts of ${frames} frames: ${whole} passed; ${rows.filter(({ reason }) => reason === "late-frame").length} frames came late; ${heldAtKills} frames were held at the kills\n`,
      );
      expect(whole).toBeGreaterThan(PARTS / 3);
      const ledger = aRealLedger({ path: place.ledger });
      expect(ledger.verifyChain()).toBeUndefined();
      ledger.close();
    },
    TIMEOUT_MS,
  );
});

function aPart(n: number, size: number, says: number, lacks: number, bad: number): SentPart {
  const count = 1 + Math.floor(size * 4);
  return {
    id: `part-${n}`,
    count,
    saysCount: says < 0.8,
    lacksOne: count > 1 && lacks < 0.1,
    hasReviewed: bad < 0.2,
    sent: 0,
  };
}

/** A frame that passes and one that goes to a person, found by asking. */
async function aPassingAndAReviewed(
  send: (frame: string, payload: Uint8Array) => Promise<unknown>,
  consumer: Awaited<ReturnType<typeof aConsumer>>,
): Promise<readonly [Uint8Array, Uint8Array]> {
  const frames = await apparelFrames();
  const found = new Map<unknown, Uint8Array>();
  for (let i = 0; found.size < 2; i++) {
    await send(`alone-${i}`, frames[i]!);
    const { body } = await consumer.waitFor(
      ({ topic, body }) => topic.includes("/decisions/") && body.frame === `alone-${i}`,
    );
    if (!found.has(body.decision)) found.set(body.decision, frames[i]!);
  }
  return [found.get("pass")!, found.get("review")!];
}
