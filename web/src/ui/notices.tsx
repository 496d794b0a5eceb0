/** What has happened and must be told, wherever one is: in the corner until it has been read. */

import { signal } from "@preact/signals";
import { t } from "../i18n/index.ts";
import { Icon } from "./icon.tsx";
import type { Tone } from "./state.tsx";

interface Notice {
  readonly id: number;
  readonly tone: Tone;
  readonly text: string;
}

/** Enough to read two sentences twice. */
const SHOWN_MS = 15_000;
const SHOWN_MAX = 4;

const notices = signal<readonly Notice[]>([]);
let lastId = 0;

/** @param isKept until somebody takes it away */
export function notify(tone: Tone, text: string, isKept = false): void {
  const id = ++lastId;
  notices.value = [...notices.value, { id, tone, text }].slice(-SHOWN_MAX);
  if (!isKept) setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(id: number): void {
  notices.value = notices.value.filter((one) => one.id !== id);
}

export function Notices() {
  return (
    <div class="notices" role="log">
      {notices.value.map(({ id, tone, text }) => (
        <div key={id} class={`note ${tone}`}>
          <Icon name={tone === "good" ? "check" : tone === "neutral" ? "info" : "warning"} />
          <p>{text}</p>
          <button
            type="button"
            class="button quiet square"
            aria-label={t("close")}
            onClick={() => dismiss(id)}
          >
            <Icon name="cross" />
          </button>
        </div>
      ))}
    </div>
  );
}
