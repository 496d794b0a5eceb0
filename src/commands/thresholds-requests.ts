/** Thresholds over MQTT: DSSE envelopes signed by trusted keys, and never names in JSON. */

import { messageReader } from "../schema/message.ts";
import { DsseEnvelopeSchema } from "../signing/dsse.ts";
import { documentOf, THRESHOLDS_TYPE } from "../thresholds/signed.ts";
import type { Answer, ThresholdsDesk } from "./thresholds-desk.ts";
import type { Trust } from "./trust.ts";

/** What is answered to a request. */
export type ThresholdsRequests = (payload: Uint8Array) => object;

const ENVELOPE_BYTES_MAX = 65_536;

export function thresholdsRequests(
  trust: () => Trust | undefined,
  submit: ThresholdsDesk["submit"],
): ThresholdsRequests {
  const read = messageReader(DsseEnvelopeSchema, ENVELOPE_BYTES_MAX);
  const refused = (reason: string): Omit<Answer, "station"> => ({ outcome: "refused", reasons: [reason] });
  return (payload) => {
    const trusted = trust();
    if (trusted === undefined) return refused("the configuration trusts no keys, so that nobody can sign");
    const found = read(payload);
    if (!found.ok) return refused(`expected a DSSE envelope: ${found.problem}`);
    const { payloadType } = found.value;
    if (payloadType !== THRESHOLDS_TYPE) {
      return refused(`expected a signed ${THRESHOLDS_TYPE}, found ${JSON.stringify(payloadType)}`);
    }
    try {
      const document = documentOf(found.value, trusted.keys);
      return submit(String(document.station), JSON.stringify(document), "mqtt");
    } catch (error) {
      return refused(`its payload is no thresholds document: ${(error as Error).message}`);
    }
  };
}
