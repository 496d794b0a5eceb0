/** A comparison of two bundles, as the API and the command line show it. */

import { differ } from "../../core/shadow.ts";
import type { ShadowStanding } from "../../gateway/shadow-ports.ts";
import type { ShadowView } from "../../http/shadow-route.ts";
import type { ShadowState } from "../kept-shadows.ts";

export function viewOf(
  station: string,
  { state, reason }: ShadowState,
  found: ShadowStanding | undefined,
): ShadowView {
  return {
    ...{ station, state },
    ...(reason !== undefined && { reason }),
    ...(found !== undefined && { comparison: comparisonOf(found) }),
  };
}

function comparisonOf(found: ShadowStanding): NonNullable<ShadowView["comparison"]> {
  const { comparison, beganAtMs, lastAtMs, judged, dropped, lost, pairs } = found;
  const { liveBundle, liveRevision, shadowBundle, shadowRevision } = comparison;
  return {
    ...{ liveBundle, liveRevision, shadowBundle, shadowRevision },
    from: new Date(beganAtMs).toISOString(),
    to: new Date(lastAtMs).toISOString(),
    ...{ judged, dropped, lost },
    differing: pairs.filter(differ).reduce((sum, { frames }) => sum + frames, 0),
    pairs: pairs.map(({ live, shadow, frames }) => ({
      live: { decision: live.decision, class: live.className ?? null },
      shadow: { decision: shadow.decision, class: shadow.className ?? null },
      frames,
    })),
  };
}
