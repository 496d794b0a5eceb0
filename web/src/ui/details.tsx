/** What an engineer needs and an operator does not, one click away. */

import type { ComponentChildren } from "preact";
import { t } from "../i18n/index.ts";

export function ForEngineers({ children }: { readonly children: ComponentChildren }) {
  return (
    <details class="engineers">
      <summary>{t("engineers")}</summary>
      <div class="engineers-body">{children}</div>
    </details>
  );
}

/** Names and values, one a row; what has no value is left out. */
export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [name: string, value: ComponentChildren])[];
}) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
