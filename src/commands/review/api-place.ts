/** Where a gateway's API is, and the token that it is asked with: from options, the environment or its configuration. */

import { readFileSync, statSync } from "node:fs";
import type { Command } from "commander";
import { parseConfig } from "../../config/config.ts";
import { originOf as httpOriginOf, isLoopback } from "../../config/http.ts";
import { TOKEN_FILE_VARIABLE } from "../../config/overrides.ts";
import type { Surroundings } from "../run.ts";
import { Refusal, refuse } from "../terminal.ts";

export interface ApiPlaceOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly config: string;
}

export interface ApiPlace {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly token: string;
  /** A certificate to trust, where it is none that the system trusts. */
  readonly ca: Buffer | undefined;
}

export function withApiPlace(command: Command): Command {
  return command
    .option("--url <url>", "the gateway's address, in place of the configuration's")
    .option("--token-file <file>", `file that holds your token; or set ${TOKEN_FILE_VARIABLE}`)
    .option("--ca-file <file>", "certificate (PEM) to trust beside the system's")
    .option("--config <file>", "the gateway's configuration, for its address", "sekisho.yaml");
}

export function apiPlaceOf(options: ApiPlaceOptions, environment: Surroundings["environment"]): ApiPlace {
  const found =
    options.url === undefined
      ? byConfig(options.config, environment)
      : { url: options.url, caFile: undefined };
  const origin = originOf(found.url);
  const caFile = options.caFile ?? found.caFile;
  const token = tokenIn(options.tokenFile ?? environment[TOKEN_FILE_VARIABLE]);
  return { origin, token, ca: caFile === undefined ? undefined : readFileSync(caFile) };
}

function byConfig(file: string, environment: Surroundings["environment"]) {
  const parsed = parseConfig(file, environment);
  if (!parsed.ok) return refuse(parsed.problems);
  const { http } = parsed.value;
  const url = httpOriginOf(http);
  if (url !== undefined) return { url, caFile: http.tls?.certFile };
  throw new Refusal(
    `${file}: http.port is 0, the system gives one at each start; name the address with --url`,
  );
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && url.pathname === "/" && url.username === "" && url.search === "";
  if (!isPlain || !/^https?:$/.test(url.protocol)) {
    throw new Refusal(`--url: expected no more than http://HOST:PORT or https://HOST:PORT, found "${text}"`);
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname.replace(/^\[|\]$/g, ""))) {
    throw new Refusal(
      `${url.origin}: a token must not travel in the clear; use the https address of the gateway or of its proxy`,
    );
  }
  return url.origin;
}

function tokenIn(file: string | undefined): string {
  if (file === undefined) {
    throw new Refusal(
      `name the file that holds your token with --token-file, or in ${TOKEN_FILE_VARIABLE}; \`sekisho tokens add\` makes one`,
    );
  }
  if ((statSync(file).mode & 0o077) !== 0)
    throw new Refusal(`${file}: others may read this token; chmod 600 it`);
  const token = readFileSync(file, "utf8").trim();
  if (/^[A-Za-z0-9_-]{1,256}$/.test(token)) return token;
  throw new Refusal(`${file}: expected a token as \`sekisho tokens add\` prints it, and nothing else`);
}
