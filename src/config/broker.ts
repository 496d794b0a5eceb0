/** What the schema cannot say of the section `broker` of `sekisho.yaml`. */

import type { Locate, Problem } from "../schema/document.ts";
import type { Config } from "./schema.ts";

/** What its settings say against each other. The address is never shown whole, since a password may stand in it. */
export function brokerProblems({ broker }: Config, locate: Locate): readonly Problem[] {
  const at = ["broker", "url"];
  if (!URL.canParse(broker.url))
    return [locate(at, "broker.url: expected an address such as mqtt://host:1883")];
  const { hostname, username, password, protocol } = new URL(broker.url);
  if (hostname === "")
    return [locate(at, "broker.url: names no host; expected an address such as mqtt://host:1883")];
  if (username !== "" || password !== "")
    return [
      locate(at, "broker.url: credentials belong in usernameFile and passwordFile, not in the address"),
    ];
  return tlsProblems(broker.tls ?? {}, protocol.slice(0, -1), locate);
}

function tlsProblems(
  tls: NonNullable<Config["broker"]["tls"]>,
  scheme: string,
  locate: Locate,
): readonly Problem[] {
  const { certFile, keyFile } = tls;
  const found: Problem[] = [];
  const problem = (setting: string, message: string): void =>
    void found.push(locate(["broker", "tls", setting], `broker.tls.${setting}: ${message}`));
  const [first] = Object.keys(tls);
  if (first !== undefined && !scheme.endsWith("s")) {
    const message = `TLS files are given, but ${scheme}:// is not encrypted; write ${scheme}s:// in broker.url`;
    problem(first, message);
  }
  if (certFile !== undefined && keyFile === undefined)
    problem("certFile", "a certificate needs its key; name it in broker.tls.keyFile");
  if (keyFile !== undefined && certFile === undefined)
    problem("keyFile", "a key needs its certificate; name it in broker.tls.certFile");
  return found;
}
