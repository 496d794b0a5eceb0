/** Counts kept by the minute for a day, and given out by the step. */

/** A day. */
export const MINUTES_KEPT = 1440;

/** How many were decided in what way; a part counts once. */
export interface Tallied {
  frames: number;
  pass: number;
  review: number;
  reject: number;
  /** Of those that did not pass. */
  readonly byReason: Map<string, number>;
  /** The student's, of those that did not pass: of one that passed, and is audited, nobody may learn it from the counts. */
  readonly byClass: Map<string, number>;
}

/** A student may have more classes than anyone looks at; those beyond are counted together. */
const CLASSES_MAX = 64;
export const OTHERS = "(others)";

export type Minutes = ReturnType<typeof createMinutes>;

export function createMinutes() {
  const minutes = new Map<number, Tallied>();
  return {
    add(
      minute: number,
      decision: "pass" | "review" | "reject",
      reason: string,
      className: string | null,
      frames: number,
    ): void {
      const tallied = minutes.get(minute) ?? nothing();
      minutes.set(minute, tallied);
      tallied.frames += frames;
      tallied[decision] += frames;
      if (decision === "pass") return;
      raise(tallied.byReason, reason, frames);
      if (className === null) return;
      const isRoom = tallied.byClass.has(className) || tallied.byClass.size < CLASSES_MAX;
      raise(tallied.byClass, isRoom ? className : OTHERS, frames);
    },

    /** Forgets what is older than a day. */
    prune(now: number): void {
      for (const minute of minutes.keys()) if (minute < now - MINUTES_KEPT) minutes.delete(minute);
    },

    /**
     * The last so many minutes in steps, oldest first; the last step is the one that goes on. Steps begin at multiples of
     * their length, and one in which nothing was decided is there too.
     */
    steps(
      now: number,
      span: number,
      step: number,
    ): readonly { readonly minute: number; readonly tallied: Tallied }[] {
      const last = Math.floor(now / step) * step;
      return Array.from({ length: Math.ceil(span / step) }, (_, i) => {
        const minute = last - (Math.ceil(span / step) - 1 - i) * step;
        const tallied = nothing();
        for (let at = minute; at < minute + step; at++) join(tallied, minutes.get(at));
        return { minute, tallied };
      });
    },
  };
}

function nothing(): Tallied {
  return { frames: 0, pass: 0, review: 0, reject: 0, byReason: new Map(), byClass: new Map() };
}

function raise(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function join(into: Tallied, other: Tallied | undefined): void {
  if (other === undefined) return;
  for (const name of ["frames", "pass", "review", "reject"] as const) into[name] += other[name];
  for (const name of ["byReason", "byClass"] as const)
    for (const [key, count] of other[name]) raise(into[name], key, count);
}
