/** Bounds how often a password may be tried, from one address and for one user, in memory that does not grow. */

import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import type { RandomBytes } from "./password.ts";

interface Allowance {
  /** Tries at once, */
  readonly burst: number;
  /** and one more for each such time. */
  readonly refillMs: number;
}

const PER_USER: Allowance = { burst: 10, refillMs: 60_000 };
/** More: people who share a proxy, or a terminal at the line, share an address. */
const PER_ADDRESS: Allowance = { burst: 30, refillMs: 20_000 };

/** Names that share a place share its tries: no list of names to be filled up, and none that is forgotten. */
const PLACES = 8192;
const SALT_BYTES = 16;

export type LoginLimit = ReturnType<typeof createLoginLimit>;

export function createLoginLimit(monotonicMs: () => number, random: RandomBytes) {
  const salt = random(SALT_BYTES); // So that nobody can look for a name that shares another's place.
  const users = createPlaces(PER_USER, monotonicMs);
  const addresses = createPlaces(PER_ADDRESS, monotonicMs);
  const placeOf = (key: string): number =>
    createHash("sha256").update(salt).update(key).digest().readUInt32LE(0) % PLACES;

  return {
    /** Takes one try of each. @returns how long to wait, where there is none left; 0 otherwise */
    take(user: string, address: string): number {
      const waitMs = Math.max(users.waitMs(placeOf(user)), addresses.waitMs(placeOf(networkOf(address))));
      if (waitMs > 0) return waitMs;
      users.add(placeOf(user), -1);
      addresses.add(placeOf(networkOf(address)), -1);
      return 0;
    },

    /** The password was right: the try does not count. */
    giveBack(user: string, address: string): void {
      users.add(placeOf(user), 1);
      addresses.add(placeOf(networkOf(address)), 1);
    },
  };
}

function createPlaces({ burst, refillMs }: Allowance, monotonicMs: () => number) {
  const tries = new Float64Array(PLACES).fill(burst);
  const atMs = new Float64Array(PLACES);
  const now = (place: number): number => {
    const elapsedMs = Math.max(0, monotonicMs() - atMs[place]!);
    return Math.min(burst, tries[place]! + elapsedMs / refillMs);
  };
  return {
    waitMs(place: number): number {
      const left = now(place);
      return left >= 1 ? 0 : Math.ceil((1 - left) * refillMs);
    },
    add(place: number, by: number): void {
      tries[place] = Math.min(burst, now(place) + by);
      atMs[place] = monotonicMs();
    },
  };
}

/** Who has one IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes(".")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  return [...groups, ...new Array<string>(zeros).fill("0"), ...rest].slice(0, 4).join(":");
}
