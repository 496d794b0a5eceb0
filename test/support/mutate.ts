/** Spoils bytes as a fuzzer would: flips, cuts, repeats, splices, and sizes in headers. */

import type { Random } from "../../src/core/random.ts";

/** @param others what may be spliced in; @returns bytes that are not the ones given */
export function mutated(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Buffer {
  for (;;) {
    const result = mutatedOnce(Buffer.from(bytes), others, random);
    if (Buffer.compare(result, bytes) !== 0) return result;
  }
}

function mutatedOnce(bytes: Buffer, others: readonly Uint8Array[], random: Random): Buffer {
  const below = (n: number): number => Math.floor(random.next() * n);
  switch (below(5)) {
    case 0:
      for (let i = 0; i <= below(8); i++) bytes[below(bytes.length)] = below(256);
      return bytes;
    case 1:
      return bytes.subarray(0, below(bytes.length));
    case 2: {
      const at = below(bytes.length);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(at + 1))]);
    }
    case 3: {
      const other = others[below(others.length)]!;
      return Buffer.concat([bytes.subarray(0, below(bytes.length)), other.subarray(below(other.length))]);
    }
    default:
      bytes[below(Math.min(40, bytes.length))] = below(256);
      return bytes;
  }
}

/** Spoils a JSON document as a hand or a bad program would: a value, a digit, a member. */
export function mutatedJson(text: string, random: Random): string {
  const below = (n: number): number => Math.floor(random.next() * n);
  const pick = <T>(all: readonly T[]): T => all[below(all.length)]!;
  for (;;) {
    const document = JSON.parse(text) as unknown;
    const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
    const visit = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const key of Object.keys(value)) {
        places.push({ holder: value as Record<string, unknown>, key });
        visit((value as Record<string, unknown>)[key]);
      }
    };
    visit(document);
    const { holder, key } = pick(places);
    const value = holder[key];
    const other = pick(places);
    const kinds: (() => void)[] = [
      () => delete holder[key],
      () => {
        holder[key] = other.holder[other.key];
      },
      () => {
        holder[key] = pick([null, -1, 0, 1e-9, 1, 1e308, "", "x", [], {}, true]);
      },
      () => {
        holder[`${key}x`] = value;
      },
      () => {
        if (typeof value === "number") holder[key] = value * pick([-1, 0.5, 0.999, 1.001, 2, 1e6]);
        else if (typeof value === "string") holder[key] = `${value.slice(1)}${value.slice(0, 1)}`;
        else if (Array.isArray(value)) holder[key] = [...value].reverse();
      },
    ];
    try {
      pick(kinds)();
      const result = JSON.stringify(document);
      if (result !== JSON.stringify(JSON.parse(text))) return result;
    } catch {
      // A value put inside of itself; another is tried.
    }
  }
}
