/** What the connection to the broker is made with: read from its files here and nowhere else, and tried before use. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import type { ConnectionOptions } from "../mqtt/client-options.ts";
import type { Locate, Problem } from "../schema/document.ts";
import { Refusal } from "./terminal.ts";

export type BrokerConnection = Omit<ConnectionOptions, "clientId" | "clean" | "sessionExpirySeconds">;

/** @throws Refusal naming the setting and the file that cannot be read */
export function connectionOptions({ broker }: Config): BrokerConnection {
  const { tls } = broker;
  return {
    url: broker.url,
    protocol: broker.protocol,
    keepaliveSeconds: broker.keepaliveSeconds,
    username: secretIn("broker.usernameFile", broker.usernameFile),
    password: secretIn("broker.passwordFile", broker.passwordFile),
    tls: tls && {
      ca: bytesIn("broker.tls.caFile", tls.caFile),
      cert: bytesIn("broker.tls.certFile", tls.certFile),
      key: bytesIn("broker.tls.keyFile", tls.keyFile),
    },
  };
}

function secretIn(setting: string, file: string | undefined): string | undefined {
  return bytesIn(setting, file)
    ?.toString("utf8")
    .replace(/\r?\n$/, "");
}

function bytesIn(setting: string, file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Refusal(`${setting}: cannot read ${file}: ${(error as Error).message}`);
  }
}

/**
 * What is wrong with the TLS files. OpenSSL takes a CA file without any certificate for an empty list and says nothing:
 * the broker would then be refused for ever.
 * @param isThere false for a file that is only there while the gateway runs
 */
export function tlsFileProblems(
  { broker }: Config,
  locate: Locate,
  isThere: (file: string) => boolean,
): readonly Problem[] {
  const { tls } = broker;
  const found: Problem[] = [];
  const problem = (setting: string, message: string): void =>
    void found.push(locate(["broker", "tls", setting], `broker.tls.${setting}: ${message}`));
  if (tls === undefined) return found;
  const read = <T>(setting: keyof typeof tls, what: string, parse: (bytes: Buffer) => T): T | undefined => {
    const file = tls[setting];
    if (file === undefined || !isThere(file)) return undefined;
    try {
      return parse(readFileSync(file));
    } catch (error) {
      problem(setting, `expected ${what} in PEM in ${file}: ${(error as Error).message}`);
      return undefined;
    }
  };
  read("caFile", "the certificate of the CA that signed the broker's", (bytes) => new X509Certificate(bytes));
  const own = read("certFile", "the gateway's certificate", (bytes) => new X509Certificate(bytes));
  const key = read(
    "keyFile",
    "the key of the gateway's certificate, without a passphrase,",
    createPrivateKey,
  );
  if (own !== undefined && key !== undefined && !own.checkPrivateKey(key)) {
    problem("keyFile", `${tls.keyFile} is not the key of the certificate in ${tls.certFile}`);
  }
  return found;
}
