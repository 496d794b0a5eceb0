/** The daemon as a service of systemd: what its unit grants, and what systemd is told. */

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { type Progress, serviceManager } from "../../src/commands/service-manager.ts";
import { aGatewayFolder } from "../support/apparel.ts";
import { startSekisho } from "../support/cli.ts";
import { aMosquitto, describeWithMosquitto } from "../support/mosquitto.ts";
import { aNotifySocket, describeWithSystemd } from "../support/systemd.ts";

const UNITS = fileURLToPath(new URL("../../systemd", import.meta.url));
const EXPOSURE_MAX = 1.5;

describeWithSystemd("the unit files", () => {
  test.each(["sekisho.service", "sekisho@.service"])("%s is clean, and grants little", (unit) => {
    const folder = mkdtempSync(join(tmpdir(), "sekisho-units-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    cpSync(UNITS, folder, { recursive: true });
    const file = join(folder, unit.replace("@", "@line1"));
    // The program and its page come with the package; all else is looked at as it is.
    const text = readFileSync(join(folder, unit), "utf8")
      .replaceAll("/usr/bin/sekisho", "/bin/true")
      .replace(/^Documentation=.*$/m, "");
    writeFileSync(file, text);
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
    expect(verified.stderr).toBe("");
    expect(verified.status).toBe(0);

    const judged = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", file], {
      encoding: "utf8",
    });
    const exposure = Number(/exposure level for \S+: ([0-9.]+)/.exec(judged.stdout)?.[1]);
    expect(exposure).toBeLessThanOrEqual(EXPOSURE_MAX);
  });
});

test.each(["sekisho.service", "sekisho@.service"])(
  "%s starts at most six times a minute, for ever",
  (unit) => {
    const text = readFileSync(join(UNITS, unit), "utf8");
    const settings = text.split("\n").filter((line) => /^(Restart|StartLimit)/.test(line));
    // A systemd that knows RestartSteps has no use for it: ten seconds are what a frame at the broker can wait for.
    expect(settings.sort()).toEqual([
      "Restart=always",
      "RestartPreventExitStatus=2",
      "RestartSec=10",
      "StartLimitIntervalSec=0",
    ]);
  },
);

describeWithSystemd("what systemd is told", () => {
  /** A gateway's progress that a test sets, looked at every third of this watchdog's time. */
  async function watched(first: Progress) {
    const socket = await aNotifySocket();
    onTestFinished(socket.close);
    let progress = first;
    let look: (() => void) | undefined;
    const errors: string[] = [];
    const log = { debug() {}, info() {}, warn() {}, error: (_: object, text: string) => errors.push(text) };
    const manager = serviceManager({
      environment: { PATH: process.env.PATH, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "60000000" },
      clock: {
        nowMs: () => 0,
        monotonicMs: () => 0,
        after(ms, call) {
          expect(ms).toBe(20_000);
          look = call;
          return () => {
            look = undefined;
          };
        },
      },
      log,
    });
    manager.ready(() => progress);
    return {
      socket,
      manager,
      errors,
      isWatching: () => look !== undefined,
      lookAt(next: Progress) {
        progress = next;
        look?.();
      },
    };
  }
  const IDLE: Progress = { hasWork: false, done: 0, trouble: undefined };
  const isFed = (line: string): boolean => line === "WATCHDOG=1";

  test("the watchdog is fed while idle, while frames are decided, and while the trouble is known", async () => {
    const { socket, lookAt, errors } = await watched(IDLE);
    lookAt({ hasWork: true, done: 5, trouble: undefined });
    lookAt({ hasWork: true, done: 5, trouble: "the ledger cannot be written" });
    await socket.told.count(3, isFed);
    expect(socket.told.all.slice(0, 2)).toEqual(["READY=1", "STATUS=judging frames"]);
    expect(errors).toEqual([]);
  });

  test("it is not fed while frames wait and none is decided", async () => {
    const { socket, manager, lookAt, errors } = await watched(IDLE);
    lookAt({ hasWork: true, done: 5, trouble: undefined });
    lookAt({ hasWork: true, done: 5, trouble: undefined });
    expect(errors).toEqual([expect.stringContaining("watchdog is not fed")]);
    manager.stopping(); // Behind all that was told before.
    await socket.told.first((line) => line === "STOPPING=1");
    expect(socket.told.all.filter(isFed)).toHaveLength(2);
  });

  test("after the word that it stops it is watched no more: a timer would hold up its end", async () => {
    const { manager, isWatching } = await watched(IDLE);
    expect(isWatching()).toBe(true);
    manager.stopping();
    expect(isWatching()).toBe(false);
  });

  test("where systemd-notify is missing the log says so once, and the gateway goes on", async () => {
    const errors: string[] = [];
    let said: (() => void) | undefined;
    const heard = new Promise<void>((resolve) => {
      said = resolve;
    });
    const log = {
      ...{ debug() {}, info() {}, warn() {} },
      error(_: object, text: string) {
        errors.push(text);
        said?.();
      },
    };
    const clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} };
    const environment = { PATH: "/nowhere", NOTIFY_SOCKET: "/nowhere/socket" };
    const manager = serviceManager({ environment, clock, log });
    manager.status("one");
    manager.status("two");
    await heard;
    expect(errors).toEqual([expect.stringContaining("install systemd-notify")]);
  });
});

describeWithSystemd("a gateway under systemd", () => {
  describeWithMosquitto("and a broker", () => {
    test("is ready when it judges frames and not before, feeds the watchdog, and says that it stops", async () => {
      const broker = await aMosquitto();
      onTestFinished(broker.stop);
      const socket = await aNotifySocket();
      onTestFinished(socket.close);
      const place = aGatewayFolder(broker.url);
      await broker.kill(); // The broker comes up later than the gateway.
      const gateway = startSekisho(["run", "--config", place.config], {
        NOTIFY_SOCKET: socket.path,
        WATCHDOG_USEC: "600000",
      });
      onTestFinished(() => void gateway.process.kill("SIGKILL"));
      await socket.told.first((line) => line.startsWith("STATUS=engines ready; connecting to mqtt://"));
      await gateway.shows("connect-failed|cannot connect|ECONNREFUSED");
      expect(socket.told.all).not.toContain("READY=1");

      await broker.restart();
      await socket.told.first((line) => line === "READY=1");
      await socket.told.count(3, (line) => line === "WATCHDOG=1");
      gateway.process.kill("SIGTERM");
      await socket.told.first((line) => line === "STOPPING=1");
      expect((await gateway.finished).status).toBe(0);
    }, 60_000);
  });
});
