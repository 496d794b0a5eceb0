/** Which key stands for which class, and what a class as an answer means. */

import type { ReviewView, VerdictBody } from "../../../../src/http/api-schemas.ts";

export type Verdict = Pick<VerdictBody, "verdict" | "class">;

/** Without those that mean something else: U unusable, C claim, J and K next and previous, Z undo. */
const KEYS = "1234567890ABDEFGHILMNOPQRSTVWXY";
/** Beyond so many a list to search in is quicker than a key to look for. */
const KEYED_MAX = KEYS.length;
const SHORT_LIST = 9;

export interface KeyedClass {
  readonly name: string;
  readonly key: string;
}

/**
 * The classes that have a button and a key: all of them, each always in the same place, or where there are too many the
 * most likely ones.
 * @param likely names, the most likely first; none where the student's answer is not to be seen
 */
export function keyedClasses(classes: readonly string[], likely: readonly string[]): readonly KeyedClass[] {
  const first = likely.filter((name) => classes.includes(name));
  const shown =
    classes.length <= KEYED_MAX ? classes : [...new Set([...first, ...classes])].slice(0, SHORT_LIST);
  return shown.map((name, i) => ({ name, key: KEYS[i]! }));
}

/** Whether the reviewer is to say what it is without knowing what the student said, or the student said nothing. */
export function isOpenQuestion({ reason, class: own }: Pick<ReviewView, "reason" | "class">): boolean {
  return reason === "audit" || own === null;
}

export function verdictOf(row: Pick<ReviewView, "reason" | "class">, name: string): Verdict {
  if (isOpenQuestion(row)) return { verdict: "label", class: name };
  return name === row.class ? { verdict: "confirm" } : { verdict: "correct", class: name };
}
