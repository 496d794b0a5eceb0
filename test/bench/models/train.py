"""Trains the bench's two students and their teachers on synthetic frames, and exports them as ONNX.

    python3 test/bench/models/train.py        (Debian's python3-torch; some minutes; seeded)

The frames are those of test/bench/frames.ts: bars at four angles, tones at four pitches, some of them blends of
two classes, on which teacher and student may part.
"""

import argparse
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional

CLASSES = 4
SIDE = 28
SAMPLES = 2048
CYCLES = (24, 48, 96, 192)


def bars(count: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Images [count, 1, 28, 28] in 0..1 and the share of each class in them [count, 4]."""
    shares = mixtures(count, chance)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) - (SIDE - 1) / 2
    images = np.zeros((count, SIDE, SIDE), np.float32)
    for c in range(CLASSES):
        angle = c * math.pi / CLASSES + chance.normal(0, 0.08, (count, 1, 1))
        shift = chance.uniform(-3, 3, (count, 1, 1))
        distance = np.abs(np.sin(angle) * x - np.cos(angle) * y + shift)
        images += shares[:, c, None, None] * 0.8 * np.exp(-((distance / 2) ** 2))
    images += 0.1 + chance.normal(0, 0.06, images.shape)
    return np.clip(images, 0, 1).astype(np.float32)[:, None], shares


def tones(count: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Signals [count, 1, 2048] and the share of each class in them [count, 4]."""
    shares = mixtures(count, chance)
    time = np.arange(SAMPLES, dtype=np.float32) / SAMPLES
    signals = np.zeros((count, SAMPLES), np.float32)
    for c, cycles in enumerate(CYCLES):
        pitch = cycles * chance.uniform(0.95, 1.05, (count, 1))
        phase = chance.uniform(0, 2 * math.pi, (count, 1))
        signals += shares[:, c, None] * np.sin(2 * math.pi * pitch * time + phase)
    signals += chance.normal(0, 0.3, signals.shape)
    return signals.astype(np.float32)[:, None], shares


def mixtures(count: int, chance: np.random.Generator, blended: float = 0.1) -> np.ndarray:
    """Mostly one class; in a share of the frames two, so that there is something to be unsure of."""
    first = chance.integers(0, CLASSES, count)
    second = (first + chance.integers(1, CLASSES, count)) % CLASSES
    weight = np.where(chance.random(count) < blended, chance.uniform(0.3, 0.7, count), 1.0).astype(np.float32)
    shares = np.zeros((count, CLASSES), np.float32)
    shares[np.arange(count), first] = weight
    shares[np.arange(count), second] += 1 - weight
    return shares


class ImageNetwork(nn.Module):
    """27 thousand weights, most of them in the last layers; about a hundred thousand multiplications a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.second = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.features = nn.Linear(16 * 7 * 7, 32)
        self.logits = nn.Linear(32, CLASSES)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        for layer in (self.first, self.second):
            x = functional.relu(layer(x))
        features = torch.tanh(self.features(x.flatten(1)))
        return self.logits(features), features


class SignalNetwork(nn.Module):
    """29 thousand weights; about a million multiplications a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 16, 16, stride=4, padding=6)
        self.second = nn.Conv1d(16, 32, 8, stride=4, padding=2)
        self.third = nn.Conv1d(32, 32, 8, stride=4, padding=2)
        self.features = nn.Linear(32 * 32, 16)
        self.logits = nn.Linear(16, CLASSES)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        for layer in (self.first, self.second, self.third):
            x = functional.relu(layer(x))
        features = torch.tanh(self.features(x.flatten(1)))
        return self.logits(features), features


def train(network: nn.Module, frames, target, chance: np.random.Generator, steps: int) -> None:
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for _ in range(steps):
        x, shares = frames(64, chance)
        x = torch.from_numpy(x)
        loss = -(target(x, torch.from_numpy(shares)) * functional.log_softmax(network(x)[0], 1)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    network.eval()
    print(type(network).__name__, "loss", round(loss.item(), 4), flush=True)


def export(network: nn.Module, example: torch.Tensor, path: pathlib.Path) -> None:
    names = ["logits", "features"]
    torch.onnx.export(
        network,
        example,
        str(path),
        input_names=["input"],
        output_names=names,
        dynamic_axes={name: {0: "batch"} for name in ["input", *names]},
        opset_version=13,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--student", choices=["image", "signal"], help="this one alone")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    folder = pathlib.Path(__file__).parent
    for name, network, frames in (("image", ImageNetwork, bars), ("signal", SignalNetwork, tones)):
        if chosen.student not in (None, name):
            continue
        torch.manual_seed(chosen.seed)
        chance = np.random.default_rng(chosen.seed)
        teacher, student = network(), network()
        train(teacher, frames, lambda _, shares: shares, chance, chosen.steps)

        def taught(x: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                return functional.softmax(teacher(x)[0], 1)

        train(student, frames, taught, chance, chosen.steps)
        example = torch.from_numpy(frames(2, chance)[0])
        export(teacher, example, folder / f"{name}-teacher.onnx")
        export(student, example, folder / f"{name}-student.onnx")


if __name__ == "__main__":
    main()
