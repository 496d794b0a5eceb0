/** Handing a revision in, and what the guard answers. */

import { useState } from "preact/hooks";
import type { ThresholdsAnswer } from "../../../../src/http/api-schemas.ts";
import type { ThresholdsStanding } from "../../../../src/http/thresholds-schemas.ts";
import type { Thresholds } from "../../../../src/thresholds/file.ts";
import { post } from "../../api.ts";
import { t } from "../../i18n/index.ts";
import { gate, mayAct } from "../../session.ts";
import { errorInWords } from "../../ui/errors.ts";
import { Note } from "../../ui/state.tsx";

/** Whether who is signed in may change thresholds from here, and under which name; keys shut the browser out. */
export type Means =
  | { readonly kind: "browser"; readonly name: string }
  | { readonly kind: "keys"; readonly persons: readonly string[] }
  | { readonly kind: "none" };

export function meansOf({ signers }: ThresholdsStanding): Means {
  const at = gate.value;
  if (!mayAct("engineer") || at.kind !== "signed-in") return { kind: "none" };
  return signers === null ? { kind: "browser", name: at.session.name } : { kind: "keys", persons: signers };
}

export interface Submission {
  readonly isBusy: boolean;
  readonly answer: ThresholdsAnswer | undefined;
  readonly problem: string | undefined;
  /** @returns whether it was taken, or waits for a second person */
  readonly submit: (document: Thresholds) => Promise<boolean>;
  readonly forget: () => void;
}

/** @param onTaken called when the thresholds stand differently from before */
export function useSubmission(station: string, onTaken: () => void): Submission {
  const [isBusy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<ThresholdsAnswer>();
  const [problem, setProblem] = useState<string>();

  function forget(): void {
    setAnswer(undefined);
    setProblem(undefined);
  }

  async function submit(document: Thresholds): Promise<boolean> {
    setBusy(true);
    forget();
    try {
      const path = `/stations/${encodeURIComponent(station)}/thresholds`;
      const given = await post<ThresholdsAnswer>(path, document);
      setAnswer(given);
      const isTaken = given.outcome === "accepted" || given.outcome === "needs-second-person";
      // A refusal, too: another revision may have come first.
      onTaken();
      return isTaken;
    } catch (error) {
      setProblem(errorInWords(error));
      return false;
    } finally {
      setBusy(false);
    }
  }
  return { isBusy, answer, problem, submit, forget };
}

export function AnswerNote({ submission }: { readonly submission: Submission }) {
  const { answer, problem } = submission;
  if (problem !== undefined) return <Note tone="bad">{problem}</Note>;
  if (answer === undefined) return null;
  const { tone, words } = inWords(answer);
  return (
    <Note tone={tone}>
      <p>
        <strong>{words}</strong>
      </p>
      {answer.reasons.length > 0 && (
        <ul class="reasons" lang="en">
          {answer.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </Note>
  );
}

function inWords({ outcome, certified, revision = 0 }: ThresholdsAnswer): {
  readonly tone: "good" | "warn" | "bad";
  readonly words: string;
} {
  switch (outcome) {
    case "accepted":
      return certified === false
        ? { tone: "warn", words: t("thresholds.answer.uncertified", { revision }) }
        : { tone: "good", words: t("thresholds.answer.accepted", { revision }) };
    case "needs-second-person":
      return { tone: "warn", words: t("thresholds.answer.second") };
    case "refused":
      return { tone: "bad", words: t("thresholds.answer.refused") };
    case "failed":
      return { tone: "bad", words: t("thresholds.answer.failed") };
    default:
      return unreachable(outcome);
  }
}

function unreachable(value: never): never {
  throw new Error(`no such outcome: ${String(value)}`);
}
