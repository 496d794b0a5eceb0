/** The Line page. */

import { t } from "../../i18n/index.ts";

export function LinePage() {
  return (
    <section class="page">
      <h1>{t("line.title")}</h1>
    </section>
  );
}
