/** What the pictures of the report share: a plot's scales, its axes, its frame on the page. */

import { type Fragment, type Markup, markup } from "./markup.ts";

type Range = readonly [from: number, to: number];

/** From values to places in the drawing, whose units are pixels where it is shown at its own size. */
export interface Plot {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  x(value: number): number;
  y(value: number): number;
}

export interface PlotOptions {
  readonly x: Range;
  readonly y: Range;
  readonly width?: number;
  readonly height?: number;
  /** Room for the labels of the axes. */
  readonly margins?: readonly [top: number, right: number, bottom: number, left: number];
}

export function createPlot(options: PlotOptions): Plot {
  const { width = 400, height = 290, margins = [10, 20, 44, 58] } = options;
  const [top, fromRight, fromBottom, left] = margins;
  const right = width - fromRight;
  const bottom = height - fromBottom;
  const place = (value: number, [from, to]: Range, [start, end]: Range): number =>
    start + ((value - from) / (to - from)) * (end - start);
  return {
    width,
    height,
    left,
    right,
    top,
    bottom,
    x: (value) => place(value, options.x, [left, right]),
    y: (value) => place(value, options.y, [bottom, top]),
  };
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface AxesOptions {
  readonly x: readonly Tick[];
  readonly y: readonly Tick[];
  readonly xLabel?: string;
  readonly yLabel?: string;
}

/** Grid lines with their labels, and the names of the axes. */
export function axes(plot: Plot, { x, y, xLabel, yLabel }: AxesOptions): Markup {
  const { left, right, top, bottom, height } = plot;
  const middle = (top + bottom) / 2;
  return markup`<g class="axes">${x.map(
    ({ at, label }) =>
      markup`<line x1="${plot.x(at)}" x2="${plot.x(at)}" y1="${top}" y2="${bottom}"/><text x="${plot.x(at)}" y="${bottom + 15}" text-anchor="middle">${label}</text>`,
  )}${y.map(
    ({ at, label }) =>
      markup`<line x1="${left}" x2="${right}" y1="${plot.y(at)}" y2="${plot.y(at)}"/><text x="${left - 6}" y="${plot.y(at) + 4}" text-anchor="end">${label}</text>`,
  )}${xLabel === undefined ? "" : markup`<text x="${(left + right) / 2}" y="${height - 6}" text-anchor="middle">${xLabel}</text>`}${
    yLabel === undefined
      ? ""
      : markup`<text transform="translate(13 ${middle}) rotate(-90)" text-anchor="middle">${yLabel}</text>`
  }</g>`;
}

/** A drawing that says in words what it shows. */
export function drawing({ width, height }: Plot, says: string, content: Fragment): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${says}">${content}</svg>`;
}

export interface Key {
  /** Class of the style sheet that colours the mark. */
  readonly of: string;
  readonly text: string;
}

/** One picture with its title, its keys, and the one sentence that says what it shows. */
export function figure(
  title: string,
  picture: Fragment,
  sentence: string,
  keys: readonly Key[] = [],
): Markup {
  return markup`<figure><h3>${title}</h3>${picture}${
    keys.length === 0
      ? ""
      : markup`<ul class="keys">${keys.map((key) => markup`<li><span class="key ${key.of}"></span>${key.text}</li>`)}</ul>`
  }<figcaption>${sentence}</figcaption></figure>`;
}

/** A path through points, lines straight or in steps. */
export function pathThrough(plot: Plot, points: readonly (readonly [x: number, y: number])[]): string {
  const round = (value: number): number => Math.round(10 * value) / 10;
  return points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${round(plot.x(x))} ${round(plot.y(y))}`).join("");
}

/** Ticks at every fifth of [0, 1]. */
export const FIFTHS: readonly Tick[] = [0, 0.2, 0.4, 0.6, 0.8, 1].map((at) => ({
  at,
  label: at.toFixed(1),
}));

/** About `count` ticks from 0 to `to`, at steps of 1, 2 or 5. */
export function ticksTo(to: number, count: number, label: (at: number) => string): Tick[] {
  const rough = to / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((of) => of * magnitude).find((of) => of >= rough * 0.999)!;
  return Array.from({ length: Math.floor(to / step + 1e-9) + 1 }, (_, i) => ({
    at: i * step,
    label: label(i * step),
  }));
}

/** At most `most` of the items, evenly taken. */
export function thinned<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]!);
}
