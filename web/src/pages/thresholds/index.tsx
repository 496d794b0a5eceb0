/** The Thresholds page. */

import { t } from "../../i18n/index.ts";

export function ThresholdsPage() {
  return (
    <section class="page">
      <h1>{t("thresholds.title")}</h1>
    </section>
  );
}
