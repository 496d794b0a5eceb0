/** Windows of a station's sources: of the parts in each, one drawn at random speaks for all, as neighbours in time depend on each other. */

import type { PartScores } from "./envelope/reference.ts";
import type { Random } from "./random.ts";

export interface WindowOptions {
  /** A window holds at least so many parts of its source, and lasts at least so long. */
  readonly parts: number;
  readonly ms: number;
  /** Sources with windows of their own; what comes of further ones shares one. */
  readonly sourcesMax: number;
}

interface OpenWindow {
  parts: number;
  startedAtMs: number;
  drawn: PartScores;
}

const ALL_FURTHER = "";
const NONE: PartScores = { score: Number.NaN, novelty: Number.NaN };

export type Windows = ReturnType<typeof createWindows>;

/** @param random draws without regard to what the parts show */
export function createWindows({ parts, ms, sourcesMax }: WindowOptions, random: Random) {
  const open = new Map<string, OpenWindow>();

  function windowOf(source: string, atMs: number): OpenWindow {
    const known = open.get(source);
    if (known !== undefined) return known;
    if (open.size >= sourcesMax && source !== ALL_FURTHER) return windowOf(ALL_FURTHER, atMs);
    const fresh = { parts: 0, startedAtMs: atMs, drawn: NONE };
    open.set(source, fresh);
    return fresh;
  }

  return {
    /**
     * Takes one part.
     * @returns the part that was drawn of the window that is over with it, each with the same probability;
     *   undefined while the window goes on
     */
    take(source: string, part: PartScores, atMs: number): PartScores | undefined {
      const window = windowOf(source, atMs);
      window.parts++;
      // The n-th takes the place with probability 1/n: so the end of the window need not be known beforehand.
      if (random.next() * window.parts < 1) window.drawn = part;
      // A clock that was set back must not make the window last until it is there again.
      if (atMs < window.startedAtMs) window.startedAtMs = atMs;
      if (window.parts < parts || atMs - window.startedAtMs < ms) return undefined;
      const { drawn } = window;
      window.parts = 0;
      window.drawn = NONE;
      window.startedAtMs = atMs;
      return drawn;
    },
  };
}
