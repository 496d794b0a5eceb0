/** Beside the frame: how sure both models were, and the recorded frames most like it. Nothing of it is told of an audit. */

import type { ReviewView } from "../../../../src/http/api-schemas.ts";
import { percent, t } from "../../i18n/index.ts";
import { BandBar } from "../../ui/bars.tsx";
import { Trace } from "../../ui/trace.tsx";
import { type Neighbour, pathOf, type Sight } from "./sight.ts";

export function Evidence({ row, sight }: { readonly row: ReviewView; readonly sight: Sight | undefined }) {
  const isBlind = row.reason === "audit";
  return (
    <>
      {!isBlind && row.confidence !== null && row.band !== null && (
        <Sureness own={row.confidence} band={row.band as [number, number]} sight={sight} />
      )}
      {!isBlind && <Neighbours row={row} neighbours={sight?.view.neighbours ?? []} />}
    </>
  );
}

interface SurenessProps {
  readonly own: number;
  readonly band: readonly [number, number];
  readonly sight: Sight | undefined;
}

function Sureness({ own, band: [low, high], sight }: SurenessProps) {
  const isSignal = sight?.picture.kind === "signal";
  return (
    <section class="sureness">
      <h3>{t(isSignal ? "review.sure.signal" : "review.sure")}</h3>
      <BandBar
        own={own}
        band={[low, high]}
        ownLabel={t("review.sure.own", { own: percent(own) })}
        bandLabel={t("review.sure.band", { low: percent(low), high: percent(high) })}
      />
    </section>
  );
}

interface NeighboursProps {
  readonly row: ReviewView;
  readonly neighbours: readonly Neighbour[];
}

/** Those of the class that the student says, then those of its second guess. */
function Neighbours({ row, neighbours }: NeighboursProps) {
  if (neighbours.length === 0) return null;
  const classes = [...new Set(neighbours.map((one) => one.class))];
  return (
    <section class="like">
      <h3>{t("review.like")}</h3>
      <div class="like-groups">
        {classes.map((name) => (
          <figure key={name}>
            <figcaption>
              {t(name === row.class ? "review.like.predicted" : "review.like.other", { class: name })}
            </figcaption>
            <ul>
              {neighbours
                .filter((one) => one.class === name)
                .map((one, i) => (
                  <li key={i}>
                    <NeighbourPicture review={row.review} neighbour={one} />
                    <span class="soft">
                      {t("review.like.sure", { confidence: percent(one.confidenceTeacher) })}
                    </span>
                  </li>
                ))}
            </ul>
          </figure>
        ))}
      </div>
    </section>
  );
}

interface NeighbourPictureProps {
  readonly review: string;
  readonly neighbour: Neighbour;
}

function NeighbourPicture({ review, neighbour: { class: name, picture, signal } }: NeighbourPictureProps) {
  const label = t("review.like.class", { class: name });
  if (picture !== undefined) {
    return <img src={`/api${pathOf(review, picture.image)}`} alt={label} class="is-crisp" />;
  }
  return signal === undefined ? null : <Trace values={signal.samples} label={label} />;
}
