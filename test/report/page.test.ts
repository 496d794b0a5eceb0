/** The report: whole in itself, whatever the names in it, and with a picture of everything asked for. */

import { describe, expect, test } from "vitest";
import { boundsSummary, type FrameBounds } from "../../src/core/bounds/summary.ts";
import { certifyBaseline } from "../../src/core/envelope/baseline.ts";
import { certify } from "../../src/core/envelope/certificate.ts";
import { fitEnvelope } from "../../src/core/envelope/fit.ts";
import { type EvaluationInput, evaluate } from "../../src/core/evaluation/evaluate.ts";
import type { BallPicture, Look, ReportData } from "../../src/report/data.ts";
import { escapeText, markup } from "../../src/report/markup.ts";
import { reportPage } from "../../src/report/page.ts";
import { FULL_OPTIONS, someEvidence } from "../core/evidence.ts";

const HOSTILE = `<script>alert("1")</script>`;
const classes = [HOSTILE, `"><img src=x onerror='x'>`, "class & </title>"];
const evidence = { ...someEvidence({ parts: 3000, seed: 2 }), classes };
const fitted = fitEnvelope(evidence, { delta: 0.15, seed: 3 });
const certificate = certify(evidence, fitted, FULL_OPTIONS);
const baseline = certifyBaseline(evidence, fitted, FULL_OPTIONS);

const PNG: Look = { kind: "image", pngBase64: "iVBORw0KGgo=" };

interface ReportOptions extends Partial<EvaluationInput> {
  readonly look?: Look;
  readonly bounds?: ReportData["bounds"];
  readonly hasLabels?: boolean;
}

function aReport({ look = PNG, hasLabels = false, bounds, ...changes }: ReportOptions = {}): ReportData {
  const unlabelled = { ...someEvidence({ parts: 900, seed: 77 }), classes };
  const heldOut = hasLabels
    ? { ...unlabelled, label: unlabelled.label.map((_, row) => row % 3) }
    : unlabelled;
  const evaluation = evaluate({
    heldOut,
    fitted,
    certificate,
    baseline,
    neighbourhood: "recorded",
    notes: [HOSTILE],
    ...changes,
  });
  const unfaithful = evaluation.facts.filter(({ isUnfaithful }) => isUnfaithful).slice(0, 3);
  const shown = unfaithful.map((facts) => ({ facts, look }));
  return {
    bundle: `press ${HOSTILE}`,
    envelopeSha256: "e".repeat(64),
    framesFile: `${HOSTILE}.npz`,
    framesSha256: "f".repeat(64),
    madeAt: "2026-06-01T08:30:00.000Z",
    classes,
    bands: fitted.bands,
    evaluation,
    bounds,
    shown: { passed: shown.slice(0, 1), reviewed: shown.slice(1) },
  };
}

/** Bounds of one frame whose models give different classes in a corner of the map. */
function someBounds(): NonNullable<ReportData["bounds"]> {
  const frame: FrameBounds = {
    ...{ row: 12, verdict: "unfaithful", lower: 0.31, foundBy: "gradient-free", classesDiffer: true },
    ...{ upper: 1, upperByIntervals: 1, upperApart: 1, teacherClass: null, studentClass: HOSTILE, asked: 99 },
  };
  const answers = { student: { class: 0, confidence: 0.9 }, teacher: { class: 2, confidence: 0.8 } };
  const ball: BallPicture = {
    bounds: frame,
    shownClass: 0,
    frame: { look: PNG, ...answers },
    worst: { look: PNG, ...answers },
    directions: [{ name: "towards the input found", student: [0.2, 0.9, 1], teacher: [0.1, 0.8, 0.9] }],
    map: [
      [
        { gap: 0.31, differs: true },
        { gap: 0.02, differs: false },
      ],
      [
        { gap: 0, differs: false },
        { gap: 0.2, differs: false },
      ],
    ],
  };
  const summary = boundsSummary([frame], { epsilon: 0.02, unit: "parts of the full scale", delta: 0.15 });
  return { summary, pictures: [ball] };
}

