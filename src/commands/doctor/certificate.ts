/** Whether the broker's certificate, and the gateway's own, are what they must be. */

import { X509Certificate } from "node:crypto";
import { connect, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { readBrokerUrl } from "../../mqtt/broker-url.ts";
import type { TlsFiles } from "../../mqtt/client-options.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;
const PORTS = { mqtts: 8883, wss: 443 } as const;
const BROKER = "broker certificate";
const OWN = "gateway certificate";

interface Presented {
  readonly certificate: DetailedPeerCertificate;
  /** Why Node would not go on with it; undefined where it would. */
  readonly refused: (Error & { readonly code?: string | undefined }) | undefined;
}

/** What the broker presents. Verification is looked at afterwards: nothing is sent on this connection. */
export async function brokerCertificate(
  url: string,
  tls: TlsFiles | undefined,
  nowMs: number,
): Promise<readonly Finding[]> {
  const { protocol, host, port } = readBrokerUrl(url);
  if (protocol !== "mqtts" && protocol !== "wss") return [];
  let presented: Presented | undefined;
  try {
    presented = await present(host, port ?? PORTS[protocol], tls);
  } catch {
    return []; // Whether it can be reached, and what it refuses, is found where MQTT is spoken to it.
  }
  const { certificate, refused } = presented;
  const who = `CN ${certificate.subject?.CN ?? "none"}, by CA ${certificate.issuer?.CN ?? "unknown"}, until ${certificate.valid_to}`;
  if (refused !== undefined) {
    const { found, advice } = inWords(refused, host, certificate);
    return [fail(BROKER, `${found} (${who})`, advice)];
  }
  return [expiry(BROKER, who, Date.parse(certificate.valid_to), nowMs, "renew the broker's certificate")];
}

function present(host: string, port: number, tls: TlsFiles | undefined): Promise<Presented> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      ...{ host, port, ca: tls?.ca, cert: tls?.cert, key: tls?.key, rejectUnauthorized: false },
      servername: /^[\d.]+$|:/.test(host) ? "" : host,
    });
    socket.once("secureConnect", () => {
      const refused = socket.authorizationError as unknown;
      const code = typeof refused === "string" ? refused : (refused as { code?: string } | null)?.code;
      const certificate = socket.getPeerCertificate(true);
      socket.destroy();
      resolve({
        certificate,
        refused: socket.authorized ? undefined : Object.assign(new Error(String(refused)), { code }),
      });
    });
    socket.once("error", reject);
  });
}

function inWords(
  { code = "", message }: Error & { readonly code?: string | undefined },
  host: string,
  { subjectaltname, issuer }: DetailedPeerCertificate,
): { readonly found: string; readonly advice: string } {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return {
      found: `is not for ${host}, but for ${subjectaltname ?? "no name at all"}`,
      advice: "write one of its names in broker.url, or give the broker a certificate for this one",
    };
  }
  if (code === "CERT_HAS_EXPIRED") return { found: "has expired", advice: "renew the broker's certificate" };
  if (code === "CERT_NOT_YET_VALID") {
    return { found: "is not valid yet", advice: "set this machine's clock, or see when it begins" };
  }
  return {
    found: `is not signed by a CA that broker.tls.caFile has: ${message}`,
    advice: `put the certificate of CA ${issuer?.CN ?? "that signed it"} into broker.tls.caFile`,
  };
}

/** The gateway's own certificate: the broker refuses it once it has expired. */
export function ownCertificate(tls: TlsFiles | undefined, nowMs: number): readonly Finding[] {
  if (tls?.cert === undefined) return [];
  let own: X509Certificate;
  try {
    own = new X509Certificate(tls.cert);
  } catch (error) {
    return [fail(OWN, (error as Error).message, "broker.tls.certFile must be a certificate in PEM")];
  }
  const who = `${oneLine(own.subject)}, by ${oneLine(own.issuer)}, until ${own.validTo}`;
  return [expiry(OWN, who, Date.parse(own.validTo), nowMs, "renew broker.tls.certFile")];
}

function oneLine(name: string): string {
  return name.replaceAll("\n", ", ");
}

function expiry(check: string, who: string, validToMs: number, nowMs: number, advice: string): Finding {
  const days = Math.floor((validToMs - nowMs) / DAY_MS);
  if (days >= SOON_DAYS) return ok(check, who);
  if (validToMs > nowMs) return warn(check, `${who}: ${days} days are left`, advice);
  return fail(check, `has expired: ${who}`, advice);
}
