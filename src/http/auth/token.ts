/** Tokens of machines: 256 random bits, of which only the digest is kept. */

import { createHash } from "node:crypto";
import type { RandomBytes } from "./password.ts";

const TOKEN_BYTES = 32;
/** By which scanners for leaked secrets can tell it. */
const PREFIX = "sekisho_";

/** A new token, shown once, and what is kept of it. */
export function newToken(random: RandomBytes): { readonly token: string; readonly sha256: string } {
  const token = PREFIX + Buffer.from(random(TOKEN_BYTES)).toString("base64url");
  return { token, sha256: digestOf(token).toString("hex") };
}

/** SHA-256, in bytes: of something with 256 random bits no slower one is needed. */
export function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
