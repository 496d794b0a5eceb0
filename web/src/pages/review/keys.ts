/** The keys of the page: each does at once what its button does. */

import { useEffect } from "preact/hooks";
import type { ReviewView } from "../../../../src/http/api-schemas.ts";
import { isOpenQuestion, type KeyedClass, verdictOf } from "./class-keys.ts";
import { answer, go, hindrance, selected, takeBack, toggleClaim } from "./model.ts";

export interface KeyActions {
  readonly keyed: readonly KeyedClass[];
  readonly search: () => void;
  readonly help: () => void;
}

export function useKeys(actions: KeyActions): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (!isForThePage(event)) return;
      const act = actionOf(keyOf(event), event.repeat, actions);
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [actions]);
}

function isForThePage(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (document.querySelector("dialog[open]") !== null) return false;
  const target = event.target as HTMLElement;
  if (target.closest("input, select, textarea") !== null) return false;
  // A button that has been tabbed to is pressed by Enter itself.
  return event.key !== "Enter" || target.closest("button, a, summary") === null;
}

/** By its place on the keyboard where an input method has taken the letter. */
function keyOf({ key, code }: KeyboardEvent): string {
  if (key === "Process") return code.replace(/^(Key|Digit)/, "");
  return key.length === 1 ? key.normalize("NFKC").toUpperCase() : key;
}

function actionOf(
  key: string,
  isRepeat: boolean,
  { keyed, search, help }: KeyActions,
): (() => void) | undefined {
  if (key === "J" || key === "ArrowDown") return () => go(1);
  if (key === "K" || key === "ArrowUp") return () => go(-1);
  if (isRepeat) return undefined;
  if (key === "?") return help;
  if (key === "Z") return takeBack;
  const row = selected.value;
  if (row === undefined) return undefined;
  if (key === "C") return () => void toggleClaim();
  if (key === "U") return () => answer({ verdict: "unusable" });
  if (key === "/") return hindrance.value === "none" ? search : undefined;
  if (key === "Enter") return enterOf(row);
  const named = keyed.find((one) => one.key === key);
  return named === undefined ? undefined : () => answer(verdictOf(row, named.name));
}

function enterOf(row: ReviewView): (() => void) | undefined {
  if (hindrance.value === "closed") return () => go(1);
  return isOpenQuestion(row) ? undefined : () => answer({ verdict: "confirm" });
}
