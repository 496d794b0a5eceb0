/** The queue on the left: only those rows are made that can be seen, however many wait. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { ReviewView } from "../../../../src/http/api-schemas.ts";
import { stations } from "../../events.ts";
import { clockTime, t } from "../../i18n/index.ts";
import { State } from "../../ui/state.tsx";
import { isMine, select, selected, visible } from "./model.ts";
import { hasMore, readMore, readQueue, rows, stationShown, waiting } from "./queue.ts";
import { reasonInShort, titleOf } from "./words.ts";

/** As in review.css. */
const ROW_PX = 76;
/** Rows beyond the edge, so that a flick shows no gap. */
const BEYOND = 6;
/** A page is asked for so long before one gets to its place. */
const AHEAD = 60;

export function QueueList() {
  const list = visible.value;
  const place = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, heightPx: 800 });
  const at = list.findIndex(({ review }) => review === selected.value?.review);

  useEffect(() => {
    const box = place.current!;
    const look = (): void => setSeen({ top: box.scrollTop, heightPx: box.clientHeight });
    const watch = new ResizeObserver(look);
    watch.observe(box);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    if (at >= 0) intoView(place.current!, at);
  }, [at]);

  const first = Math.max(0, Math.floor(seen.top / ROW_PX) - BEYOND);
  const last = Math.min(list.length, Math.ceil((seen.top + seen.heightPx) / ROW_PX) + BEYOND);
  const isNearEnd = hasMore.value && last + AHEAD >= list.length;
  useEffect(() => {
    if (isNearEnd) readMore();
  }, [isNearEnd, list.length]);

  const height = (list.length + (hasMore.value ? 1 : 0)) * ROW_PX;
  return (
    <section class="queue" aria-label={t("review.queue")}>
      <QueueHead count={Math.max(0, waiting.value - (rows.value.length - list.length))} />
      <div
        ref={place}
        class="queue-rows"
        onScroll={(event) =>
          setSeen({ top: event.currentTarget.scrollTop, heightPx: event.currentTarget.clientHeight })
        }
      >
        <ul style={{ height: `${height}px`, paddingTop: `${first * ROW_PX}px` }}>
          {list.slice(first, last).map((row, i) => (
            <QueueRow
              key={row.review}
              row={row}
              isSelected={first + i === at}
              position={first + i + 1}
              count={list.length}
            />
          ))}
          {hasMore.value && last >= list.length && <li class="queue-more">{t("review.queue.more")}</li>}
        </ul>
      </div>
    </section>
  );
}

function intoView(box: HTMLElement, at: number): void {
  const top = at * ROW_PX;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW_PX > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_PX - box.clientHeight;
}

function QueueHead({ count }: { readonly count: number }) {
  const names = [...stations.value.keys()].sort();
  return (
    <header class="queue-head">
      <h2>
        {t("review.queue.head")} <span class="queue-count figures">{t("review.queue.count", { count })}</span>
      </h2>
      {names.length > 1 && (
        <select
          aria-label={t("review.queue.station")}
          value={stationShown.value ?? ""}
          onChange={(event) => {
            stationShown.value = event.currentTarget.value === "" ? undefined : event.currentTarget.value;
            rows.value = [];
            select(undefined);
            void readQueue();
          }}
        >
          <option value="">{t("review.queue.all")}</option>
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </header>
  );
}

interface QueueRowProps {
  readonly row: ReviewView;
  readonly isSelected: boolean;
  readonly position: number;
  readonly count: number;
}

function QueueRow({ row, isSelected, position, count }: QueueRowProps) {
  return (
    <li aria-posinset={position} aria-setsize={count}>
      <button
        type="button"
        class="queue-row"
        aria-current={isSelected ? "true" : undefined}
        onClick={() => select(row)}
      >
        <span class="queue-title">{titleOf(row)}</span>
        <span class="queue-time figures">{clockTime(row.openedAt)}</span>
        <span class="queue-about">{about(row)}</span>
        {row.claimedBy !== undefined ? (
          <State tone="neutral" icon="hand">
            {isMine(row) ? t("review.claimedByMe") : row.claimedBy}
          </State>
        ) : (
          row.overdue && (
            <State tone="warn" icon="clock">
              {t("review.overdue")}
            </State>
          )
        )}
      </button>
    </li>
  );
}

function about({ source, reason }: ReviewView): string {
  return reason === "audit" ? source : `${source} · ${reasonInShort(reason)}`;
}
