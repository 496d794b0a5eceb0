/** The report's style sheet: readable in the light, in the dark, on a phone and on A4. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1c2126; --soft: #5a646e; --line: #d9dee3; --panel: #f5f7f9;
  --envelope: #0b63a8; --plain: #6b7480; --faint: #c3ced9; --unfaithful: #c2410c; --band: #0b63a833;
  --good: #17663a; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --text: #e6eaee; --soft: #a3adb7; --line: #333b43; --panel: #1c2227;
    --envelope: #63b3f0; --plain: #a8b2bc; --faint: #45525e; --unfaithful: #ff8f5a; --band: #63b3f03d;
    --good: #74d39a; --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 76rem; background: var(--page); color: var(--text);
  font: .95rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
h4 { font-size: .85rem; margin: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
p { margin: .4rem 0; max-width: 62rem; }
.meta, .note, small, figcaption { color: var(--soft); font-size: .85rem; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .85em; }
.verdict { border-left: 4px solid var(--good); background: var(--panel); padding: .5rem .8rem; margin: 1rem 0; }
.verdict.bad { border-color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.tile { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; }
.tile b { display: block; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .85rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); gap: 1rem; }
.pictures.three { grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); }
figure { margin: 0; padding: .9rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
figure > svg { display: block; width: 100%; max-width: 30rem; height: auto; margin: 0 auto; }
figcaption { margin-top: .5rem; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: .3rem 0 0; padding: 0; font-size: .85rem; }
.keys li { display: flex; align-items: center; gap: .4rem; }
.key { display: inline-block; width: 22px; border-top: 3px solid var(--envelope); }
.key.plain { border-top: 3px dashed var(--plain); }
.key.limit { border-top: 2px dotted var(--unfaithful); }
.key.block, .key.band { height: 11px; border: 0; background: var(--envelope); }
.key.faint { background: var(--faint); }
.key.band { background: var(--band); }
.key.agreement { border-top: 2px dashed var(--soft); }
.key.spot, .key.cross, .key.disc { width: auto; border: 0; }
.key.disc::before { content: "●"; color: var(--envelope); }
.key.spot::before { content: "●"; color: var(--plain); }
.key.cross::before { content: "×"; color: var(--unfaithful); font-weight: 700; }
svg { font: 12px system-ui, "Segoe UI", Roboto, Arial, sans-serif; }
.axes line { stroke: var(--line); stroke-width: 1; }
.axes text { fill: var(--soft); }
path { fill: none; }
path.envelope { stroke: var(--envelope); stroke-width: 2; }
path.plain { stroke: var(--plain); stroke-width: 2; stroke-dasharray: 5 3; }
path.whisker { stroke-width: 1.5; stroke-dasharray: none; }
.dot { fill: var(--envelope); stroke: var(--panel); stroke-width: 1.5; }
.dot.plain { fill: var(--plain); }
line.limit { stroke: var(--unfaithful); stroke-width: 2; stroke-dasharray: 2 3; }
rect.block { fill: var(--envelope); }
rect.faint { fill: var(--faint); }
rect.heat { fill: var(--unfaithful); stroke: none; }
rect.heat.over { stroke: var(--unfaithful); stroke-width: 1; }
.gallery.ball { grid-template-columns: repeat(auto-fill, minmax(min(100%, 12.5rem), 15rem)); margin-bottom: .75rem; }
path.diagonal { stroke: var(--soft); stroke-dasharray: 4 4; }
path.band { fill: var(--band); stroke: none; }
circle.faithful { fill: var(--plain); fill-opacity: .55; }
path.unfaithful { stroke: var(--unfaithful); stroke-width: 1.2; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, max(9.5rem, 18%)), 1fr)); gap: .75rem; }
.panel { min-width: 0; }
.panel svg { display: block; width: 100%; height: auto; }
.panel p { margin: 0; color: var(--soft); font-size: .8rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.counts { width: 100%; font-size: .87rem; }
.counts th, .counts td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
.counts thead th { color: var(--soft); font-weight: 600; }
.counts th:first-child {
  position: sticky; left: 0; background: var(--page); text-align: left;
  max-width: 14rem; overflow: hidden; text-overflow: ellipsis;
}
.counts .word { text-align: left; }
.counts strong { color: var(--bad); }
.held { color: var(--soft); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 12.5rem), 1fr)); gap: .75rem; margin: .6rem 0 1.5rem; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .6rem; min-width: 0; }
.card img { display: block; width: 112px; height: 112px; object-fit: contain; image-rendering: pixelated; margin: 0 auto .4rem; background: #000; }
.card .signal { display: block; width: 100%; height: auto; margin-bottom: .4rem; }
.signal polyline { fill: none; stroke: var(--envelope); stroke-width: 1; }
.card table { width: 100%; font-size: .82rem; table-layout: fixed; }
.card th { width: 3.6rem; text-align: left; vertical-align: top; font-weight: 400; color: var(--soft); padding: 0; }
.card td { vertical-align: top; padding: 0; }
.card td:last-child { width: 3.3rem; text-align: right; }
.card .differs { color: var(--unfaithful); font-weight: 600; }
@media screen and (max-width: 30rem) {
  .card { display: grid; grid-template-columns: 6rem 1fr; column-gap: .75rem; }
  .card img { width: 6rem; height: 6rem; grid-row: 1 / 3; }
  .card .signal { grid-row: 1 / 3; }
  .counts { font-size: .8rem; }
  .counts th:first-child { max-width: 8.5rem; }
}
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0; color: var(--soft); max-width: 62rem; }
@page { size: A4; margin: 14mm; }
@media print {
  :root {
    color-scheme: light;
    --page: #ffffff; --text: #000000; --soft: #444b52; --line: #cfd5da; --panel: #ffffff;
    --envelope: #0b63a8; --plain: #6b7480; --faint: #c3ced9; --unfaithful: #c2410c; --band: #0b63a833;
    --good: #17663a; --bad: #b3261e;
  }
  html { font-size: 9pt; }
  body { padding: 0; max-width: none; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, h3 { break-after: avoid; }
  figure, .card, .tile, tr, .panel { break-inside: avoid; }
  figure.wide { break-inside: auto; }
  .scroll { overflow: visible; }
  .counts th:first-child { position: static; }
  .counts th, .counts td { padding: .15rem .3rem; }
  h2 { margin-top: 1.4rem; }
  .pictures { grid-template-columns: repeat(2, 1fr); }
  .pictures.three { grid-template-columns: repeat(3, 1fr); }
  .three svg { font-size: 15px; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .panels { grid-template-columns: repeat(5, 1fr); }
  .gallery { grid-template-columns: repeat(4, 1fr); }
}
`;
