/** The broker as the publisher sees it: takes, refuses, loses messages or their answers, and goes away. */

import { permutation, type Random } from "../../src/core/random.ts";
import type { Message, Publisher, PublishFailed } from "../../src/gateway/ports.ts";
import { oneByOne } from "../support/world.ts";
import type { Journal } from "./journal.ts";
import { between, type Life, outlives, type VirtualTime } from "./life.ts";

export interface Outlet {
  isReachable: boolean;
  /** The broker says no to everything. */
  isRefusing: boolean;
  /** Answers are not sent, and all that is on the way is lost with the connection. */
  isMute: boolean;
  /** Alerts with their frames are too large for it. */
  isSmall: boolean;
  readonly pending: number;
  drop(): void;
  publisherFor(life: Life): Publisher;
}

export interface OutletOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly journal: Journal;
  /** Messages that may wait for their answer. */
  readonly pendingMax?: number;
  /** Called for each message tried, and for each that the broker has got, or has refused for good. */
  readonly onTried: (message: Message) => void;
  readonly onArrived: (message: Message, isTaken: boolean) => void;
}

type Failure = PublishFailed["failure"];

const PENDING_MAX = 800;

export function anOutlet(options: OutletOptions): Outlet {
  const { time, random, journal, pendingMax = PENDING_MAX, onTried, onArrived } = options;
  let pending = new Set<(failure?: Failure) => void>();
  let isConnected = false;
  let down: (() => void) | undefined;

  const outlet: Outlet = {
    isReachable: true,
    isRefusing: false,
    isMute: false,
    isSmall: false,
    get pending() {
      return pending.size;
    },
    drop: () => down?.(),
    publisherFor(life) {
      const clock = time.clockOf(life);
      const listeners: (() => void)[] = [];
      pending = new Set();
      isConnected = false;

      const connectLater = (): void => {
        clock.after(between(random, 5, 400), () => {
          if (isConnected) return;
          if (!outlet.isReachable) return connectLater();
          isConnected = true;
          journal.note("publisher-connected");
          for (const listener of listeners) listener();
        });
      };
      down = () => {
        if (!isConnected) return;
        isConnected = false;
        journal.note("publisher-lost", pending.size);
        // In any order: no answer may be taken to speak for another.
        const open = [...pending];
        for (const i of permutation(open.length, random)) outlives(() => open[i]!("lost"));
        connectLater();
      };
      connectLater();

      const send = (message: Message, answer: (failure?: Failure) => void): void => {
        // Lost on the way there, or taken and its answer lost on the way back: the sender cannot tell.
        const isLostOnTheWay = outlet.isMute && random.next() < 0.5;
        if (!isLostOnTheWay) onArrived(message, !outlet.isRefusing);
        if (outlet.isMute) return;
        const failure = outlet.isRefusing ? "refused" : undefined;
        clock.after(between(random, 0, 30), () => answer(failure));
      };
      const publisher: Publisher = {
        get connected() {
          return isConnected && life.alive;
        },
        onConnect: (listener) => void listeners.push(listener),
        publish(message, done) {
          life.passes("in-publish");
          onTried(message);
          const mine = pending;
          const answer = (failure?: Failure): void => {
            if (!mine.delete(answer) || !life.alive) return;
            if (failure === undefined) {
              done();
              return;
            }
            journal.note(`publish-${failure}`);
            done(Object.assign(new Error(failure), { failure }));
          };
          const isFull = mine.size >= pendingMax;
          mine.add(answer);
          if (!isConnected) return queueMicrotask(() => answer("offline"));
          if (isFull) return queueMicrotask(() => answer("full"));
          if (outlet.isSmall && String(message.payload).includes("frameInline"))
            return queueMicrotask(() => answer("unsendable"));
          send(message, answer);
        },
        publishAll: (messages, done) => oneByOne(publisher, messages, done),
      };
      return publisher;
    },
  };
  return outlet;
}
