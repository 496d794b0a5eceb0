/** Lines under and over an activation between two numbers, by which what is not linear is bounded by what is. */

/** f(x) >= slope x + offset between l and u where it lies under f; <= where it lies over. */
export interface Line {
  slope: number;
  offset: number;
}

/** Rounding of a line's slope, in parts of the largest number that it meets. */
const LINE_SLACK = 2 ** -50;

/**
 * The line under ReLU that leaves the smaller area: the function 0 or x.
 * @see Zhang et al. 2018, Efficient Neural Network Robustness Certification with General Activation Functions
 */
export function lineUnderRelu(l: number, u: number, line: Line): void {
  line.slope = l >= 0 || u > -l ? 1 : 0;
  if (u <= 0) line.slope = 0;
  line.offset = 0;
}

/** The chord over ReLU. */
export function lineOverRelu(l: number, u: number, line: Line): void {
  if (l >= 0 || u <= 0) {
    line.slope = l >= 0 ? 1 : 0;
    line.offset = 0;
    return;
  }
  line.slope = u / (u - l);
  line.offset = -line.slope * l + LINE_SLACK * Math.max(u, -l);
}

/**
 * A line under tanh: the chord where it is concave, a tangent where it is convex, and between the two the line
 * through the left end with the smaller slope of the ends.
 * @see Singh et al. 2019, An Abstract Domain for Certifying Neural Networks, section 3.3
 */
export function lineUnderTanh(l: number, u: number, line: Line): void {
  const left = Math.tanh(l);
  if (u <= 0) {
    const middle = (l + u) / 2;
    const at = Math.tanh(middle);
    line.slope = 1 - at * at;
    line.offset = at - line.slope * middle;
  } else {
    const right = Math.tanh(u);
    line.slope =
      l >= 0 && u - l > 1e-6 ? (right - left) / (u - l) : Math.min(1 - left * left, 1 - right * right);
    line.offset = left - line.slope * l;
  }
  line.offset -= 1e-12 + LINE_SLACK * Math.max(Math.abs(l), Math.abs(u));
}

/** Over it, by symmetry. */
export function lineOverTanh(l: number, u: number, line: Line): void {
  lineUnderTanh(-u, -l, line);
  line.offset = -line.offset;
}
