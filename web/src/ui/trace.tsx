/** A line of numbers as a curve: a waveform, a spectrum. */

export interface TraceProps {
  readonly values: readonly number[];
  /** Says to who cannot see it what it shows. */
  readonly label: string;
  /** Filled down to its lowest value, as a spectrum is. */
  readonly isFilled?: boolean;
}

const WIDTH = 1000;
const HEIGHT = 240;

export function Trace({ values, label, isFilled = false }: TraceProps) {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const path = pathOf(values, low, high);
  return (
    <svg
      class={isFilled ? "trace is-filled" : "trace"}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {!isFilled && low < 0 && high > 0 && (
        <path class="trace-zero" d={`M0 ${yOf(0, low, high)}H${WIDTH}`} vector-effect="non-scaling-stroke" />
      )}
      <path
        class="trace-line"
        d={isFilled ? `${path}V${HEIGHT}H0Z` : path}
        vector-effect="non-scaling-stroke"
      />
    </svg>
  );
}

/** What is no number leaves a gap. */
function pathOf(values: readonly number[], low: number, high: number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  let isDown = false;
  return values
    .map((value, i) => {
      if (!Number.isFinite(value)) {
        isDown = false;
        return "";
      }
      const move = isDown ? "L" : "M";
      isDown = true;
      return `${move}${(i * step).toFixed(1)} ${yOf(value, low, high).toFixed(1)}`;
    })
    .join("");
}

function yOf(value: number, low: number, high: number): number {
  const margin = 4;
  if (!(high > low)) return HEIGHT / 2;
  return HEIGHT - margin - ((value - low) / (high - low)) * (HEIGHT - 2 * margin);
}
