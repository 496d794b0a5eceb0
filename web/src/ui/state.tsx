/** A state in an icon and a word, so that colour is never the only sign; and what stands where there is nothing to show. */

import type { ComponentChildren } from "preact";
import { t } from "../i18n/index.ts";
import { Button } from "./button.tsx";
import { Icon, type IconName } from "./icon.tsx";

export type Tone = "good" | "warn" | "bad" | "neutral";
const ICONS: Readonly<Record<Tone, IconName>> = {
  good: "check",
  warn: "warning",
  bad: "cross",
  neutral: "dot",
};

export interface StateProps {
  readonly tone: Tone;
  readonly icon?: IconName;
  readonly children: ComponentChildren;
}

export function State({ tone, icon = ICONS[tone], children }: StateProps) {
  return (
    <span class={`state ${tone}`}>
      <Icon name={icon} />
      <span>{children}</span>
    </span>
  );
}

/** A sentence that somebody must read, such as a refusal. */
export function Note({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <div class={`note ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon name={tone === "neutral" ? "info" : ICONS[tone === "bad" ? "warn" : tone]} />
      <div>{children}</div>
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      {t("state.loading")}
    </p>
  );
}

export function Failed({ message, onRetry }: { readonly message: string; readonly onRetry: () => void }) {
  return (
    <div class="empty" role="alert">
      <Icon name="warning" />
      <h2>{t("state.failed")}</h2>
      <p>{message}</p>
      <Button onClick={onRetry}>{t("state.retry")}</Button>
    </div>
  );
}

export interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}

export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}
