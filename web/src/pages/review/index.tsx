/** The Review page. */

import { t } from "../../i18n/index.ts";

export function ReviewPage() {
  return (
    <section class="page">
      <h1>{t("review.title")}</h1>
    </section>
  );
}
