/**
 * Answered reviews as Label Studio takes them: its basic JSON format, and the labelling configuration that goes with it.
 * @see labelstud.io/guide/tasks.html, /guide/predictions.html, /tags/timeseries.html
 */

import type { FrameSpec } from "../../core/frame.ts";
import { encodePng } from "../../http/png.ts";
import type { ResolvedReview } from "../../ledger/resolved-reviews.ts";

/** Names of the control and of the object in the configuration, which every result repeats. */
const CONTROL = "class";
const OBJECT = "frame";

/** One task: the frame, the person's label as its annotation, the student's class as its prediction. */
export function taskOf(
  review: ResolvedReview,
  values: ArrayLike<number>,
  spec: FrameSpec,
  classes: readonly string[],
): object {
  const { className, confidence } = review;
  const isKnown = className !== null && classes.includes(className);
  return {
    data: {
      frame: spec.kind === "image" ? imageOf(values, spec) : seriesOf(values, spec),
      review: review.id,
      station: review.station,
      source: review.source,
      frameId: review.frame,
      part: review.part,
      reason: review.reason,
      verdict: review.verdict,
      answeredAt: new Date(review.resolvedAtMs).toISOString(),
    },
    annotations: [{ result: [choice(review.id, review.verdictClass!)] }],
    predictions: isKnown
      ? [
          {
            model_version: `student ${review.bundle.slice(0, 12)}`,
            ...(confidence !== null && { score: confidence }),
            result: [choice(`${review.id}-student`, className)],
          },
        ]
      : [],
  };
}

function choice(id: string, className: string): object {
  return { id, from_name: CONTROL, to_name: OBJECT, type: "choices", value: { choices: [className] } };
}

function imageOf(pixels: ArrayLike<number>, spec: Extract<FrameSpec, { kind: "image" }>): string {
  return `data:image/png;base64,${encodePng(pixels, spec).toString("base64")}`;
}

/** Columns of numbers, one a channel; time runs along the last axis. */
function seriesOf(values: ArrayLike<number>, { shape }: Extract<FrameSpec, { kind: "tensor" }>): object {
  const length = shape.at(-1)!;
  return Object.fromEntries(
    columnsOf(shape).map((column, c) => [column, Array.from({ length }, (_, i) => values[c * length + i]!)]),
  );
}

function columnsOf(shape: readonly number[]): readonly string[] {
  const channels = shape.slice(0, -1).reduce((product, side) => product * side, 1);
  return Array.from({ length: channels }, (_, c) => (channels === 1 ? "value" : `channel-${c}`));
}

/** The labelling configuration of the project that the tasks are imported into. */
export function labellingConfig(spec: FrameSpec, classes: readonly string[]): string {
  const object =
    spec.kind === "image"
      ? [`  <Image name="${OBJECT}" value="$frame"/>`]
      : [
          `  <TimeSeries name="${OBJECT}" value="$frame" valueType="json">`,
          ...columnsOf(spec.shape).map((column) => `    <Channel column="${column}"/>`),
          "  </TimeSeries>",
        ];
  return [
    "<View>",
    ...object,
    `  <Choices name="${CONTROL}" toName="${OBJECT}" choice="single" required="true">`,
    ...classes.map((name) => `    <Choice value="${escaped(name)}"/>`),
    "  </Choices>",
    "</View>",
    "",
  ].join("\n");
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (one) => entities[one]!);
}
