/** The Ledger page. */

import { t } from "../../i18n/index.ts";

export function LedgerPage() {
  return (
    <section class="page">
      <h1>{t("ledger.title")}</h1>
    </section>
  );
}
