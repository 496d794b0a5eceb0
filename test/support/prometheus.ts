/** A real Prometheus for tests: on a free loopback port, with a folder of its own. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describeWith } from "./describe-with.ts";

export const describeWithPrometheus = describeWith(["prometheus", "promtool"], "prometheus");

export interface Prometheus {
  /** Series that an expression gives now. */
  query(
    expression: string,
  ): Promise<readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[]>;
  /** What it says of a scraped target's last scrape; empty if all went well. */
  scrapeError(): Promise<string>;
  stop(): Promise<void>;
}

/** @param target host:port of a gateway; scraped every half second */
export async function aPrometheus(target: string, rules: readonly string[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-prometheus-"));
  const config = join(folder, "prometheus.yml");
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: "500ms", scrape_timeout: "500ms", evaluation_interval: "500ms" },
      rule_files: rules,
      scrape_configs: [{ job_name: "sekisho", static_configs: [{ targets: [target] }] }],
    }),
  );
  const child = spawn(
    "prometheus",
    [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`, "--web.listen-address=127.0.0.1:0"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const log: string[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    let port = "";
    createInterface(child.stderr).on("line", (line) => {
      log.push(line);
      port ||= /Listening on" address=127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? "";
      if (line.includes("Server is ready")) resolve(`http://127.0.0.1:${port}`);
    });
    child.once("exit", () => reject(new Error(`prometheus ended:\n${log.join("\n")}`)));
  });
  const ask = async (path: string): Promise<unknown> => {
    const reply = await fetch(`${address}/api/v1/${path}`);
    const body = (await reply.json()) as { status: string; error?: string; data: unknown };
    if (body.status !== "success") throw new Error(`${path}: ${body.error}`);
    return body.data;
  };
  return {
    async query(expression) {
      const { result } = (await ask(`query?query=${encodeURIComponent(expression)}`)) as { result: [] };
      return result;
    },
    async scrapeError() {
      const { activeTargets } = (await ask("targets?state=active")) as {
        activeTargets: readonly { readonly health: string; readonly lastError: string }[];
      };
      return activeTargets
        .map(({ health, lastError }) => (health === "up" ? "" : `${health} ${lastError}`))
        .join("");
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
