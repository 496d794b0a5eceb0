/** What an engine's process is kept from, tried from inside of a real one on the Node that runs the tests. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, onTestFinished, test } from "vitest";
import { sandboxArgs } from "../../src/engine/sandbox.ts";
import { aLoad, anEngine, GREY, numbersOf } from "./fixtures.ts";

/** What each attempt comes to inside of an engine: "done", or the code of its error. */
async function attempts(sources: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const tried = Object.entries(sources).map(
    ([name, source]) => `try { ${source}; told[${JSON.stringify(name)}] = "done"; }
      catch (error) { told[${JSON.stringify(name)}] = error.code ?? error.message; }`,
  );
  const module = `
    import fs from "node:fs";
    import { connect } from "node:net";
    import { execFileSync, fork } from "node:child_process";
    import { Worker } from "node:worker_threads";
    const told = {};
    ${tried.join("\n")}
    process.stderr.write("told " + JSON.stringify(told) + "\\n");`;
  const engine = await anEngine(aLoad(), {
    nodeArgs: ["--import", `data:text/javascript,${encodeURIComponent(module)}`],
  });
  await engine.close();
  const line = engine.lines.find((one) => one.startsWith("told "));
  return JSON.parse(line!.slice("told ".length)) as Record<string, string>;
}

const DENIED = "ERR_ACCESS_DENIED";

describe("an engine", () => {
  test("cannot read what is not its code, write anything, or start processes and threads", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sekisho-secret-"));
    const secret = join(folder, "secret");
    writeFileSync(secret, "key");
    const quoted = JSON.stringify(secret);
    const came = await attempts({
      own: `fs.readFileSync(process.argv[1])`,
      hostname: `fs.readFileSync("/etc/hostname")`,
      secret: `fs.readFileSync(${quoted})`,
      list: `fs.readdirSync(${JSON.stringify(folder)})`,
      open: `fs.openSync(${quoted}, "r")`,
      environment: `fs.readFileSync("/proc/self/environ")`,
      models: `fs.readFileSync(${JSON.stringify(new URL("../../models/apparel/bundle.json", import.meta.url).pathname)})`,
      write: `fs.writeFileSync(${quoted}, "mine")`,
      writeHere: `fs.writeFileSync("weights.bin", "mine")`,
      writeCode: `fs.appendFileSync(process.argv[1], "mine")`,
      remove: `fs.rmSync(${quoted})`,
      spawn: `execFileSync("/bin/true")`,
      fork: `fork(process.argv[1])`,
      thread: `new Worker("1", { eval: true })`,
    });
    const { own, ...rest } = came;
    expect(own).toBe("done");
    expect(rest).toEqual(Object.fromEntries(Object.keys(rest).map((name) => [name, DENIED])));
    expect(Object.keys(rest)).toHaveLength(13);
  });

  test("sees nothing of the gateway's environment", async () => {
    process.env.SEKISHO_TEST_SECRET = "key";
    onTestFinished(() => void delete process.env.SEKISHO_TEST_SECRET);
    const came = await attempts({ names: `throw new Error(Object.keys(process.env).join())` });
    expect(came.names).toBe("UV_THREADPOOL_SIZE");
  });

  test("still decodes images, whose library it opens with the first", async () => {
    const engine = await anEngine(aLoad());
    const image = sharp(Uint8Array.from(numbersOf(GREY, 5)), { raw: { width: 4, height: 4, channels: 1 } });
    const payload = await image.png().toBuffer();
    expect(await engine.judge([{ encoding: "png", payload }])).toMatchObject([{ kind: "prediction" }]);
    await engine.close();
    expect(engine.lines).toEqual([]);
  });

  test("has no network where Node can keep it from it", async () => {
    // Nobody listens there.
    const connecting = `await new Promise((done, failed) => connect(1, "127.0.0.1", done).on("error", failed))`;
    const { connected } = await attempts({ connected: connecting });
    const major = Number(process.versions.node.split(".")[0]);
    expect(connected).toBe(major >= 25 ? DENIED : "ECONNREFUSED");
  });
});

describe("the arguments of the sandbox", () => {
  const of = (...flags: string[]): readonly string[] =>
    sandboxArgs("/srv/app/dist/engine/main.js", (flag) => flags.includes(flag));

  test("are in the form that the Node at hand has", () => {
    expect(of("--experimental-permission")[0]).toBe("--experimental-permission");
    expect(of("--permission", "--experimental-permission")[0]).toBe("--permission");
    expect(of("--permission")[0]).toBe("--permission");
  });

  test("name the code, its package.json and the packages, and nothing to write", () => {
    const args = of("--permission");
    const readable = args.flatMap((arg) => /^--allow-fs-read=(.*)$/.exec(arg)?.[1] ?? []);
    expect(readable.slice(0, 2)).toEqual(["/srv/app/dist/", "/srv/app/package.json"]);
    expect(readable[2]).toMatch(/\/node_modules\/$/);
    expect(readable).toHaveLength(3);
    expect(args.some((arg) => /write|child|worker|wasi|net|inspector/.test(arg))).toBe(false);
  });

  test("are none where there is no permission model", () => {
    expect(of()).toEqual([]);
  });
});
