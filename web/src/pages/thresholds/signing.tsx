/** Where keys are trusted: why the browser may not sign, and the command that does. */

import { useState } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { Note } from "../../ui/state.tsx";

export function SignHere({
  persons,
  commands,
}: {
  readonly persons: readonly string[];
  readonly commands: readonly Command[];
}) {
  return (
    <div class="sign-here">
      <Note tone="neutral">
        <p>
          <strong>{t("thresholds.keys")}</strong>
        </p>
        <p>{t("thresholds.keys.about", { persons: persons.join(", ") })}</p>
      </Note>
      {commands.map((one) => (
        <CommandLine key={one.title} {...one} />
      ))}
      <p class="hint">{t("thresholds.keys.run")}</p>
    </div>
  );
}

export interface Command {
  readonly title: string;
  readonly command: string;
}

export function CommandLine({ title, command }: Command) {
  const [isCopied, setCopied] = useState(false);
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(command);
    setCopied(true);
  }
  return (
    <div class="command">
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keys as well. */}
      <section tabIndex={0} aria-label={title}>
        <pre>{command}</pre>
      </section>
      {navigator.clipboard !== undefined && (
        <Button icon={isCopied ? "check" : "ledger"} onClick={() => void copy()}>
          {t(isCopied ? "thresholds.keys.copied" : "thresholds.keys.copy")}
        </Button>
      )}
    </div>
  );
}
