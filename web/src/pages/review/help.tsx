/** The keys of the page, listed. */

import { t } from "../../i18n/index.ts";
import { Dialog } from "../../ui/dialog.tsx";
import type { KeyedClass } from "./class-keys.ts";

export interface HelpProps {
  readonly keyed: readonly KeyedClass[];
  readonly onClose: () => void;
}

export function Help({ keyed, onClose }: HelpProps) {
  const range = keyed.length === 0 ? [] : [keyed[0]!.key, keyed.at(-1)!.key];
  const rows = [
    [["Enter"], t("review.keys.confirm")],
    [range, t("review.keys.class")],
    [["/"], t("review.keys.search")],
    [["U"], t("review.keys.unusable")],
    [["C"], t("review.keys.claim")],
    [["J", "↓"], t("review.keys.next")],
    [["K", "↑"], t("review.keys.previous")],
    [["Z"], t("review.keys.undo")],
    [["?"], t("review.keys.help")],
  ] as const;
  return (
    <Dialog title={t("review.keys.title")} onClose={onClose}>
      <dl class="key-list">
        {rows.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key, i) => (
                <>
                  {i > 0 && (keys === range ? " – " : " ")}
                  <span class="key">{key}</span>
                </>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
