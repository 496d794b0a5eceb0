/**
 * A gateway's own teacher: a child process of the lowest priority, asked one audit at a time while no frame waits. To
 * those who ask, it looks like a teacher on the broker.
 */

import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { constants, setPriority } from "node:os";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { CHANNEL_FD } from "../../engine/channel.ts";
import { captureOutput } from "../../engine/child-output.ts";
import { createParser } from "../../engine/message-parser.ts";
import type { AuditingOptions } from "../../gateway/auditing.ts";
import type { Delivery, Log, PublishFailed } from "../../gateway/ports.ts";
import { framed, IDLE_MESSAGE_BYTES_MAX } from "./idle-channel.ts";

const MODULE = fileURLToPath(new URL("./idle-main.js", import.meta.url));

/** A frame at hand may take its teacher so long. */
const END_TIMEOUT_MS = 2000;

export interface IdleTeacherOptions {
  /** Bundles that audits may be of, by digest, with their folders. */
  readonly bundles: () => readonly { readonly digest: string; readonly folder: string }[];
  /** Whether no frame waits. */
  readonly isIdle: () => boolean;
  readonly log: Log;
}

interface Running {
  /** Digests of the bundles that it was started with. */
  readonly of: string;
  readonly child: ChildProcess;
  readonly channel: Socket;
  readonly ended: Promise<void>;
}

/** Its process is started with the first question, and anew where it ended or the bundles are others. */
export function createIdleTeacher({ bundles, isIdle, log }: IdleTeacherOptions) {
  let running: Running | undefined;
  let deliver: ((delivery: Delivery) => void) | undefined;

  function start(of: string, folders: readonly string[]): Running {
    const child = spawn(execPath, [MODULE], {
      // Nothing of the gateway's own environment, which may hold credentials.
      env: { UV_THREADPOOL_SIZE: "1" },
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    lower(child.pid);
    const channel = child.stdio[CHANNEL_FD] as Socket;
    const parser = createParser({
      bodyBytesMax: IDLE_MESSAGE_BYTES_MAX,
      onBody: (body) => deliver?.(deliveryOf(Buffer.from(body))),
    });
    channel.on("data", (chunk: Buffer) => {
      try {
        parser.push(chunk);
      } catch (error) {
        log.error({ error: (error as Error).message }, "the idle teacher made no sense");
        child.kill("SIGKILL");
        channel.destroy();
      }
    });
    // An error is followed by the child's end, which says more.
    channel.on("error", () => {});
    captureOutput([child.stderr], (line) => log.warn({ line }, "the idle teacher says"));
    const ended = new Promise<void>((resolve) => {
      const end = (how: unknown): void => {
        if (running?.child === child) {
          running = undefined;
          log.warn(
            { how: String(how) },
            "the idle teacher ended; it is started again with the next question",
          );
        }
        resolve();
      };
      child.once("error", end);
      child.once("close", (code, signal) => end(signal ?? `exit status ${code}`));
    });
    channel.write(framed(Buffer.from(JSON.stringify(folders))));
    return { of, child, channel, ended };
  }

  /** It ends when its channel does, with its decoder; what it has not answered is asked again. */
  async function end(): Promise<void> {
    const last = running;
    running = undefined;
    if (last === undefined) return;
    last.channel.end();
    const timer = setTimeout(() => last.child.kill("SIGKILL"), END_TIMEOUT_MS);
    await last.ended;
    clearTimeout(timer);
  }

  const publisher: AuditingOptions["publisher"] = {
    get connected() {
      return deliver !== undefined && isIdle();
    },
    publish({ payload }, done) {
      const present = bundles();
      const of = present.map(({ digest }) => digest).join(" ");
      if (running !== undefined && running.of !== of) void end();
      running ??= start(
        of,
        present.map(({ folder }) => folder),
      );
      running.channel.write(framed(Buffer.from(payload)), (error) => done(error ? lost(error) : undefined));
    },
  };
  const replies: AuditingOptions["replies"] = {
    async start(onDelivery) {
      deliver = onDelivery;
    },
    acknowledge() {},
  };
  return {
    publisher,
    replies,
    async close(): Promise<void> {
      deliver = undefined;
      await end();
    },
  };
}

/** Before it has loaded anything. */
function lower(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, which is told by its end.
  }
}

function lost(error: Error): PublishFailed {
  return Object.assign(error, { failure: "lost" as const });
}

function deliveryOf(payload: Uint8Array): Delivery {
  return {
    ...{ ticket: 0, topic: "", payload, contentType: undefined, correlation: undefined },
    ...{ frameId: undefined, partId: undefined, partCount: undefined, qos: 1, receivedAtMs: 0 },
  };
}
