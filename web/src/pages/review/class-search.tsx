/** All classes of the station in a list to search in: for stations with more of them than there are keys. */

import { useState } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";

export interface ClassSearchProps {
  readonly classes: readonly string[];
  readonly onChoose: (name: string) => void;
  readonly onClose: () => void;
}

export function ClassSearch({ classes, onChoose, onClose }: ClassSearchProps) {
  const [asked, setAsked] = useState("");
  const found = classes.filter((name) => plain(name).includes(plain(asked)));
  return (
    <Dialog title={t("review.search.title")} onClose={onClose} class="class-search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          // Enter takes what is left, never one of several.
          if (found.length === 1) onChoose(found[0]!);
        }}
      >
        <Field label={t("review.search.field")} type="search" value={asked} onInput={setAsked} hasFocus />
      </form>
      {found.length === 0 && <p class="soft">{t("review.search.none")}</p>}
      <ul class="classes">
        {found.map((name) => (
          <li key={name}>
            <button type="button" class="button class" onClick={() => onChoose(name)}>
              <span class="class-text class-name">{name}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

/** Full-width or not, capital or not. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
