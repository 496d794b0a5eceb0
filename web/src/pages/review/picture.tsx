/** The frame itself: a picture, a signal or a table, as big as there is room for. */

import { useState } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { Button } from "../../ui/button.tsx";
import { Empty } from "../../ui/state.tsx";
import { Trace } from "../../ui/trace.tsx";
import type { Picture, Signal } from "./sight.ts";

export type Shown =
  | Picture
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly retry: () => void };

export function PictureView({ picture, source }: { readonly picture: Shown; readonly source: string }) {
  switch (picture.kind) {
    case "loading":
      return (
        <div class="picture is-empty" role="status">
          <span class="loading">{t("review.picture.loading")}</span>
        </div>
      );
    case "failed":
      return (
        <div class="picture is-empty">
          <Empty icon="warning" title={t("review.picture.failed")}>
            <Button onClick={picture.retry}>{t("state.retry")}</Button>
          </Empty>
        </div>
      );
    case "none":
      return (
        <div class="picture is-empty">
          <Empty icon="unusable" title={t(`review.picture.${picture.why}`)}>
            <p>{t("review.picture.gone.hint")}</p>
          </Empty>
        </div>
      );
    case "image":
      return <ImageView url={picture.url} source={source} />;
    case "signal":
      return <SignalView signal={picture.signal} />;
    case "vector":
      return <VectorView vector={picture.vector} />;
    default:
      return unreachable(picture);
  }
}

function ImageView({ url, source }: { readonly url: string; readonly source: string }) {
  const [isSmall, setSmall] = useState(true);
  return (
    <div class="picture">
      <img
        src={url}
        alt={t("review.picture", { source })}
        // Each pixel of a small picture is shown as it is; a large one is shrunk smoothly.
        class={isSmall ? "is-crisp" : ""}
        onLoad={({ currentTarget: image }) => setSmall(image.naturalWidth < image.clientWidth)}
      />
    </div>
  );
}

function SignalView({ signal }: { readonly signal: Signal }) {
  const { samples, spectrum } = signal;
  return (
    <div class="picture is-signal">
      <figure>
        <figcaption>{t("review.signal.wave")}</figcaption>
        <Trace values={samples} label={t("review.signal.wave")} />
      </figure>
      <figure>
        <figcaption>{t("review.signal.spectrum")}</figcaption>
        <Trace values={spectrum} label={t("review.signal.spectrum")} isFilled />
      </figure>
    </div>
  );
}

function VectorView({ vector }: { readonly vector: Extract<Picture, { kind: "vector" }>["vector"] }) {
  return (
    <div class="picture is-table">
      <table>
        <thead>
          <tr>
            <th scope="col">{t("review.vector.name")}</th>
            <th scope="col" class="number">
              {t("review.vector.value")}
            </th>
          </tr>
        </thead>
        <tbody>
          {vector.map(({ value }, i) => (
            <tr key={i}>
              <th scope="row">{i + 1}</th>
              <td class="number">{value.toPrecision(4)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function unreachable(value: never): never {
  throw new Error(`no such picture: ${JSON.stringify(value)}`);
}
