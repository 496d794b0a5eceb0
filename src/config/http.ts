/** The section `http` of `sekisho.yaml`, and what its schema cannot say. */

import { isIP } from "node:net";
import { dirname, join } from "node:path";
import Type, { type Static } from "typebox";
import { type Locate, type Problem, withoutCredentials } from "../schema/document.ts";
import { closed, File } from "./common.ts";

export const Http = Type.Object(
  {
    host: Type.String({
      minLength: 1,
      default: "127.0.0.1",
      description: "Address to listen on. Beyond this machine only with `http.tls` or `http.behindProxy`.",
    }),
    port: Type.Integer({
      minimum: 0,
      maximum: 65535,
      default: 8477,
      description: "Port to listen on; 0 takes one that the system gives.",
    }),
    usersFile: Type.Optional(
      File(
        "File, readable by its owner only, with those who may use API and console; `sekisho users` and the first start write it. Where left out: `users.json` beside the ledger.",
      ),
    ),
    publicUrl: Type.Optional(
      Type.String({
        pattern: "^https?://",
        description: "Address by which people reach the gateway, where it is not its own.",
      }),
    ),
    tls: Type.Optional(
      Type.Object(
        { certFile: File("Certificate chain (PEM)."), keyFile: File("Its private key (PEM).") },
        { ...closed, description: "To speak TLS itself." },
      ),
    ),
    behindProxy: Type.Array(Type.String(), {
      default: [],
      maxItems: 16,
      description:
        "Addresses or networks of the proxies in front, which speak TLS to the outside. `X-Forwarded-For`, `-Proto` and `-Host` are believed from these only; without `http.tls` the API answers nobody else beyond this machine.",
    }),
    sessionIdleMinutes: Type.Integer({
      minimum: 1,
      maximum: 1440,
      default: 60,
      description: "A session that is not used for so long ends.",
    }),
    sessionHours: Type.Integer({
      minimum: 1,
      maximum: 168,
      default: 12,
      description: "A session ends after so long in any case.",
    }),
  },
  { ...closed, default: {}, description: "Metrics, health and the API for people and programs." },
);

export function httpProblems(http: Static<typeof Http>, locate: Locate): readonly Problem[] {
  const { host, tls, behindProxy, publicUrl } = http;
  const problems: Problem[] = [];
  if (!isLoopback(host) && tls === undefined && behindProxy.length === 0) {
    const message = `http.host: ${host} is reached from beyond this machine, where passwords must not travel in the clear; set http.tls, or name the proxy that speaks TLS in http.behindProxy, or listen on 127.0.0.1`;
    problems.push(locate(["http", "host"], message));
  }
  for (const [i, address] of behindProxy.entries()) {
    if (isNetwork(address)) continue;
    const message = `http.behindProxy.${i}: expected an address such as 10.0.0.2 or a network such as 10.0.0.0/24, found "${address}"`;
    problems.push(locate(["http", "behindProxy", i], message));
  }
  if (publicUrl !== undefined && !isOrigin(publicUrl)) {
    const message = `http.publicUrl: expected no more than https://NAME or https://NAME:PORT, found "${withoutCredentials(publicUrl)}"`;
    problems.push(locate(["http", "publicUrl"], message));
  }
  return problems;
}

/** Those who may use the API. A file that is named must be there; the one beside the ledger is made when there is need. */
export function usersFileOf({
  http,
  ledger,
}: {
  readonly http: Static<typeof Http>;
  readonly ledger: { readonly path: string };
}): { readonly file: string; readonly isNamed: boolean } {
  const { usersFile } = http;
  if (usersFile !== undefined) return { file: usersFile, isNamed: true };
  return { file: join(dirname(ledger.path), "users.json"), isNamed: false };
}

/** Scheme, host and port by which the API is reached; undefined where the system gives the port at each start. */
export function originOf({ host, port, tls, publicUrl }: Static<typeof Http>): string | undefined {
  if (publicUrl !== undefined) return new URL(publicUrl).origin;
  if (port === 0) return undefined;
  // What listens on every address listens on this one.
  const reached = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const name = reached.includes(":") ? `[${reached}]` : reached;
  return `${tls === undefined ? "http" : "https"}://${name}:${port}`;
}

/** Whether only programs on this machine can connect to it. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function isNetwork(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  // All there are would be no proxy.
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, username, password } = new URL(text);
  return username === "" && password === "" && text.replace(/\/$/, "").toLowerCase() === origin;
}
