/** Held-out frames as both models see them: recorded as evidence is, but into memory. */

import type { FrameRow } from "../../bundle/evidence.ts";
import type { EvidenceDescription } from "../../bundle/evidence-description.ts";
import type { TeacherOutputs } from "../../bundle/teacher-outputs.ts";
import type { Evidence } from "../../core/envelope/types.ts";
import type { Neighbourhood } from "../../core/evaluation/evaluate.ts";
import { seenRows } from "../../core/evaluation/seen.ts";
import type { NeighbourhoodRecipe, Nuisance } from "../../core/nuisance.ts";
import type { Student } from "../../engine/student.ts";
import { indexParts } from "../record/parts.ts";
import { type Recording, type RecordingSink, recordFrames } from "../recorder.ts";
import type { TeacherOptions } from "../teacher.ts";
import { Refusal, showProgress, type Terminal } from "../terminal.ts";

const ROWS_NAMED = 10;

/** How U was found when the evidence was recorded, and therefore is now. */
interface Comparability {
  readonly recipe: NeighbourhoodRecipe;
  readonly neighbourhood: Neighbourhood;
}

/** What `record` writes of the copies; see there. */
type RecordedNeighbourhood =
  | {
      readonly kind: "recipe";
      readonly nuisances: readonly Nuisance[];
      readonly copies: number;
      readonly seed: number;
    }
  | { readonly kind: "made-elsewhere"; readonly copies: number }
  | { readonly kind: "frame-only" };

/** The recipe of the evidence, if the same teacher can be asked about the same kind of copies. */
export function comparabilityOf(
  description: EvidenceDescription,
  options: TeacherOptions,
  teacherSha256: string,
  teacher: Student | TeacherOutputs,
): Comparability {
  const recorded = description.neighbourhood as RecordedNeighbourhood;
  if (options.teacher !== undefined && teacherSha256 !== description.teacherSha256) {
    throw new Refusal(
      `${options.teacher}: the evidence was recorded with another teacher, or with outputs made elsewhere (SHA-256 ${description.teacherSha256}); found ${teacherSha256}: ` +
        "give the teacher of the evidence, or --teacher-outputs made as they were for it",
    );
  }
  const recipe = (copies: number): NeighbourhoodRecipe => ({ nuisances: [], copies, seed: 0 });
  switch (recorded.kind) {
    case "recipe":
      if ("logitsOf" in teacher) {
        throw new Refusal(
          `${options.teacherOutputs}: the evidence was recorded with the teacher itself, which was asked about ${recorded.copies} copies of each frame; give that teacher by --teacher`,
        );
      }
      return { recipe: recorded, neighbourhood: "recorded" };
    case "made-elsewhere":
      expectCopies(teacher, recorded.copies, options);
      return { recipe: recipe(recorded.copies), neighbourhood: "recorded" };
    case "frame-only":
      expectCopies(teacher, 0, options);
      return { recipe: recipe(0), neighbourhood: "frame-only" };
    default:
      return unreachable(recorded);
  }
}

function expectCopies(teacher: Student | TeacherOutputs, expected: number, options: TeacherOptions): void {
  const found = "logitsOf" in teacher ? teacher.copies : 0;
  if (found === expected) return;
  throw new Refusal(
    `${options.teacherOutputs ?? options.teacher}: the evidence was recorded over ${expected} copies of each frame, found ${found}: ` +
      (expected === 0
        ? 'leave "teacher_logits_neighbourhood" and "frames_neighbourhood" out'
        : `give "teacher_logits_neighbourhood" and "frames_neighbourhood" with ${expected} copies, made as they were for the evidence`),
  );
}

/**
 * Records the held-out frames, and refuses those that the evidence holds.
 * @param heldOut all but where rows go and how that is shown
 */
export async function recordHeldOut(
  heldOut: Omit<Recording, "sink" | "progress" | "partOf">,
  evidence: Evidence,
  terminal: Terminal,
): Promise<Evidence> {
  const { recipe, teacher } = heldOut;
  const recorded = async (what: string, of: NeighbourhoodRecipe): Promise<Evidence> => {
    const { sink, columns } = memorySink(heldOut, evidence.classes);
    const progress = showProgress(terminal, what, heldOut.frames.count, Date.now);
    await recordFrames({ ...heldOut, recipe: of, partOf: columns.part, sink, progress });
    progress.end();
    return columns;
  };
  const hasMore = recipe.copies > 0 && !("logitsOf" in teacher);
  // The frames alone tell which were seen; a slow teacher should not be asked about copies of those.
  const first = hasMore
    ? await recorded("comparing with the evidence", { ...recipe, copies: 0 })
    : await recorded("evaluating", recipe);
  refuseSeen(seenRows(evidence, first), heldOut.frames.count);
  return hasMore ? recorded("evaluating", recipe) : first;
}

function refuseSeen(seen: readonly number[], frames: number): void {
  if (seen.length === 0) return;
  const named = seen.slice(0, ROWS_NAMED).join(", ");
  throw new Refusal(
    `${seen.length} of ${frames} frames are in the evidence already (rows ${named}${seen.length > ROWS_NAMED ? ", ..." : ""}): ` +
      "an evaluation is of frames never seen; remove these, and all others of the same parts",
  );
}

function memorySink(
  { frames, student }: Pick<Recording, "frames" | "student">,
  classes: readonly string[],
): { readonly sink: RecordingSink; readonly columns: Evidence } {
  const { names, partOf } = indexParts(frames);
  const k = classes.length;
  const { featureCount, doubtCount } = student.spec;
  const columnOf = (width: number) => (width === 0 ? undefined : new Float32Array(frames.count * width));
  const features = columnOf(featureCount);
  const doubt = columnOf(doubtCount);
  const columns: Evidence = {
    classes,
    part: partOf,
    // Held-out parts are in no split, and certify nothing; ref is the one that nothing is fitted or counted on.
    splitOfPart: names.map(() => "ref"),
    studentLogits: new Float32Array(frames.count * k),
    teacherLogits: new Float32Array(frames.count * k),
    features,
    featureCount,
    doubt,
    doubtCount,
    largestGap: new Float32Array(frames.count),
    teacherSwing: new Float32Array(frames.count),
    studentSwing: new Float32Array(frames.count),
    label: frames.labels,
  };
  const put = (row: FrameRow): void => {
    columns.studentLogits.set(row.studentLogits, row.frame * k);
    columns.teacherLogits.set(row.teacherLogits, row.frame * k);
    if (row.features !== undefined) features?.set(row.features, row.frame * featureCount);
    if (row.doubt !== undefined) doubt?.set(row.doubt, row.frame * doubtCount);
    columns.largestGap[row.frame] = row.largestGap;
    columns.teacherSwing[row.frame] = row.teacherSwing;
    columns.studentSwing[row.frame] = row.studentSwing;
  };
  return { sink: { recorded: 0, append: (rows) => rows.forEach(put) }, columns };
}

function unreachable(value: never): never {
  throw new Refusal(
    `the evidence names a neighbourhood that this version does not know: ${JSON.stringify(value)}`,
  );
}
