/** What `certify` prints for a person: what passes at which bound, what is missing elsewhere, and what was proven. */

import type { LabelsSummary } from "./certify-labels.ts";
import type { CertifySummary, ClassSummary, Standing } from "./certify-report.ts";
import { boundPercent, chosenPercent, grouped, layOut, paragraph, percent, rounded } from "./prose.ts";

/** The summary as text for a terminal of so many columns. */
export function tableOf(summary: CertifySummary, columns: number): string {
  const wrap = (text: string): string[] => paragraph(text, columns);
  const blocks: string[][] = [
    [...wrap(verdict(summary)), ...wrap(settings(summary))],
    layOut(boundRows(summary), columns),
    wrap(legend(summary)),
    ...(["left-out", "too-unfaithful", "never-passed", "not-recorded"] as const).map((standing) =>
      summary.classes.some((row) => row.standing === standing) ? wrap(remark(standing, summary)) : [],
    ),
    wrap(deltaRemark(summary)),
    ...labelBlocks(summary, columns),
    wrap(proven(summary)),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

function verdict({ station, expectedPassRate }: CertifySummary): string {
  return station.certified
    ? `certified: ${percent(expectedPassRate)} of all parts are expected to pass, at most ${boundPercent(station.upperBound)} of them unfaithful`
    : "not certified: everything goes to a person";
}

function settings({ delta, alpha, alphaClass, eta, revision, parts, neighbourhood }: CertifySummary): string {
  const { fit, cal, ref } = parts;
  return (
    `delta ${delta}${neighbourhood === "frame-only" ? " (frame-only)" : ""}, alpha ${chosenPercent(alpha)}, alphaClass ${chosenPercent(alphaClass)}, eta ${chosenPercent(eta)}${revision > 1 ? `, revision ${revision}` : ""}; ` +
    `parts: fit ${grouped(fit)}, cal ${grouped(cal)}, ref ${grouped(ref)}`
  );
}

function boundRows({ station, lambda, classes }: CertifySummary): string[][] {
  const row = (
    name: string,
    passes: boolean,
    at: number | null,
    {
      n,
      k,
      upperBound,
      cleanPartsNeeded,
      partsToRecord,
    }: Omit<ClassSummary, "class" | "passes" | "lambda" | "method">,
  ): string[] => [
    name,
    passes ? "passes" : "reviewed",
    at === null ? "-" : at.toPrecision(3),
    grouped(n),
    grouped(k),
    boundPercent(upperBound),
    cleanPartsNeeded === 0 ? "" : grouped(cleanPartsNeeded),
    partsToRecord === null ? "" : grouped(Number(rounded(partsToRecord, 2, "up"))),
  ];
  return [
    ["", "", "lambda", "n", "k", "bound", "missing", "to record"],
    row("station", station.certified, lambda, station),
    ...classes.map((one) => row(one.class, one.passes, one.lambda, one)),
  ];
}

function legend({ classes, station, alpha, alphaClass }: CertifySummary): string {
  const isMissing = station.cleanPartsNeeded > 0 || classes.some((row) => row.cleanPartsNeeded > 0);
  return (
    `n: parts of cal that pass up to lambda; k: of those, unfaithful; bound: on their rate, needed at most ${chosenPercent(alpha)} for the station and ${chosenPercent(alphaClass)} for a class` +
    (isMissing
      ? "; missing: more parts of cal that pass and are faithful; to record: parts in all of a new recording, about, if they pass and fail as these did"
      : "")
  );
}

function remark(standing: Exclude<Standing, "passes" | "too-few-parts">, summary: CertifySummary): string {
  const names = summary.classes.filter((row) => row.standing === standing).map((row) => row.class);
  const because = {
    "left-out": "the bound of its own holds, but the rule that passes most leaves it out",
    "too-unfaithful": `at every lambda ${chosenPercent(summary.alphaClass)} or more of the parts were unfaithful; if that holds, no number of parts will do, but a more faithful student may`,
    "never-passed": "no part of cal passed the other checks: one class, teacher band, not novel",
    "not-recorded": "fit has no part of it that could be used, so it is always reviewed; record some",
  };
  return `${names.join(", ")}: ${because[standing]}`;
}

function deltaRemark(summary: CertifySummary): string {
  const { delta, deltaFloor: floor, deltaCeiling: ceiling, deltaSuggested, neighbourhood } = summary;
  const [low, high] = [rounded(floor, 2, "up"), rounded(ceiling, 2, "down")];
  const place = delta < floor ? "lies below" : delta > ceiling ? "lies above" : "lies in";
  const suggestion =
    deltaSuggested === null ? "" : `; ${deltaSuggested} is the strictest that costs few parts`;
  const below =
    neighbourhood === "frame-only"
      ? "How far the teacher moves by itself is not known, since no copies were recorded."
      : `Below ${low} the teacher would call itself unfaithful: slight changes of the frame move it further on half of the parts.`;
  return (
    `Delta ${delta} ${place} the range in which it says something of this teacher, ${low} to ${high}${suggestion}. ${below} ` +
    `Above ${high} a student within delta could give another class on one part in twenty, and faithful would come to mean no more than the same class.`
  );
}

function labelBlocks({ labels }: CertifySummary, columns: number): string[][] {
  if (labels === null) return [["No part of cal is labelled: what passes is faithful, correctness unknown."]];
  return [...copiedBlock(labels, columns), ...distrustBlock(labels, columns)];
}

function copiedBlock({ station, classes, labelled, eta }: LabelsSummary, columns: number): string[][] {
  if (station === null) return [];
  const rows = [{ class: "station", ...station }, ...classes].map((row) => [
    row.class,
    grouped(row.n),
    grouped(row.k),
    boundPercent(row.upperBound),
    boundPercent(row.wrongUpperBound),
  ]);
  const head = `Teacher wrong and copied, by ${grouped(labelled.cal)} labelled parts of cal (eta of the labels ${chosenPercent(eta)}, beside the other); wrong: at most that and unfaithful together`;
  return [[...paragraph(head, columns), ...layOut([["", "n", "k", "bound", "wrong"], ...rows], columns)]];
}

function distrustBlock(
  { reliability, confidenceFrom, limit, eta }: LabelsSummary,
  columns: number,
): string[][] {
  const distrusted = reliability.filter(({ bins }) => bins.some(({ confirmed }) => confirmed));
  if (distrusted.length === 0) return [];
  const heads = confidenceFrom.map((from, bin) => {
    const to = confidenceFrom[bin + 1];
    return to === undefined ? `from ${from}` : bin === 0 ? `below ${to}` : `${from} to ${to}`;
  });
  const rows = distrusted.map((row) => [
    row.class,
    ...row.bins.map(({ k, n, confirmed }) => `${k} of ${n}${confirmed ? "*" : " "}`),
  ]);
  const head = `Distrust the teacher at *, by how sure it was: copied errors of labelled parts, above ${chosenPercent(limit)} on fit and proven so on cal (eta of the labels ${chosenPercent(eta)})`;
  return [[...paragraph(head, columns), ...layOut([["", ...heads], ...rows], columns)]];
}

function proven({ station, classes, eta, parts, labels }: CertifySummary): string {
  if (!station.certified) {
    return `Nothing is proven at this alpha, alphaClass and eta, so nothing passes; ${nextStep(station)}.`;
  }
  const wrong =
    labels?.station === undefined || labels.station === null
      ? ""
      : `; with the labels, at most ${boundPercent(labels.station.wrongUpperBound)} of what passes is wrong, all of it together with probability at least ${chosenPercent(1 - labels.jointEta)}`;
  const isPartlyLabelled = labels !== null && labels.labelled.cal < parts.cal;
  const picked = isPartlyLabelled ? "; and the labelled ones were not picked for what they show" : "";
  return (
    `Proven by exact binomial bounds on ${grouped(parts.cal)} parts of cal (${methods(station.method, classes)}), with probability at least ${chosenPercent(1 - eta)}: ` +
    `at most ${boundPercent(station.upperBound)} of the parts that pass are unfaithful, and of those that pass as one class at most its bound${wrong}. ` +
    `Assumed: parts are independent of each other, and recorded like those that the line will show${picked}.`
  );
}

function methods(station: CertifySummary["station"]["method"], classes: CertifySummary["classes"]): string {
  const walked = classes.filter((row) => row.passes && row.method === "walk").map((row) => row.class);
  const byClass =
    walked.length === 0
      ? "classes by the table"
      : `classes by the table, but ${walked.join(", ")} by the walk`;
  switch (station) {
    case "walk":
      return `the station by its walk, ${byClass}`;
    case "table":
      return `the station by the table, ${byClass}`;
    case "classes":
      return `${byClass}, the station by its classes`;
    default:
      return station satisfies never;
  }
}

function nextStep({ standing, partsToRecord }: CertifySummary["station"]): string {
  switch (standing) {
    case "passes":
    case "left-out":
      return "the station's bound holds, but that of no class does";
    case "too-few-parts":
      return partsToRecord === null
        ? "too few parts passed to say how many it takes"
        : `about ${grouped(Number(rounded(partsToRecord, 2, "up")))} parts in all would do for the station, if they pass and fail as these did`;
    case "too-unfaithful":
      return "at every lambda too many parts were unfaithful; if that holds, no number of parts will do, but a more faithful student may";
    case "never-passed":
    case "not-recorded":
      return "no part of cal passed the other checks: one class, teacher band, not novel";
    default:
      return standing satisfies never;
  }
}
