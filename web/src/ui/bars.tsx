/** Confidences: a bar for each class, and one confidence beside the band in which another was recorded. */

import { percent } from "../i18n/index.ts";

/** A bar behind its own number; the number is what is read out. */
export function Bar({ share }: { readonly share: number }) {
  return (
    <span class="share">
      <svg class="share-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="share-all" width="100" height="8" />
        <rect class="share-part" width={100 * within01(share)} height="8" />
      </svg>
      <span class="figures">{percent(share)}</span>
    </span>
  );
}

export interface BandBarProps {
  /** How sure the student is, 0 to 1. */
  readonly own: number;
  /** How sure the teacher was recorded to be. */
  readonly band: readonly [low: number, high: number];
  readonly ownLabel: string;
  readonly bandLabel: string;
}

const WIDTH = 1000;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** The band as a hatched box, the student as a needle: told apart by shape as well as by colour. */
export function BandBar({ own, band, ownLabel, bandLabel }: BandBarProps) {
  const [low, high] = [within01(band[0]), within01(band[1])];
  const x = WIDTH * within01(own);
  return (
    <figure class="band">
      <svg class="band-scale" viewBox={`-20 0 ${WIDTH + 40} 96`} aria-hidden="true">
        <defs>
          <pattern
            id="hatch"
            width="14"
            height="14"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect class="band-fill" width="14" height="14" />
            <path class="band-hatch" d="M0 0v14" />
          </pattern>
        </defs>
        <rect class="band-axis" y="38" width={WIDTH} height="24" rx="4" />
        <rect
          class="band-box"
          x={WIDTH * low}
          y="26"
          width={Math.max(8, WIDTH * (high - low))}
          height="48"
          rx="4"
          fill="url(#hatch)"
        />
        <path class="band-needle" d={`M${x} 22v60M${x - 16} 2h32l-16 22z`} />
        {TICKS.map((tick) => (
          <path key={tick} class="band-tick" d={`M${WIDTH * tick} 84v10`} />
        ))}
      </svg>
      <p class="band-ends figures" aria-hidden="true">
        <span>0%</span>
        <span>100%</span>
      </p>
      <figcaption class="band-legend">
        <span>
          <svg class="band-key" viewBox="0 0 32 24" aria-hidden="true">
            <path class="band-needle" d="M2 0h28l-14 22z" />
          </svg>
          {ownLabel}
        </span>
        <span>
          <svg class="band-key" viewBox="0 0 32 24" aria-hidden="true">
            <rect class="band-box" width="32" height="24" rx="4" fill="url(#hatch)" />
          </svg>
          {bandLabel}
        </span>
      </figcaption>
    </figure>
  );
}

function within01(value: number): number {
  return Math.min(1, Math.max(0, value));
}
