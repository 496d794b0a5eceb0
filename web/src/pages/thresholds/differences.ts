/** What of one revision differs from another, in words. */

import type { Thresholds } from "../../../../src/thresholds/file.ts";
import { t } from "../../i18n/index.ts";
import { boundShare, doubt, share } from "../../ui/words.ts";

export function differences(before: Thresholds, next: Thresholds): string[] {
  const dropped = before.classes.filter((one) => !next.classes.includes(one));
  const added = next.classes.filter((one) => !before.classes.includes(one));
  const [auditFrom = 0, auditTo = 0] = [before.auditRate, next.auditRate];
  const found = [
    before.lambda !== next.lambda && lambdaChange(before.lambda, next.lambda),
    before.mode !== next.mode &&
      t("thresholds.diff.mode", {
        from: t(`thresholds.diff.mode.${before.mode}`),
        to: t(`thresholds.diff.mode.${next.mode}`),
      }),
    dropped.length > 0 && t("thresholds.diff.dropped", { classes: dropped.join(", ") }),
    added.length > 0 && t("thresholds.diff.added", { classes: added.join(", ") }),
    JSON.stringify(before.classLambdas) !== JSON.stringify(next.classLambdas) &&
      `${t("thresholds.diff.classLambdas")}: ${lambdasText(before)} → ${lambdasText(next)}`,
    ...(["alpha", "alphaClass", "eta"] as const).map(
      (name) =>
        before[name] !== next[name] &&
        t(`thresholds.diff.${name}`, { from: boundShare(before[name]), to: boundShare(next[name]) }),
    ),
    auditFrom !== auditTo && t("thresholds.diff.auditRate", { from: share(auditFrom), to: share(auditTo) }),
  ];
  const words = found.filter((one) => one !== false);
  return words.length > 0 ? words : [t("thresholds.diff.none")];
}

function lambdaChange(from: number | null, to: number | null): string {
  if (to === null) return t("thresholds.diff.lambda.stop");
  if (from === null) return t("thresholds.diff.lambda.start", { to: doubt(to) });
  return t("thresholds.diff.lambda", { from: doubt(from), to: doubt(to) });
}

function lambdasText({ classLambdas }: Thresholds): string {
  const all = Object.entries(classLambdas).map(([name, own]) => `${name} ${doubt(own)}`);
  return all.length > 0 ? all.join(", ") : "–";
}
