/** The ledger's decisions as the API looks through them. */

import { decisionBody } from "../gateway/messages.ts";
import type { DecisionView } from "../http/api-schemas.ts";
import type { LookBack } from "../http/decisions/slices.ts";
import type { Ledger } from "../ledger/ledger.ts";

export function sliceOf(lookBack: Ledger["lookBack"]): LookBack {
  const ms = (time: string | undefined): number | undefined =>
    time === undefined ? undefined : Date.parse(time);
  return ({ from, to, ...look }) => {
    const { decisions, next } = lookBack({ ...look, fromMs: ms(from), toMs: ms(to) });
    return {
      decisions: decisions.map(
        (one) =>
          ({ id: one.id, ...decisionBody(one, new Date(one.decidedAtMs).toISOString()) }) as DecisionView,
      ),
      ...(next !== undefined && { next }),
    };
  };
}
