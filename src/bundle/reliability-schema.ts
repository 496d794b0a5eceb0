/** The part of `envelope.json` that labels allow: bounds on teacher errors that the student copied. */

import Type from "typebox";
import type { TeacherReliability } from "../core/envelope/teacher-reliability.ts";
import type { Certificate } from "../core/envelope/types.ts";

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const Rate = Type.Number({ minimum: 0, maximum: 1 });
const Cells = Type.Array(Type.Array(Type.Object({ n: Count, k: Count, upperBound: Rate }, closed)));

export const ReliabilitySchema = Type.Object(
  {
    eta: Rate,
    etaTarget: Rate,
    limit: Rate,
    labelled: Type.Object({ fit: Count, cal: Count }, closed),
    stationCells: Cells,
    classCells: Cells,
    tableCellEta: Rate,
    confidenceFrom: Type.Array(Rate, { minItems: 1 }),
    cells: Type.Array(
      Type.Array(
        Type.Object(
          { n: Count, k: Count, lowerBound: Rate, upperBound: Rate, distrusted: Type.Boolean() },
          closed,
        ),
      ),
    ),
    cellEta: Rate,
  },
  {
    ...closed,
    description: "Exact bounds on teacher errors that the student copied, at an eta of their own.",
  },
);

/** Lengths that the schema cannot compare: name, found, expected. */
export function reliabilityLengths(
  { stationCells, classCells, cells, confidenceFrom }: TeacherReliability,
  certificate: Certificate,
  classes: number,
): readonly (readonly [string, number, number])[] {
  return [
    ["teacherReliability.stationCells", stationCells.length, certificate.walk.length],
    ["teacherReliability.classCells", classCells.length, classes],
    ["teacherReliability.cells", cells.length, classes],
    ...[...stationCells, ...classCells].map(
      (row, i) => [`teacherReliability tables, row ${i}`, row.length, certificate.coarse.length] as const,
    ),
    ...cells.map((row, i) => [`teacherReliability.cells.${i}`, row.length, confidenceFrom.length] as const),
  ];
}
