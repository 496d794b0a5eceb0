/** Completion as a shell does it: real bash, asked what it would offer. */

import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { sekisho } from "../support/cli.ts";

async function offered(...words: string[]): Promise<string[]> {
  const { stdout } = await sekisho(["completion", "bash"]);
  const line = ["sekisho", ...words].map((word) => `'${word}'`).join(" ");
  const script = `${stdout}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _sekisho; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8" }).split("\n").filter(Boolean);
}

describe("sekisho completion", () => {
  test("bash is offered commands, the commands below them, and options", async () => {
    expect(await offered("doc")).toEqual(["doctor"]);
    expect(await offered("bundle", "")).toEqual(expect.arrayContaining(["new", "verify", "--help"]));
    expect(await offered("check", "--js")).toEqual(["--json"]);
    expect(await offered("check", "--config", "doctor", "--j")).toEqual(["--json"]);
    expect(await offered("nothing-like-it")).toEqual([]);
  });

  test("zsh and fish have each command", async () => {
    const zsh = await sekisho(["completion", "zsh"]);
    expect(zsh.stdout).toMatch(/^#compdef sekisho\n/);
    const fish = await sekisho(["completion", "fish"]);
    expect(fish.stdout).toContain("-f -a doctor -d 'look at broker");
    expect(fish.stdout).toContain("-n '__fish_seen_subcommand_from doctor' -l json");
  });

  test("a shell that is not known is wrong usage", async () => {
    expect((await sekisho(["completion", "tcsh"])).status).toBe(2);
  });
});