/** Everything in a page that a browser would fetch, run or follow. */
function reaches(page: string): string[] {
  const withoutNamespace = page.replaceAll("http://www.w3.org/2000/svg", "");
  return [
    ...(withoutNamespace.match(/[a-z]+:\/\/[^\s"']*/gi) ?? []),
    ...(page.match(/<(script|link|iframe|object|embed|base|form|a|use|foreignObject)\b[^>]*>/gi) ?? []),
    ...(page.replace(/="[^"]*"/g, '=""').match(/<[^>]*\son[a-z]+\s*=[^>]*>/gi) ?? []),
    ...(page.match(/\b(src|href|xlink:href)="(?!data:image\/png;base64,)[^"]*"/gi) ?? []),
    ...(page.match(/@import|url\((?!#)[^)]*\)/gi) ?? []),
  ];
}

describe("the page", () => {
  const page = reportPage(aReport({ hasLabels: true }));

  test("reaches for nothing outside itself, and runs nothing", () => {
    expect(reaches(page)).toEqual([]);
    expect(page).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`.replaceAll("'", "&#39;"),
    );
  });

  test("the search for such would find them", () => {
    expect(reaches(`<script>1</script>`)).toHaveLength(1);
    expect(reaches(`<img src="https://example.org/x.png">`)).toHaveLength(2);
    expect(reaches(`<p onclick="x">`)).toHaveLength(1);
    expect(reaches(`<style>@import "x"; p { background: url(x) }</style>`)).toHaveLength(2);
  });

  test("shows hostile names as the text that they are", () => {
    expect(page.split(escapeText(HOSTILE)).length).toBeGreaterThan(8);
    expect(page).not.toContain("<script");
    expect(page.match(/<title>[^<]*<\/title>/g)![0]).toBe("<title>Sekisho evaluation report</title>");
    expect(page).not.toMatch(/onerror='/);
  });

  test("has its one title, and closes what it opens", () => {
    expect(page.match(/<h1>/g)).toHaveLength(1);
    for (const tag of [
      "svg",
      "figure",
      "figcaption",
      "table",
      "div",
      "g",
      "text",
      "p",
      "ul",
      "li",
      "td",
      "tr",
    ]) {
      const opened = page.match(new RegExp(`<${tag}[ >]`, "g")) ?? [];
      expect([tag, opened.length]).toEqual([tag, page.match(new RegExp(`</${tag}>`, "g"))?.length ?? 0]);
    }
  });

  test("holds no number that is none", () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
  });

  test("has every picture, each with its sentence", () => {
    for (const title of [
      "How much may pass, and what it costs",
      "How far teacher and student part",
      "Student against teacher",
      "Student against the truth",
      "Teacher against the truth",
    ]) {
      expect(page).toMatch(
        new RegExp(`<figure><h3>${title}</h3>.*?<figcaption>[^<]{40,}</figcaption></figure>`, "s"),
      );
    }
    expect(page.match(/aria-label="Teacher band of /g)).toHaveLength(3);
    expect(page.match(/<path class="(envelope|plain)" d="M[^"]+"/g)).toHaveLength(2);
    expect(page.match(/class="(envelope|plain) dot" cx="[\d.]+" cy="[\d.]+" r="5"/g)).toHaveLength(2);
    expect(page.match(/<img alt="frame \d+" src="data:image\/png;base64,iVBORw0KGgo=">/g)).toHaveLength(3);
    expect(page).toContain("alpha, 2%");
  });

  test("without labels holds nothing against the truth, and says that correctness is unknown", () => {
    const unlabelled = reportPage(aReport());
    expect(unlabelled).not.toContain("against the truth");
    expect(unlabelled).toContain("Faithful, correctness unknown");
  });

  test("at the frame alone holds nothing against alpha or the certificate", () => {
    const alone = reportPage(aReport({ neighbourhood: "frame-only" }));
    expect(alone).toContain("frame-only");
    expect(alone).not.toContain("alpha, 2%");
    expect(alone).not.toMatch(/consistent with the certificate/i);
  });

  test("of an envelope that certifies nothing is a page all the same", () => {
    const nothing = reportPage(
      aReport({ certificate: { ...certificate, chosen: null }, baseline: { ...baseline, chosen: null } }),
    );
    expect(nothing).toContain("Nothing is certified");
    expect(nothing).not.toMatch(/NaN|Infinity|undefined/);
    expect(nothing).not.toMatch(/class="(envelope|plain) dot" cx="[\d.]+" cy="[\d.]+" r="5"/);
  });

  test("shows the balls around frames where bounds were asked for, and says what they cover", () => {
    expect(page).not.toContain("Around single frames");
    const bounded = reportPage(aReport({ bounds: someBounds() }));
    expect(reaches(bounded)).toEqual([]);
    expect(bounded).not.toMatch(/NaN|Infinity|undefined/);
    expect(bounded).toContain(
      "Covered are the balls around these recorded frames; they say nothing of new frames.",
    );
    expect(bounded).toContain("epsilon 0.02 (parts of the full scale)? Of 1 frame 0 are certified faithful");
    expect(bounded).toMatch(
      /<th scope="row">12<\/th><td>0\.310<\/td><td class="word">gradient-free<\/td><td>none<\/td>/,
    );
    expect(bounded).toContain("here the classes part");
    expect(bounded).toMatch(
      /<h3>Confidence towards the input found<\/h3>.*?<path class="envelope" d="M[\d. ]+L/s,
    );
    expect(bounded.match(/<rect class="heat over"/g)).toHaveLength(2);
    expect(bounded.match(/<rect class="heat"/g)).toHaveLength(2);
    expect(bounded.match(/fill-opacity="0\.645"\/>/g)).toHaveLength(1);
  });

  test("draws signals as lines, flat ones too", () => {
    const look: Look = {
      kind: "signal",
      rows: [
        [0, 1, 0.5],
        [2, 2, 2],
      ],
    };
    const page = reportPage(aReport({ look }));
    expect(page.match(/<polyline points="0\.0,[\d.]+ 75\.0,[\d.]+ 150\.0,[\d.]+"\/>/g)).toHaveLength(6);
    const flat = reportPage(aReport({ look: { kind: "signal", rows: [[3]] } }));
    expect(flat).toContain('<polyline points="0.0,');
    expect(flat).not.toMatch(/NaN/);
  });
});

describe("markup", () => {
  test("escapes what it is given, unless it is markup itself", () => {
    const inner = markup`<b title="${`"'`}">${"<&>"}</b>`;
    expect(markup`${inner}${[inner, " & "]}${1 / 3}`.text).toBe(`${inner.text}${inner.text} &#38; 0.333`);
    expect(inner.text).toBe('<b title="&#34;&#39;">&#60;&#38;&#62;</b>');
  });
});
