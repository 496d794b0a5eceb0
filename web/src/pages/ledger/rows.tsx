/** The decisions found, of which only those in sight are in the document; moved through by wheel, finger or arrow keys. */

// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and names its row by aria-activedescendant.
// biome-ignore-all lint/a11y/useSemanticElements: rows of a table element cannot be placed one by one.

import { useEffect, useRef, useState } from "preact/hooks";
import type { DecisionView } from "../../../../src/http/api-schemas.ts";
import { clockTime, language, t } from "../../i18n/index.ts";
import { State, type Tone } from "../../ui/state.tsx";
import { decisionName, reasonName, share } from "../../ui/words.ts";

const ROW_PX = 56;
const OVERSCAN = 6;
/** So many rows from the end more is asked for. */
const ASK_AHEAD = 60;

export const TONES: Readonly<Record<string, Tone>> = { pass: "good", review: "warn", reject: "bad" };

export interface RowsProps {
  readonly found: readonly DecisionView[];
  readonly isAll: boolean;
  readonly onNearEnd: () => void;
  readonly onOpen: (index: number) => void;
}

export function Rows({ found, isAll, onNearEnd, onOpen }: RowsProps) {
  const place = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState({ topPx: 0, heightPx: 600 });
  const [active, setActive] = useState(0);
  const first = Math.max(0, Math.floor(scroll.topPx / ROW_PX) - OVERSCAN);
  const last = Math.min(found.length, Math.ceil((scroll.topPx + scroll.heightPx) / ROW_PX) + OVERSCAN);

  useEffect(() => {
    const measure = (): void => {
      const { scrollTop, clientHeight } = place.current!;
      setScroll({ topPx: scrollTop, heightPx: clientHeight });
    };
    const watch = new ResizeObserver(measure);
    watch.observe(place.current!);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (last + ASK_AHEAD > found.length) onNearEnd();
  }, [last, found.length, onNearEnd]);

  function moveTo(index: number): void {
    const at = Math.max(0, Math.min(found.length - 1, index));
    setActive(at);
    const { scrollTop, clientHeight } = place.current!;
    const topPx = at * ROW_PX;
    if (topPx < scrollTop) place.current!.scrollTop = topPx;
    else if (topPx + ROW_PX > scrollTop + clientHeight)
      place.current!.scrollTop = topPx + ROW_PX - clientHeight;
  }

  function onKeyDown(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(scroll.heightPx / ROW_PX) - 1);
    const to = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: found.length - 1,
    }[event.key];
    if (event.key === "Enter" && found.length > 0) onOpen(active);
    else if (to !== undefined) moveTo(to);
    else return;
    event.preventDefault();
  }

  return (
    <div
      ref={place}
      class="ledger-rows"
      role="grid"
      tabIndex={0}
      aria-label={t("ledger.grid")}
      aria-readonly="true"
      aria-rowcount={isAll ? found.length + 1 : -1}
      aria-activedescendant={found.length > 0 ? `decision-${active}` : undefined}
      onScroll={(event) =>
        setScroll({ topPx: event.currentTarget.scrollTop, heightPx: event.currentTarget.clientHeight })
      }
      onKeyDown={onKeyDown}
    >
      <Head />
      <div class="ledger-body" role="rowgroup" style={{ height: `${found.length * ROW_PX}px` }}>
        {found.slice(first, last).map((one, i) => (
          <Row
            key={one.id}
            decision={one}
            index={first + i}
            isActive={first + i === active}
            onOpen={() => {
              setActive(first + i);
              onOpen(first + i);
            }}
          />
        ))}
      </div>
    </div>
  );
}

function Head() {
  return (
    <div class="ledger-head" role="rowgroup">
      <div class="ledger-row" role="row" aria-rowindex={1}>
        {(["at", "decision", "reason", "class", "where"] as const).map((name) => (
          <span key={name} role="columnheader">
            {t(`ledger.column.${name}`)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface RowProps {
  readonly decision: DecisionView;
  readonly index: number;
  readonly isActive: boolean;
  readonly onOpen: () => void;
}

function Row({ decision: one, index, isActive, onOpen }: RowProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys, and says by aria-activedescendant for which row.
    <div
      id={`decision-${index}`}
      class="ledger-row"
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={isActive}
      style={{ transform: `translateY(${index * ROW_PX}px)` }}
      onClick={onOpen}
    >
      <span role="gridcell">
        <time dateTime={one.at}>{secondsTime(one.at)}</time>
      </span>
      <span role="gridcell">
        <State tone={TONES[one.decision] ?? "neutral"}>{decisionName(one.decision)}</State>
      </span>
      <span role="gridcell">
        {reasonName(one.reason)}
        {one.would !== undefined && <small>{wouldName(one.would)}</small>}
      </span>
      <span role="gridcell">
        {one.class ?? "–"}
        {one.confidence !== null && <small>{t("ledger.sure", { share: share(one.confidence) })}</small>}
      </span>
      <span role="gridcell" class="ledger-where">
        {one.source}
        <small>{one.part ?? one.frame}</small>
      </span>
    </div>
  );
}

export function wouldName(would: string): string {
  return t(would === "pass" ? "ledger.would.pass" : "ledger.would.review");
}

function secondsTime(at: string): string {
  const time = new Date(at);
  const seconds = time.toLocaleTimeString(language.value, {
    ...({ hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } as const),
  });
  const day =
    clockTime(at).length > 5
      ? `${time.toLocaleDateString(language.value, { month: "short", day: "numeric" })} `
      : "";
  return `${day}${seconds}`;
}
