"""Trains or takes a teacher, distils a student, measures the two.

    python3 -m sekisho_recipes teacher --frames train.npz --out out
    python3 -m sekisho_recipes distil --frames train.npz --teacher out/teacher.pt --out out --bundle models/press
    python3 -m sekisho_recipes gap --frames held-out.npz --recipe out/recipe.json

Everything is seeded: with the same machine, thread count and library versions two runs give the same networks, whether
or not they were interrupted.
"""

import argparse
import json
import shlex
from dataclasses import asdict, fields
from pathlib import Path

import torch

from . import distil
from .data import Frames, Units, read_frames, units_of
from .gap import Search, gaps_over_copies, unfaithful_rate, worst_gap_in_ball
from .methods import METHODS, NEIGHBOURHOODS, Recipe
from .nuisances import IMAGE_NUISANCES, WINDOW_NUISANCES
from .search import Ball
from .teachers import read_teacher
from .train import Plan


def main(arguments: list[str] | None = None) -> None:
    options = _options().parse_args(arguments)
    torch.set_num_threads(options.threads)
    {"teacher": _teacher, "distil": _distil, "gap": _gap}[options.command](options)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "sekisho_recipes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    teacher = commands.add_parser("teacher", help="train a teacher on labelled frames")
    student = commands.add_parser("distil", help="distil a student from a teacher; goes on where it was interrupted")
    measured = commands.add_parser("gap", help="gaps of student and teacher on frames that trained neither")
    for command in (teacher, student, measured):
        command.add_argument("--frames", type=Path, required=True, help="frames.npz, or a folder of folders of images")
        command.add_argument("--threads", type=int, default=1)
    for command, epochs in ((teacher, 14), (student, 30)):
        command.add_argument("--classes", type=lambda text: text.split(","), help="their names, a,b,c, in the labels' order")
        command.add_argument("--out", type=Path, default=Path("out"))
        command.add_argument("--epochs", type=int, default=epochs)
        command.add_argument("--rate", type=float, default=Plan(1).rate)
        command.add_argument("--batch", type=int, default=Plan(1).batch)
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--until", type=int, help="stop after this epoch, to be gone on from")
    _add_recipe(student)
    student.add_argument("--bundle", type=Path, help="also make a bundle in this folder")
    student.add_argument("--sekisho", type=shlex.split, default=["npx", "sekisho"], help="how it is called (npx sekisho)")
    measured.add_argument("--recipe", type=Path, required=True, help="recipe.json that `distil` has written")
    measured.add_argument("--epsilon", type=float, default=Recipe().epsilon)
    measured.add_argument("--delta", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    measured.add_argument("--steps", type=int, default=Search().steps)
    measured.add_argument("--starts", type=int, default=Search().starts)
    measured.add_argument("--copies", type=int, default=Recipe().copies)
    return parser


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    default = Recipe()
    parser.add_argument("--teacher", type=Path, required=True, help="teacher.pt, TorchScript (.pt) or .onnx")
    parser.add_argument("--method", choices=METHODS, default=default.method)
    parser.add_argument("--neighbourhood", choices=NEIGHBOURHOODS, default=default.neighbourhood)
    parser.add_argument("--share", type=float, default=default.share, help="a: the teacher's share of the loss")
    parser.add_argument("--temperature", type=float, default=default.temperature)
    parser.add_argument("--epsilon", type=float, default=default.epsilon, help="radius of the ball, of scaled frames")
    parser.add_argument("--steps", type=int, default=default.steps, help="of the search in the ball")
    parser.add_argument("--copies", type=int, default=default.copies, help="J of the nuisance neighbourhood")
    parser.add_argument("--trust-wrong", type=float, default=default.trust_wrong, help="share it keeps where it is wrong")
    parser.add_argument("--nuisances", type=Path, help="magnitudes as `sekisho record --nuisances` takes them")
    parser.add_argument("--mean", type=_numbers, help="of scaled frames, where the teacher was trained with given ones")
    parser.add_argument("--std", type=_numbers)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def _plan(options: argparse.Namespace) -> Plan:
    return Plan(options.epochs, options.rate, options.batch, seed=options.seed)


def _classes(frames: Frames) -> list[str]:
    return frames.classes or [f"class-{c}" for c in range(frames.class_count)]


def _teacher(options: argparse.Namespace) -> None:
    frames = read_frames(options.frames, options.classes)
    distil.train_teacher(frames, units_of(frames), _plan(options), options.out, options.until)


def _distil(options: argparse.Namespace) -> None:
    frames = read_frames(options.frames, options.classes)
    recipe = Recipe(**{field.name: getattr(options, field.name) for field in fields(Recipe)})
    units = units_of(frames)
    given = {name: getattr(options, name) for name in ("mean", "std") if getattr(options, name) is not None}
    units = Units(**{**asdict(units), **given})
    nuisances = nuisances_for(units, options.nuisances)
    source = distil.Source(frames, _classes(frames), units, nuisances, options.teacher)
    done = distil.distil(source, recipe, _plan(options), options.out, options.until)
    if done is not None and options.bundle is not None:
        distil.bundle(source, done, options.out, options.bundle, options.sekisho)


def nuisances_for(units: Units, file: Path | None) -> dict[str, float]:
    known = IMAGE_NUISANCES if units.is_image else WINDOW_NUISANCES
    if file is None:
        return known
    chosen = json.loads(file.read_text())
    strange = set(chosen) - set(known)
    if strange:
        raise SystemExit(f"{file}: expected kinds among {', '.join(known)}, found {', '.join(sorted(strange))}")
    # In the order of `record`, whose copy j suffers nuisance j.
    return {kind: chosen[kind] for kind in known if kind in chosen}


def _gap(options: argparse.Namespace) -> None:
    saved = distil.read_recipe(options.recipe)
    frames = read_frames(options.frames)
    student = distil.read_student(saved)
    teacher = read_teacher(Path(saved["teacher"]), student.units, len(saved["classes"]))
    x = student.units.scaled(frames.frames)
    gaps, agree = gaps_over_copies(student, teacher, x, saved["nuisances"], options.copies, seed=1)
    ball = Ball(options.epsilon, student.units.low, student.units.high)
    worst = worst_gap_in_ball(student, teacher, x, ball, Search(options.steps, options.starts))
    report = {
        "frames": len(frames),
        "agree": float(agree.float().mean()),
        "gap": {"mean": float(gaps[0].mean()), "meanOverCopies": float(gaps.amax(0).mean())},
        "ball": {"epsilon": options.epsilon, "meanWorstGap": float(worst.mean()), "largestWorstGap": float(worst.max())},
        "unfaithful": [
            {
                "delta": delta,
                "overCopies": unfaithful_rate(gaps, agree, delta),
                "overBall": unfaithful_rate(worst.unsqueeze(0), agree, delta),
            }
            for delta in options.delta
        ],
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
