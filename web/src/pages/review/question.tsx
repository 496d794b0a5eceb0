/** The question, and every answer to it in reach of a thumb, each with its key. */

import { useEffect, useRef } from "preact/hooks";
import type { ReviewView } from "../../../../src/http/api-schemas.ts";
import { clockTime, t } from "../../i18n/index.ts";
import { Bar } from "../../ui/bars.tsx";
import { Button } from "../../ui/button.tsx";
import { Note } from "../../ui/state.tsx";
import { isOpenQuestion, type KeyedClass, verdictOf } from "./class-keys.ts";
import { ReviewFacts } from "./facts.tsx";
import { answer, closed, go, hindrance, isMine, isReady, toggleClaim } from "./model.ts";
import type { ClassConfidence } from "./sight.ts";
import { reasonInWords } from "./words.ts";

export interface QuestionProps {
  readonly row: ReviewView;
  readonly keyed: readonly KeyedClass[];
  /** How many classes the station has. */
  readonly classCount: number;
  /** Empty where it is not to be seen. */
  readonly student: readonly ClassConfidence[];
  readonly onSearch: () => void;
}

export function Question({ row, keyed, classCount, student, onSearch }: QuestionProps) {
  const isOpen = isOpenQuestion(row);
  // While the picture comes nothing is taken either; to grey it all out for a blink would only disturb.
  const isHindered = hindrance.value !== "none" && hindrance.value !== "loading";
  const heading = useRef<HTMLHeadingElement>(null);
  // From there one reads on; and Enter answers, whatever was touched last.
  useEffect(() => heading.current?.focus({ preventScroll: true }), [row.review]);
  return (
    <section class="question" aria-busy={!isReady.value}>
      <h1 ref={heading} tabIndex={-1}>
        {isOpen ? t("review.ask.open") : t("review.ask", { class: row.class ?? "" })}
      </h1>
      <p class="question-why">{reasonInWords(row)}</p>
      <Hindered row={row} />
      {!isOpen && (
        <Button
          kind="primary"
          icon="check"
          keyName="Enter"
          class="wide verdict"
          disabled={isHindered}
          onClick={() => answer({ verdict: "confirm" })}
        >
          {t("review.confirm", { class: row.class ?? "" })}
        </Button>
      )}
      <h2 class="question-others">{t(isOpen ? "review.others.open" : "review.others")}</h2>
      <ClassButtons row={row} keyed={keyed} student={student} isHindered={isHindered} />
      {classCount > keyed.length && (
        <Button icon="search" keyName="/" class="wide" disabled={isHindered} onClick={onSearch}>
          {t("review.search", { count: classCount })}
        </Button>
      )}
      <div class="question-more">
        <Button
          icon="unusable"
          keyName="U"
          disabled={isHindered}
          onClick={() => answer({ verdict: "unusable" })}
        >
          {t("review.unusable")}
        </Button>
        <Button
          icon="hand"
          keyName="C"
          disabled={
            hindrance.value === "role" || hindrance.value === "closed" || hindrance.value === "claimed"
          }
          onClick={() => void toggleClaim()}
        >
          {t(isMine(row) ? "review.release" : "review.claim")}
        </Button>
      </div>
      <ReviewFacts row={row} />
    </section>
  );
}

interface ClassButtonsProps extends Pick<QuestionProps, "row" | "keyed" | "student"> {
  readonly isHindered: boolean;
}

function ClassButtons({ row, keyed, student, isHindered }: ClassButtonsProps) {
  return (
    <ul class="classes">
      {keyed.map(({ name, key }) => {
        const found = student.find((one) => one.class === name);
        const isOwn = row.reason !== "audit" && name === row.class;
        return (
          <li key={name}>
            <button
              type="button"
              class={isOwn ? "button class is-own" : "button class"}
              disabled={isHindered}
              title={isOwn ? t("review.modelsAnswer") : undefined}
              onClick={() => answer(verdictOf(row, name))}
            >
              <span class="key" aria-hidden="true">
                {key}
              </span>
              <span class="class-text">
                <span class="class-name">{name}</span>
                {found !== undefined && <Bar share={found.confidence} />}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Hindered({ row }: { readonly row: ReviewView }) {
  switch (hindrance.value) {
    case "none":
    case "loading":
      return null;
    case "role":
      return <Note tone="neutral">{t("review.hindered.role")}</Note>;
    case "claimed":
      return (
        <Note tone="warn">
          {t("review.hindered.claimed", {
            name: row.claimedBy ?? "",
            time: row.claimedUntil === undefined ? "" : clockTime(row.claimedUntil),
          })}
        </Note>
      );
    case "closed":
      return (
        <>
          <Note tone="warn">{closedInWords()}</Note>
          <Button kind="primary" keyName="Enter" class="wide verdict" onClick={() => go(1)}>
            {t("review.next")}
          </Button>
        </>
      );
    default:
      return unreachable(hindrance.value);
  }
}

function closedInWords(): string {
  const { reviewer, class: name } = closed.value!;
  if (reviewer === undefined) return t("review.hindered.expired");
  return t("review.hindered.closed", { name: reviewer, answer: name ?? t("review.unusable") });
}

function unreachable(value: never): never {
  throw new Error(`no such hindrance: ${JSON.stringify(value)}`);
}
