/** `sekisho keys`: the keys that people sign thresholds and bundles with. */

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { writeNewFile } from "../schema/atomic-file.ts";
import { formatJson } from "../schema/format-json.ts";
import { newKeyPair, readPublicKey, readSigningKey } from "../signing/keys.ts";
import { Refusal, type Terminal } from "./terminal.ts";
import { checkName } from "./users/users-store.ts";

interface NewOptions {
  readonly out: string;
  readonly json?: boolean;
}

export function registerKeys(program: Command, terminal: Terminal): void {
  const keys = program.command("keys").description("keys that people sign thresholds and bundles with");
  keys
    .command("new <name>")
    .description(
      "make a pair of keys for a person: the private one for its owner only, the public one beside it",
    )
    .requiredOption("--out <file>", "the private key; the public one goes to FILE.pub")
    .option("--json", "print one JSON document")
    .action((name: string, options: NewOptions) => newKey(name, options, terminal));
  keys
    .command("show <file>")
    .description("whose key a file holds, and its id")
    .option("--json", "print one JSON document")
    .action((file: string, options: { readonly json?: boolean }) => show(file, options, terminal));
}

function newKey(person: string, { out, json }: NewOptions, terminal: Terminal): void {
  checkName(person);
  const publicKeyFile = `${out}.pub`;
  for (const file of [out, publicKeyFile]) {
    // What was signed with a key can only be verified with its public half.
    if (existsSync(file))
      throw new Refusal(`${file} exists, and a key is not overwritten; name another --out`);
  }
  const { keyId, privatePem, publicPem } = newKeyPair(person);
  writeNewFile(out, privatePem, "owner");
  writeNewFile(publicKeyFile, publicPem, "all");
  if (json) {
    terminal.out(formatJson({ person, keyId, privateKeyFile: out, publicKeyFile }));
    return;
  }
  terminal.out(
    `key ${keyId} of ${person}: ${out} signs, keep it with ${person} alone; ${publicKeyFile} is for the gateways\n` +
      `trust it in sekisho.yaml:\ntrust:\n  keys:\n    - { person: ${person}, file: ${publicKeyFile} }\n`,
  );
}

function show(file: string, { json }: { readonly json?: boolean }, terminal: Terminal): void {
  const asPublic = readPublicKey(file);
  const read = asPublic.ok || file.endsWith(".pub") ? asPublic : readSigningKey(file);
  if (!read.ok) throw new Refusal(`${file}: ${read.reason}`);
  const { person, keyId } = read.key;
  const kind = "privateKey" in read.key ? "private" : "public";
  if (json) {
    terminal.out(formatJson({ person, keyId, kind }));
    return;
  }
  terminal.out(`${kind} key ${keyId} of ${person}\n`);
}
