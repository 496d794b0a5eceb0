/** Passwords as they are kept: scrypt, with its parameters and a salt of its own inside the string. */

import { type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** Bytes that nobody can foretell. */
export type RandomBytes = (count: number) => Uint8Array;

interface Parameters {
  /** Base-2 logarithm of scrypt's N. */
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/**
 * Of the sets that OWASP holds equal the one with 32 MiB: a gateway on the plant's edge has other uses for memory.
 * @see OWASP Password Storage Cheat Sheet, scrypt: N=2^15, r=8, p=3
 */
const PARAMETERS: Parameters = { logN: 15, r: 8, p: 3 };

/** N * r * p of the cheapest set that OWASP names (N=2^14, r=8, p=5); anything below is refused as too weak. */
const WORK_MIN = 2 ** 14 * 8 * 5;
/** Parameters of a file may cost the gateway no more than this. */
const MEMORY_BYTES_MAX = 256 * 2 ** 20;
const WORK_MAX = 2 ** 23;

const SALT_BYTES = 16;
const KEY_BYTES = 32;
export const PASSWORD_CHARACTERS = { min: 12, max: 256 } as const;

/** The form of a kept password: `scrypt$ln=15,r=8,p=3$SALT$KEY`, both in base64url. */
export const PASSWORD_PATTERN =
  "^scrypt\\$ln=[0-9]{1,2},r=[0-9]{1,2},p=[0-9]{1,2}\\$[A-Za-z0-9_-]{22}\\$[A-Za-z0-9_-]{43}$";

/** Why a password may not be set, or undefined. */
export function passwordProblem(password: string): string | undefined {
  const { length } = [...password];
  const { min, max } = PASSWORD_CHARACTERS;
  if (length >= min && length <= max) return undefined;
  return `expected a password of ${min} to ${max} characters, found ${length}`;
}

/** @returns the string to keep */
export async function hashPassword(password: string, random: RandomBytes): Promise<string> {
  const { logN, r, p } = PARAMETERS;
  const salt = Buffer.from(random(SALT_BYTES));
  const key = await derive(password, salt, PARAMETERS);
  return `scrypt$ln=${logN},r=${r},p=${p}$${salt.toString("base64url")}$${key.toString("base64url")}`;
}

/**
 * Whether this is the password that was kept; takes as long where it is not.
 * @throws RangeError if `kept` is no string that `hashPassword` makes
 */
export async function verifyPassword(password: string, kept: string): Promise<boolean> {
  const parsed = parse(kept);
  if (typeof parsed === "string") throw new RangeError(parsed);
  return timingSafeEqual(await derive(password, parsed.salt, parsed), parsed.key);
}

/** What is wrong with a kept password, or undefined. */
export function keptPasswordProblem(kept: string): string | undefined {
  const parsed = parse(kept);
  return typeof parsed === "string" ? parsed : undefined;
}

function parse(kept: string): (Parameters & { readonly salt: Buffer; readonly key: Buffer }) | string {
  if (!new RegExp(PASSWORD_PATTERN).test(kept))
    return "expected scrypt$ln=15,r=8,p=3$SALT$KEY, as `sekisho users` writes it";
  const [, parameters, salt, key] = kept.split("$") as [string, string, string, string];
  const [logN, r, p] = parameters.split(",").map((one) => Number(one.slice(one.indexOf("=") + 1))) as [
    number,
    number,
    number,
  ];
  const work = 2 ** logN * r * p;
  if (!(work >= WORK_MIN))
    return `${parameters} is weaker than ln=14,r=8,p=5, the least that is taken; set the password again`;
  if (work > WORK_MAX || 128 * 2 ** logN * r > MEMORY_BYTES_MAX)
    return `${parameters} costs more than a gateway can spare; set the password again`;
  return { logN, r, p, salt: Buffer.from(salt, "base64url"), key: Buffer.from(key, "base64url") };
}

function derive(password: string, salt: Buffer, { logN, r, p }: Parameters): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** logN, r, p, maxmem: 2 * MEMORY_BYTES_MAX };
  // The same characters, however a keyboard or an input method has put them together.
  const text = password.normalize("NFKC");
  return new Promise((resolve, reject) => {
    scrypt(text, salt, KEY_BYTES, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
