/** The numbers of a review, for engineers. */

import type { ReviewView } from "../../../../src/http/api-schemas.ts";
import { t } from "../../i18n/index.ts";
import { Facts, ForEngineers } from "../../ui/details.tsx";

export function ReviewFacts({ row }: { readonly row: ReviewView }) {
  return (
    <ForEngineers>
      <Facts facts={factsOf(row)} />
    </ForEngineers>
  );
}

function factsOf(row: ReviewView) {
  const number = (value: number | null): string | undefined => value?.toPrecision(4);
  return [
    [t("review.fact.review"), row.review],
    [t("review.fact.frame"), row.frame],
    [t("review.fact.part"), row.part],
    [t("review.fact.station"), row.station],
    [t("review.fact.reason"), row.reason],
    [t("review.fact.confidence"), number(row.confidence)],
    [t("review.fact.band"), row.band?.map((edge) => edge.toFixed(3)).join(" – ")],
    [t("review.fact.score"), number(row.score)],
    [t("review.fact.lambda"), number(row.lambda)],
    [t("review.fact.priority"), number(row.priority)],
    [t("review.fact.thresholds"), `${row.revision}, ${row.mode}`],
    [t("review.fact.revision"), `${row.reviewRevision}, ${row.state}`],
    [t("review.fact.at"), row.at],
    [t("review.fact.gateway"), row.text],
  ] as const;
}
