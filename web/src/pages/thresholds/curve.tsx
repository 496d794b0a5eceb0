/** The risk-coverage curve over the coarse grid: how much would pass, and the risk that is proven of it at most. */

import type { CertificateRule, CertificateView } from "../../contract.ts";
import { t } from "../../i18n/index.ts";
import { boundShare, share } from "../../ui/words.ts";

const WIDTH = 760;
const HEIGHT = 340;
const PLOT = { left: 64, right: WIDTH - 20, top: 18, bottom: HEIGHT - 52 };
/** Bounds above this multiple of alpha lie at the upper edge: strict points, of which few parts were counted. */
const HEADROOM = 3;

export interface CurveProps {
  readonly certificate: CertificateView;
  readonly chosen: number;
  readonly inForce: number;
  readonly onChoose: (index: number) => void;
}

interface Scale {
  readonly x: (passRate: number) => number;
  readonly y: (risk: number) => number;
  readonly risks: readonly number[];
  readonly rates: readonly number[];
}

export function Curve({ certificate, chosen, inForce, onChoose }: CurveProps) {
  const { rules, alpha } = certificate;
  const scale = scaleOf(rules, alpha, [chosen, inForce]);
  const at = (rule: CertificateRule): readonly [number, number] => [
    scale.x(rule.expectedPassRate),
    scale.y(rule.station.upperBound),
  ];
  // A line joins what differs in lambda alone: with other classes it is another trade.
  const path = rules
    .map((rule, i) => `${isLike(rule, rules[i - 1]) ? "L" : "M"}${at(rule).join(" ")}`)
    .join("");
  const own = rules[chosen];
  return (
    <figure class="curve">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary(certificate, chosen)}>
        <Axes scale={scale} />
        <line class="curve-alpha" x1={PLOT.left} x2={PLOT.right} y1={scale.y(alpha)} y2={scale.y(alpha)} />
        <clipPath id="curve-plot">
          <rect x={PLOT.left} y={0} width={WIDTH} height={HEIGHT} />
        </clipPath>
        <path class="curve-path" d={path} clip-path="url(#curve-plot)" />
        {own !== undefined && <Cross at={at(own)} />}
        {rules.map(
          (rule, i) =>
            at(rule)[0] >= PLOT.left && (
              <Point
                key={rule.lambda}
                at={at(rule)}
                isAllowed={rule.allowed}
                isChosen={i === chosen}
                isInForce={i === inForce}
                onChoose={() => onChoose(i)}
              />
            ),
        )}
        <text class="curve-alpha-text" x={PLOT.left + 8} y={scale.y(alpha) - 8}>
          {t("thresholds.curve.limit", { limit: boundShare(alpha) })}
        </text>
      </svg>
      <Legend />
    </figure>
  );
}

function isLike(rule: CertificateRule, before: CertificateRule | undefined): boolean {
  return before !== undefined && rule.set.join("\n") === before.set.join("\n");
}

/** Wide enough for what is shown, and for all but the strictest tenth, which lets next to nothing pass. */
function scaleOf(rules: readonly CertificateRule[], alpha: number, shown: readonly number[]): Scale {
  const most = Math.max(...rules.map(({ station }) => station.upperBound));
  const riskMax = Math.min(Math.max(1.25 * alpha, 1.1 * most), HEADROOM * alpha);
  const rates = rules.map(({ expectedPassRate }) => expectedPassRate);
  const strictest = Math.ceil(rates.length / 10);
  const first = Math.min(...rates.filter((_, i) => i >= strictest || shown.includes(i)));
  const low = Math.floor(first * 20) / 20;
  const high = Math.max(low + 0.05, Math.min(1, Math.ceil(Math.max(...rates) * 20) / 20));
  const { left, right, top, bottom } = PLOT;
  return {
    x: (rate) => left + ((right - left) * (rate - low)) / (high - low),
    y: (risk) => bottom - ((bottom - top) * Math.min(risk, riskMax)) / riskMax,
    risks: ticks(0, riskMax, 4),
    rates: ticks(low, high, 5),
  };
}

