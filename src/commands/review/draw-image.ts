/** Draws an image with characters: half blocks in colour, two pixels to a cell, or a ramp of greys. */

export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Rows of interleaved channels, 0 to 255. */
  readonly pixels: ArrayLike<number>;
}

/** How many colours there are to draw with. */
export type Ink = "true-colour" | "256-colours" | "ascii";

/** From dark to light, as they look on a dark ground. */
const RAMP = " .:-=+*#%@";
const RESET = "\x1b[0m";

type Colour = readonly [number, number, number];

/**
 * The picture in at most so many columns and rows, its sides in their proportion: an image larger than that is reduced
 * by means over areas, a smaller one is enlarged by a whole factor.
 */
export function drawImage(picture: Picture, columns: number, rows: number, ink: Ink): string[] {
  const { width, height } = picture;
  // A cell is about twice as high as it is wide, and so shows two pixels.
  const fits = Math.min(columns / width, (2 * rows) / height);
  const scale = fits >= 1 ? Math.floor(fits) : fits;
  const across = Math.max(1, Math.floor(scale * width));
  const down = Math.max(1, Math.floor(scale * height));
  const at = (x: number, y: number): Colour => meanOver(picture, x / across, y / down, 1 / across, 1 / down);
  return Array.from({ length: Math.ceil(down / 2) }, (_, row) => {
    const cells = Array.from({ length: across }, (_, x) => {
      const isWhole = 2 * row + 1 < down;
      return [at(x, 2 * row), isWhole ? at(x, 2 * row + 1) : undefined] as const;
    });
    return ink === "ascii" ? cells.map(rampOf).join("") : blocks(cells, ink);
  });
}

/** Mean of the pixels that an area touches; its place and sides are shares of the picture's. */
function meanOver(
  { width, height, channels, pixels }: Picture,
  x: number,
  y: number,
  w: number,
  h: number,
): Colour {
  // Nudged inwards, so that rounding makes no area touch the pixel behind its edge.
  const nudge = 1e-9;
  const [left, right] = [Math.floor(x * width + nudge), Math.ceil((x + w) * width - nudge)];
  const [top, bottom] = [Math.floor(y * height + nudge), Math.ceil((y + h) * height - nudge)];
  const sum = [0, 0, 0];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const place = (row * width + column) * channels;
      for (let c = 0; c < 3; c++) sum[c]! += pixels[place + (channels === 3 ? c : 0)]!;
    }
  }
  const count = (right - left) * (bottom - top);
  return sum.map((one) => Math.round(one / count)) as unknown as Colour;
}

function rampOf([upper, lower = upper]: readonly [Colour, Colour | undefined]): string {
  const light = (luma(upper) + luma(lower)) / 2;
  return RAMP[Math.min(RAMP.length - 1, Math.floor((light / 256) * RAMP.length))]!;
}

/** Rec. 601, as frames are made grey. */
function luma([red, green, blue]: Colour): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** One row of cells; colours are named where they change. */
function blocks(
  cells: readonly (readonly [Colour, Colour | undefined])[],
  ink: Exclude<Ink, "ascii">,
): string {
  let set = "";
  const drawn = cells.map(([upper, lower]) => {
    const ground = lower === undefined ? "\x1b[49m" : `\x1b[48;${codeOf(lower, ink)}m`;
    const wanted = `\x1b[38;${codeOf(upper, ink)}m${ground}`;
    const change = wanted === set ? "" : wanted;
    set = wanted;
    return `${change}▀`;
  });
  return drawn.join("") + RESET;
}

function codeOf([red, green, blue]: Colour, ink: Exclude<Ink, "ascii">): string {
  return ink === "true-colour" ? `2;${red};${green};${blue}` : `5;${nearestOf256([red, green, blue])}`;
}

/** Levels of the colour cube that terminals with 256 colours share; its greys lie between, 24 of them. */
const LEVELS = [0, 95, 135, 175, 215, 255];

function nearestOf256(colour: Colour): number {
  const cube = colour.map((value) => nearestLevel(value));
  const cubeColour = cube.map((level) => LEVELS[level]!);
  const grey = Math.min(23, Math.max(0, Math.round(((colour[0] + colour[1] + colour[2]) / 3 - 8) / 10)));
  const distance = (other: readonly number[]): number =>
    other.reduce((sum, value, c) => sum + (value - colour[c]!) ** 2, 0);
  const greyLevel = 8 + 10 * grey;
  if (distance([greyLevel, greyLevel, greyLevel]) < distance(cubeColour)) return 232 + grey;
  return 16 + 36 * cube[0]! + 6 * cube[1]! + cube[2]!;
}

function nearestLevel(value: number): number {
  return LEVELS.reduce(
    (best, level, at) => (Math.abs(level - value) < Math.abs(LEVELS[best]! - value) ? at : best),
    0,
  );
}
