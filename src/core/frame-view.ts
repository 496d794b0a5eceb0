/** What a person is shown of a frame: a picture, a curve, or its numbers; made of its decoded numbers and nothing else. */

/** How a frame of a shape is best looked at. */
export type Look =
  | { readonly kind: "picture"; readonly height: number; readonly width: number; readonly channels: 1 | 3 }
  /** `signals` of them, one behind the other. */
  | { readonly kind: "signal"; readonly signals: number; readonly length: number }
  | { readonly kind: "numbers"; readonly length: number };

/** As drawn; the pixels themselves are in the answer's images. */
export interface Drawn {
  /** Size of the PNG that was made. */
  readonly picture?: { readonly width: number; readonly height: number };
  readonly signal?: {
    readonly samples: readonly number[];
    readonly spectrum: readonly number[];
    /** Signals that the frame holds; the first is shown. */
    readonly signals: number;
    /** Numbers of each. */
    readonly length: number;
  };
  readonly numbers?: readonly number[];
}

/** Up to so many numbers are a table; more are a curve. */
const NUMBERS_MAX = 64;
/** More of them than this, each short, are a picture. */
const SIGNALS_MAX = 16;

/** The last long side of a tensor is time; of two long sides a picture is made. */
export function lookOf(
  spec:
    | { readonly kind: "image"; readonly height: number; readonly width: number; readonly channels: 1 | 3 }
    | { readonly kind: "tensor"; readonly shape: readonly number[] },
): Look {
  if (spec.kind === "image") {
    const { height, width, channels } = spec;
    return { kind: "picture", height, width, channels };
  }
  const total = spec.shape.reduce((product, side) => product * side, 1);
  if (total <= NUMBERS_MAX) return { kind: "numbers", length: total };
  const length = spec.shape.findLast((side) => side > 1)!;
  const signals = total / length;
  if (signals > SIGNALS_MAX) return { kind: "picture", height: signals, width: length, channels: 1 };
  return { kind: "signal", signals, length };
}
