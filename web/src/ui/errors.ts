/** What a refusal means to a person. */

import { ApiError } from "../api.ts";
import { isKey, t } from "../i18n/index.ts";

/** @throws whatever is no refusal of the gateway's: a defect */
export function errorInWords(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  const key = `error.${error.code}`;
  return isKey(key) ? t(key) : t("error.other", { message: error.message });
}
