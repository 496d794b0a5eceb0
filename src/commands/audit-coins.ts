/** Seeds of audits, and the coins made of them: HMAC-SHA256, which nobody foretells and anybody can check. */

import { createHash, createHmac, randomBytes } from "node:crypto";
import type { AuditCoins } from "../gateway/ports.ts";

const SEED_BYTES = 32;

export const AUDIT_COINS: AuditCoins = {
  newSeed() {
    const seed = randomBytes(SEED_BYTES);
    return { seed: seed.toString("hex"), commitment: createHash("sha256").update(seed).digest("hex") };
  },

  coinOf(seed, { station, source, id, part, receivedAtMs }) {
    // None of them has a line feed in it.
    const message = [station, source, id, part ?? "", receivedAtMs].join("\n");
    const digest = createHmac("sha256", Buffer.from(seed, "hex")).update(message).digest();
    return { value: fractionAt(digest, 0), rank: fractionAt(digest, 8) };
  },
};

/** 53 bits as a fraction in [0, 1). */
function fractionAt(digest: Buffer, at: number): number {
  return (digest.readUInt32BE(at) * 2 ** 21 + (digest.readUInt32BE(at + 4) >>> 11)) / 2 ** 53;
}
