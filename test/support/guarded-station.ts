/** A station with a certified bundle, trusted keys and a ledger, for what comes to its thresholds from outside. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readStations, type StationSetup } from "../../src/commands/station-setup.ts";
import { readTrust } from "../../src/commands/trust.ts";
import { readConfig } from "../../src/config/config.ts";
import { formatJson } from "../../src/schema/format-json.ts";
import type { Thresholds } from "../../src/thresholds/file.ts";
import { signThresholds } from "../../src/thresholds/signed.ts";
import { aPerson, type Person } from "./keys.ts";
import { aCertifiedWorkshop } from "./workshop.ts";

export type GuardedStation = Awaited<ReturnType<typeof aGuardedStation>>;

/** Aki and Ben are trusted, Aki with two keys; Eve is not. */
export async function aGuardedStation() {
  const workshop = await aCertifiedWorkshop();
  const people = { aki: aPerson("aki"), akiAgain: aPerson("aki"), ben: aPerson("ben"), eve: aPerson("eve") };
  const manifest = JSON.parse(readFileSync(join(workshop.bundle, "bundle.json"), "utf8"));
  const { certificate } = JSON.parse(readFileSync(join(workshop.bundle, "envelope.json"), "utf8"));
  const file = workshop.path("press.json");
  const configFile = workshop.path("sekisho.yaml");
  const trusted = [people.aki, people.akiAgain, people.ben];
  writeFileSync(
    configFile,
    `gateway: test
broker: { url: "mqtt://127.0.0.1:1" }
ledger: { path: "${workshop.path("test.ledger")}" }
http: { port: 0 }
trust:
  keys:
${trusted.map(({ publicFile, signing }) => `    - { person: ${signing.person}, file: "${publicFile}" }`).join("\n")}
stations:
  press: { frames: { topic: "press/{source}", encodings: [raw] }, bundle: bundle, thresholds: press.json }
`,
  );
  const keys = trusted.map((person) => person.trusted);
  const first: Thresholds = {
    ...{ schema: "sekisho.thresholds/1", station: "press", revision: 1, mode: "guarded" },
    ...{ envelope: manifest.envelope.sha256, alpha: certificate.alpha, alphaClass: certificate.alphaClass },
    ...{ eta: certificate.etaTarget, lambda: certificate.chosen.lambda, classes: manifest.classes },
    ...{ classLambdas: {}, reviewDeadlineSeconds: 900, proposedBy: "aki", approvedBy: "aki" },
    ...{ at: "2026-06-01T08:00:00Z", why: "a test" },
  };
  const signed = (document: Thresholds, ...by: readonly Person[]): Thresholds =>
    by.reduce((so, person) => signThresholds(so, person.signing, [...keys, person.trusted]), document);
  const put = (document: Thresholds | string): void =>
    writeFileSync(file, typeof document === "string" ? document : formatJson(document));
  return {
    /** The strictest lambda of the grid; too few parts pass there to prove anything. */
    strictest: certificate.lambdas[certificate.coarse[0]] as number,
    ...{ workshop, people, keys, file, configFile, first, signed, put },
    /** The station as its files say, read as `run` reads them. */
    read(): StationSetup {
      const parsed = readConfig(configFile, {});
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      const trust = readTrust(parsed.value, parsed.locate);
      if (!trust.ok) throw new Error(JSON.stringify(trust.problems));
      const setups = readStations(parsed.value, parsed.locate, trust.trust);
      if (!setups.ok) throw new Error(JSON.stringify(setups.problems));
      return setups.stations[0]!;
    },
  };
}
