/** Tells systemd how the daemon stands: ready, alive by its progress, reading again, stopping. */

import { execFile } from "node:child_process";
import type { Clock, Log } from "../gateway/ports.ts";

/** What the gateway has before it, and what it is done with. */
export interface Progress {
  /** Frames taken in wait, or are being judged. */
  readonly hasWork: boolean;
  /** Rises with every frame that is done with. */
  readonly done: number;
  /** What stands in the way, if it is known and tried again: to start anew would not help. */
  readonly trouble: string | undefined;
}

export interface ServiceManager {
  /** From now on it is told whether the daemon makes progress, if it wants to know; instead of what it was told by before. */
  ready(progress: () => Progress, status?: string): void;
  /** One line that `systemctl status` shows. */
  status(text: string): void;
  stopping(): void;
}

export interface ServiceManagerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Of the watchdog's time: two tellings may be late before systemd takes the daemon for hung. */
const TELLINGS_PER_WATCHDOG = 3;
const TELL_DEADLINE_MS = 5_000;

const SILENT: ServiceManager = { ready() {}, status() {}, stopping() {} };

/**
 * Speaks to systemd where it has started the daemon as a service of `Type=notify`; says nothing elsewhere. Node has no
 * datagram sockets of the local kind, so systemd's own program carries each message, a few a minute.
 */
export function serviceManager({ environment, clock, log }: ServiceManagerOptions): ServiceManager {
  const { NOTIFY_SOCKET, WATCHDOG_USEC } = environment;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === "") return SILENT;
  const watchdogMs = Number(WATCHDOG_USEC ?? 0) / 1000;
  let hasFailed = false;
  let cancelLook = (): void => {};
  /** Messages leave one after the other: the order is what they mean. */
  let last: Promise<void> = Promise.resolve();

  const tell = (...words: readonly string[]): void => {
    last = last.then(
      () =>
        new Promise((resolve) => {
          // Nothing of the daemon's own environment: it may name secrets.
          const options = { env: { NOTIFY_SOCKET, PATH: environment.PATH }, timeout: TELL_DEADLINE_MS };
          execFile("systemd-notify", words, options, (error) => {
            if (error !== null && !hasFailed) {
              hasFailed = true;
              log.error(
                { error: error.message },
                "systemd cannot be told how the daemon stands; install systemd-notify, or make the service Type=exec without WatchdogSec",
              );
            }
            resolve();
          });
        }),
    );
  };

  function watch(progress: () => Progress): void {
    let doneBefore = -1;
    const look = (): void => {
      const { hasWork, done, trouble } = progress();
      if (!hasWork || done !== doneBefore || trouble !== undefined) tell("WATCHDOG=1");
      else log.error({ done }, "frames wait and none is done with: systemd's watchdog is not fed");
      doneBefore = done;
      cancelLook = clock.after(watchdogMs / TELLINGS_PER_WATCHDOG, look);
    };
    look();
  }

  return {
    ready(progress, status = "judging frames") {
      cancelLook();
      tell("--ready", `--status=${status}`);
      if (watchdogMs > 0) watch(progress);
    },
    status: (text) => tell(`--status=${text}`),
    stopping() {
      cancelLook();
      tell("STOPPING=1", "--status=stopping: frames taken in are decided and published");
    },
  };
}