/** Round numbers between two, about so many. */
function ticks(low: number, high: number, about: number): number[] {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999) ?? rough;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

function Axes({ scale }: { readonly scale: Scale }) {
  return (
    <g class="curve-axes">
      {scale.risks.map((risk) => (
        <g key={risk}>
          <line x1={PLOT.left} x2={PLOT.right} y1={scale.y(risk)} y2={scale.y(risk)} />
          <text x={PLOT.left - 8} y={scale.y(risk) + 5} text-anchor="end">
            {share(risk)}
          </text>
        </g>
      ))}
      {scale.rates.map((rate) => (
        <text key={rate} x={scale.x(rate)} y={PLOT.bottom + 20} text-anchor="middle">
          {share(rate)}
        </text>
      ))}
      <text class="curve-title" x={PLOT.right} y={HEIGHT - 8} text-anchor="end">
        {t("thresholds.curve.x")} →
      </text>
      <text class="curve-title" x={PLOT.left} y={HEIGHT - 8}>
        ↑ {t("thresholds.curve.y")}
      </text>
    </g>
  );
}

function Cross({ at: [x, y] }: { readonly at: readonly [number, number] }) {
  return (
    <g class="curve-cross">
      <line x1={x} x2={x} y1={y} y2={PLOT.bottom} />
      <line x1={PLOT.left} x2={x} y1={y} y2={y} />
    </g>
  );
}

interface PointProps {
  readonly at: readonly [number, number];
  readonly isAllowed: boolean;
  readonly isChosen: boolean;
  readonly isInForce: boolean;
  readonly onChoose: () => void;
}

/** By shape, too: a disc is proven, a cross is not, a square is in force, a ring is chosen. */
function Point({ at: [x, y], isAllowed, isChosen, isInForce, onChoose }: PointProps) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for the pointer; the slider below has the keys.
    <g class={`curve-point ${isAllowed ? "ok" : "no"}`} onClick={onChoose}>
      <circle class="curve-hit" cx={x} cy={y} r={16} />
      {isInForce && <rect class="curve-now" x={x - 10} y={y - 10} width={20} height={20} />}
      {isChosen && <circle class="curve-ring" cx={x} cy={y} r={13} />}
      {isAllowed ? (
        <circle cx={x} cy={y} r={5.5} />
      ) : (
        <path d={`M${x - 5} ${y - 5}l10 10M${x + 5} ${y - 5}l-10 10`} />
      )}
    </g>
  );
}

function Legend() {
  return (
    <figcaption class="curve-legend">
      <span>
        <svg viewBox="0 0 20 20" aria-hidden="true" class="curve-point ok">
          <circle cx={10} cy={10} r={5.5} />
        </svg>
        {t("thresholds.curve.ok")}
      </span>
      <span>
        <svg viewBox="0 0 20 20" aria-hidden="true" class="curve-point no">
          <path d="M5 5l10 10M15 5l-10 10" />
        </svg>
        {t("thresholds.curve.no")}
      </span>
      <span>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <rect class="curve-now" x={2} y={2} width={20} height={20} />
        </svg>
        {t("thresholds.curve.inForce")}
      </span>
      <span>
        <svg viewBox="0 0 30 30" aria-hidden="true">
          <circle class="curve-ring" cx={15} cy={15} r={12} />
        </svg>
        {t("thresholds.curve.chosen")}
      </span>
    </figcaption>
  );
}

function summary({ rules, alpha }: CertificateView, chosen: number): string {
  const own = rules[chosen];
  const limit = t("thresholds.curve.limit", { limit: boundShare(alpha) });
  if (own === undefined) return `${t("thresholds.curve")}. ${limit}`;
  const [pass, risk] = [share(own.expectedPassRate), boundShare(own.station.upperBound)];
  return `${t("thresholds.curve")}. ${limit}. ${t("thresholds.curve.chosen")}: ${pass}, ${risk}.`;
}
