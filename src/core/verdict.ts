/** A verdict: which class it needs, and what is wrong with one that cannot be taken. */

import { type ActError, AUDIT, type VerdictKind } from "./review-record.ts";

export interface VerdictProblem {
  readonly error: Extract<
    ActError,
    "unknown-class" | "class-missing" | "class-not-expected" | "verdict-not-expected"
  >;
  readonly message: string;
}

/**
 * @param own the student's class; null where it gave none
 * @param classes those of the station's bundle
 * @returns what is wrong, or undefined
 */
export function verdictProblem(
  given: { readonly verdict: VerdictKind; readonly class?: string },
  own: string | null,
  classes: readonly string[],
): VerdictProblem | undefined {
  const { verdict, class: name } = given;
  switch (verdict) {
    case "unusable":
      if (name === undefined) return undefined;
      return unexpected(`expected no class with unusable, found "${name}"`);
    case "confirm":
      if (own === null) {
        return {
          error: "class-missing",
          message: "the student gave no class to confirm; use label, with a class",
        };
      }
      if (name === undefined) return undefined;
      return unexpected(
        `expected no class with confirm, found "${name}"; use correct if it is another than "${own}"`,
      );
    case "correct":
      if (name === own && own !== null) {
        return unexpected(`"${own}" is the student's own class; use confirm, or another class`);
      }
      return classProblem(verdict, name, classes);
    case "label":
      return classProblem(verdict, name, classes);
    default:
      return unreachable(verdict);
  }
}

/** An audit's reviewer has not been shown what there would be to confirm or to correct. */
export function blindProblem(verdict: VerdictKind, reason: string): VerdictProblem | undefined {
  if (reason !== AUDIT || verdict === "label" || verdict === "unusable") return undefined;
  return {
    error: "verdict-not-expected",
    message: `expected label with a class, or unusable, found ${verdict}: of an audit the student's answer is not shown, so it can be neither confirmed nor corrected`,
  };
}

function classProblem(
  verdict: VerdictKind,
  name: string | undefined,
  classes: readonly string[],
): VerdictProblem | undefined {
  if (name === undefined) {
    return {
      error: "class-missing",
      message: `expected a class with ${verdict}; known here: ${classes.join(", ")}`,
    };
  }
  if (classes.includes(name)) return undefined;
  return {
    error: "unknown-class",
    message: `"${name}" is no class of this station; known here: ${classes.join(", ")}`,
  };
}

function unexpected(message: string): VerdictProblem {
  return { error: "class-not-expected", message };
}

function unreachable(value: never): never {
  throw new Error(`no such verdict: ${String(value)}`);
}
