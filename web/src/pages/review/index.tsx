/** The Review page: what waits, the frame, the question, and every answer at one key. */

import { useEffect, useMemo, useState } from "preact/hooks";
import type { ReviewView } from "../../../../src/http/api-schemas.ts";
import { ApiError } from "../../api.ts";
import { stations } from "../../events.ts";
import { clockTime, t } from "../../i18n/index.ts";
import { errorInWords } from "../../ui/errors.ts";
import { Empty, Failed, Loading, State } from "../../ui/state.tsx";
import "../../style/review.css";
import { keyedClasses, verdictOf } from "./class-keys.ts";
import { ClassSearch } from "./class-search.tsx";
import { Evidence } from "./evidence.tsx";
import { Foot } from "./foot.tsx";
import { tellOutcome } from "./held-back.ts";
import { Help } from "./help.tsx";
import { useKeys } from "./keys.ts";
import { answer, inWords, keepSelected, selected, shown } from "./model.ts";
import { PictureView, type Shown } from "./picture.tsx";
import { Question } from "./question.tsx";
import { keepQueue, load, readQueue } from "./queue.ts";
import { QueueList } from "./queue-list.tsx";
import { type Sight, sightOf } from "./sight.ts";

tellOutcome(inWords);

type Open = "nothing" | "help" | "search";

export function ReviewPage() {
  const [open, setOpen] = useState<Open>("nothing");
  const row = selected.value;
  const [sight, retry] = useSight(row);
  const classes = row === undefined ? [] : (stations.value.get(row.station)?.classes ?? []);
  const student = (row?.reason !== "audit" && sight.sight?.view.student) || [];
  const keyed = useMemo(() => keyedClasses(classes, likelyFirst(student)), [classes, student]);

  useEffect(keepQueue, []);
  useEffect(keepSelected, []);
  useKeys(useMemo(() => ({ keyed, search: () => setOpen("search"), help: () => setOpen("help") }), [keyed]));

  return (
    <div class="review">
      <QueueList />
      {row === undefined ? (
        <Nothing />
      ) : (
        <>
          <section class="frame">
            <FrameHead row={row} />
            <PictureView picture={pictureOf(sight, retry)} source={row.source} />
            <Evidence row={row} sight={sight.sight} />
          </section>
          <Question
            row={row}
            keyed={keyed}
            classCount={classes.length}
            student={student}
            onSearch={() => setOpen("search")}
          />
        </>
      )}
      <Foot onHelp={() => setOpen("help")} />
      {open === "help" && <Help keyed={keyed} onClose={() => setOpen("nothing")} />}
      {open === "search" && row !== undefined && (
        <ClassSearch
          classes={classes}
          onClose={() => setOpen("nothing")}
          onChoose={(name) => {
            setOpen("nothing");
            answer(verdictOf(row, name));
          }}
        />
      )}
    </div>
  );
}

function Nothing() {
  const at = load.value;
  return (
    <section class="frame is-alone">
      {at.kind === "loading" && <Loading />}
      {at.kind === "failed" && <Failed message={errorInWords(at.error)} onRetry={() => void readQueue()} />}
      {at.kind === "ready" && (
        <Empty icon="check" title={t("review.empty")}>
          <p>{t("review.empty.hint")}</p>
        </Empty>
      )}
    </section>
  );
}

function FrameHead({ row }: { readonly row: ReviewView }) {
  const { source, station, openedAt, deadline, overdue, count } = row;
  return (
    <header class="frame-head">
      <strong>
        {station} · {source}
      </strong>
      <span class="soft figures">
        {[
          t("review.opened", { time: clockTime(openedAt) }),
          t(overdue ? "review.due.passed" : "review.due", { time: clockTime(deadline) }),
          ...(count > 1 ? [t("review.similar", { count: count - 1 })] : []),
        ].join(" · ")}
      </span>
      {overdue && (
        <State tone="warn" icon="clock">
          {t("review.overdue")}
        </State>
      )}
    </header>
  );
}

interface SightState {
  /** Of this review; that of the one before is not shown for a moment. */
  readonly review: string | undefined;
  readonly sight: Sight | undefined;
  readonly error: ApiError | undefined;
}

/** What is shown of a review, and how to ask for it once more. */
function useSight(row: ReviewView | undefined): readonly [SightState, () => void] {
  const [state, setState] = useState<SightState>({ review: undefined, sight: undefined, error: undefined });
  const [tries, setTries] = useState(0);
  const review = row?.review;
  useEffect(() => {
    if (row === undefined) return;
    let isLeft = false;
    const show = (sight: Sight | undefined, error: ApiError | undefined): void => {
      if (isLeft) return;
      setState({ review, sight, error });
      shown(row.review);
    };
    sightOf(row).then(
      (sight) => show(sight, undefined),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        show(undefined, error);
      },
    );
    return () => {
      isLeft = true;
    };
  }, [review, tries]);
  const isOfThis = state.review === review;
  const current = isOfThis ? state : { review, sight: undefined, error: undefined };
  return [current, () => setTries(tries + 1)];
}

function pictureOf({ sight, error }: SightState, retry: () => void): Shown {
  if (sight !== undefined) return sight.picture;
  return error === undefined ? { kind: "loading" } : { kind: "failed", retry };
}

function likelyFirst(student: readonly { readonly class: string; readonly confidence: number }[]): string[] {
  return student.toSorted((a, b) => b.confidence - a.confidence).map((one) => one.class);
}
