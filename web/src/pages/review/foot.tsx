/** The strip at the foot: what was answered last and how to take it back, how quick one is, and the keys. */

import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { heldBack, UNDO_MS, undoable } from "./held-back.ts";
import { go, takeBack } from "./model.ts";
import { looksMs, median } from "./pace.ts";

const TICK_MS = 250;

export function Foot({ onHelp }: { readonly onHelp: () => void }) {
  const last = undoable.value;
  const seconds = useSecondsLeft(last?.givenAtMs);
  return (
    <footer class="foot">
      <div class="foot-move">
        <Button icon="up" keyName="K" onClick={() => go(-1)}>
          {t("review.previous")}
        </Button>
        <Button icon="down" keyName="J" onClick={() => go(1)}>
          {t("review.next")}
        </Button>
      </div>
      <div class="foot-undo">
        <p class={last === undefined ? "soft" : "foot-answer"} role="status">
          {lastInWords()}
        </p>
        <Button
          icon="undo"
          keyName="Z"
          class={last === undefined ? "" : "is-live"}
          disabled={last === undefined}
          onClick={takeBack}
        >
          {last === undefined ? t("review.undo") : t("review.undo.seconds", { seconds })}
        </Button>
      </div>
      <div class="foot-end">
        <Pace />
        <Button icon="keyboard" keyName="?" onClick={onHelp}>
          {t("review.help")}
        </Button>
      </div>
    </footer>
  );
}

function lastInWords(): string {
  const last = undoable.value;
  const unsent = heldBack.value.filter(({ state }) => state === "unsent").length;
  if (unsent > 0) return t("review.foot.unsent", { count: unsent });
  if (last === undefined) return t("review.foot.none", { seconds: UNDO_MS / 1000 });
  const { row, verdict } = last;
  if (verdict.verdict === "unusable") return t("review.foot.unusable");
  return t("review.foot.confirm", { class: verdict.class ?? row.class ?? "" });
}

function useSecondsLeft(sinceMs: number | undefined): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (sinceMs === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [sinceMs]);
  return Math.max(1, Math.ceil(((sinceMs ?? 0) + UNDO_MS - Math.max(now, sinceMs ?? 0)) / 1000));
}

function Pace() {
  const middle = median(looksMs.value);
  if (middle === undefined) return null;
  return (
    <p class="pace figures" title={t("review.pace.long")}>
      <span>{t("review.pace", { seconds: (middle / 1000).toFixed(1) })}</span>
      <span class="soft">{t("review.answered", { count: looksMs.value.length })}</span>
    </p>
  );
}
