"""The steps from frames to a bundle: train a teacher, distil a student, export both."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from .bundle import check_golden, make_bundle
from .data import Frames, Units
from .deploy import Answering, Deployed
from .export import STUDENT_OUTPUTS, check_export, export, frame_sides
from .files import write_atomically
from .methods import Distiller, Recipe
from .networks import Classifier, student, teacher, weights
from .nuisances import IMAGE_NUISANCES, WINDOW_NUISANCES, drawn
from .teachers import Asked, Scaled, read_teacher
from .train import Plan, fit

#: Frames on which the two kinds of features are balanced, and on which an export is checked.
EXAMPLES = 2000
CHECKED = 16


@dataclass(frozen=True)
class Source:
    """What a student is distilled from."""

    frames: Frames
    classes: list[str]
    units: Units
    nuisances: dict[str, float]
    teacher: Path


def train_teacher(frames: Frames, units: Units, plan: Plan, out: Path, until: int | None = None) -> Classifier | None:
    """Trains a teacher on the labelled frames with their nuisances drawn anew each time; writes teacher.pt."""
    known = np.flatnonzero(frames.labels >= 0)
    if len(known) == 0:
        raise SystemExit("a teacher is trained on labels: the frames have none; or take one with --teacher")
    x, labels = units.scaled(frames.frames[known]), torch.from_numpy(frames.labels[known])
    nuisances = IMAGE_NUISANCES if units.is_image else WINDOW_NUISANCES
    torch.manual_seed(plan.seed)
    network = _fast(teacher(units.shape, frames.class_count))
    scaled = Scaled(network, units)

    def loss_of(rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        return functional.cross_entropy(scaled(drawn(x[rows], nuisances, chance)), labels[rows])

    if not fit(network, loss_of, len(x), plan, "teacher", out / "teacher-checkpoint.pt", until=until):
        return None
    saved = {"role": "teacher", "network": network.state_dict()}
    write_atomically(out / "teacher.pt", lambda path: torch.save(saved, path))
    print(f"{out / 'teacher.pt'}: {weights(network)} weights", flush=True)
    return network


def distil(source: Source, recipe: Recipe, plan: Plan, out: Path, until: int | None = None) -> Deployed | None:
    """Distils a student and writes student.pt, student.onnx and recipe.json; None if `until` came first."""
    frames, units = source.frames, source.units
    classes = len(source.classes)
    knowing = read_teacher(source.teacher, units, classes)
    asked = Asked.ask(knowing, frames.frames, source.nuisances, recipe.copies_asked, plan.seed, out / "asked.pt")
    torch.manual_seed(plan.seed)
    network = _fast(student(units.shape, classes))
    distiller = Distiller(recipe, Scaled(network, units), knowing, asked, torch.from_numpy(frames.labels))
    settings = f"{asdict(recipe)} {source.nuisances} {units}"
    if not fit(network, distiller, len(frames), plan, recipe.method, out / "student-checkpoint.pt", settings, until):
        return None
    deployed = Deployed(network, units.shape, units.normalised(units.scaled(frames.frames[:EXAMPLES])))
    saved = {"role": "student", "network": network.state_dict()}
    write_atomically(out / "student.pt", lambda path: torch.save(saved, path))
    sides = frame_sides(units, frames.frames)
    export(deployed, sides, out / "student.onnx", STUDENT_OUTPUTS)
    examples = units.normalised(units.scaled(frames.frames[:CHECKED])).reshape(-1, *sides)
    checked = check_export(deployed, out / "student.onnx", examples)
    described = {
        "classes": source.classes,
        "units": asdict(units),
        "nuisances": source.nuisances,
        "recipe": asdict(recipe),
        "plan": asdict(plan),
        "teacher": str(source.teacher),
        "student": "student.pt",
        "torch": torch.__version__,
        "exportChecked": checked,
    }
    write_atomically(out / "recipe.json", lambda path: path.write_text(json.dumps(described, indent=2) + "\n"))
    by_whom = "checked by ONNX Runtime" if checked else "to be checked by the bundle's golden frames"
    print(f"{out / 'student.onnx'}: {weights(network)} weights, {by_whom}", flush=True)
    return deployed


def bundle(source: Source, deployed: Deployed, out: Path, folder: Path, command: list[str]) -> None:
    """Makes a bundle of the distilled student and its teacher, and checks the export by its golden frames."""
    knowing = source.teacher
    if knowing.suffix != ".onnx":
        network = read_teacher(knowing, source.units, len(source.classes)).network
        knowing = out / "teacher.onnx"
        sides = frame_sides(source.units, source.frames.frames)
        export(Answering(network, source.units.shape), sides, knowing, ["logits"])
    described = json.loads((out / "recipe.json").read_text())
    provenance = {"recipe": "models/recipes", "method": described["recipe"]["method"], "seed": str(described["plan"]["seed"])}
    make_bundle(command, folder, out / "student.onnx", knowing, source.classes, source.units, provenance)
    difference = check_golden(folder, deployed, source.units)
    print(f"{folder}: golden frames agree with PyTorch to {difference:.1e}", flush=True)


def read_recipe(path: Path) -> dict:
    """recipe.json as a dictionary, its file names made whole."""
    try:
        saved = json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        raise SystemExit(f"{path}: expected the recipe.json that `distil` has written: {problem}")
    saved["student"] = str(path.parent / saved["student"])
    return saved


def read_student(saved: dict) -> Scaled:
    """The student of a recipe.json, as a network of scaled frames."""
    given = saved["units"]
    units = Units(**{**given, **{name: tuple(given[name]) for name in ("shape", "mean", "std")}})
    return read_teacher(Path(saved["student"]), units, len(saved["classes"]))


def _fast(network: Classifier) -> Classifier:
    """Convolutions over images are faster with channels last; the numbers are the same."""
    is_image = any(isinstance(module, torch.nn.Conv2d) for module in network.modules())
    return network.to(memory_format=torch.channels_last) if is_image else network
