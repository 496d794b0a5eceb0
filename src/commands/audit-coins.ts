/**
 * Seeds of audits, and the coins made of them: SHA-256 of the seed and of the part's first frame, which nobody foretells
 * who does not know the seed, and anybody can check who does, with `sha256sum` alone.
 */

import { hash, randomBytes } from "node:crypto";
import type { AuditCoins } from "../gateway/ports.ts";

const SEED_BYTES = 32;
/** Hexadecimal digits of a coin: 52 bits, which a double holds exactly. */
const DIGITS = 13;

export const AUDIT_COINS: AuditCoins = {
  newSeed() {
    const seed = randomBytes(SEED_BYTES).toString("hex");
    return { seed, commitment: hash("sha256", seed) };
  },

  coinOf(seed, { station, source, id, part, receivedAtMs }) {
    // None of them has a line feed in it. As text: four times as fast as through a buffer.
    const digest = hash("sha256", `${seed}\n${station}\n${source}\n${id}\n${part ?? ""}\n${receivedAtMs}`);
    return { value: fractionOf(digest.slice(0, DIGITS)), rank: fractionOf(digest.slice(-DIGITS)) };
  },
};

/** In [0, 1). */
function fractionOf(digits: string): number {
  return Number.parseInt(digits, 16) / 16 ** DIGITS;
}
