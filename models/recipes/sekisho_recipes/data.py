"""Frames for training, read from frames.npz or a folder of images, and put in the units that networks are given."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

IMAGE_ENDINGS = {".png", ".jpg", ".jpeg"}


@dataclass(frozen=True)
class Frames:
    """Frames as the sensor gives them: images uint8 [N, H, W] or [N, H, W, 3], windows float32 [N, L] or [N, C, L].

    labels: class index, -1 where unknown. parts: names of what each frame shows; by them splits are cut. classes: their
    names, where a folder names them.
    """

    frames: np.ndarray
    labels: np.ndarray
    parts: np.ndarray
    classes: list[str] | None = None

    def __len__(self) -> int:
        return len(self.frames)

    def of(self, rows: np.ndarray) -> "Frames":
        return replace(self, frames=self.frames[rows], labels=self.labels[rows], parts=self.parts[rows])

    @property
    def class_count(self) -> int:
        if self.classes is not None:
            return len(self.classes)
        if self.labels.max(initial=-1) < 0:
            raise SystemExit('the frames have no labels: give the names of the classes with --classes a,b,c')
        return int(self.labels.max()) + 1


@dataclass(frozen=True)
class Units:
    """From a frame's numbers to a network's input: (frame * scale - mean) / std, as the bundle's preprocessing says.

    shape: of one frame, channels first, as the networks take it. low, high: bounds of scaled frames, where an epsilon
    ball must end.
    """

    shape: tuple[int, ...]
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: float
    high: float

    @property
    def is_image(self) -> bool:
        return len(self.shape) == 3

    def scaled(self, frames: np.ndarray) -> torch.Tensor:
        """Frames [N, ...] -> float32 [N, C, ...], scaled and not yet normalised: 0..1 for images."""
        x = torch.from_numpy(np.ascontiguousarray(frames)).float() * self.scale
        if self.is_image and x.dim() == 4:
            x = x.permute(0, 3, 1, 2)
        return x.reshape(len(frames), *self.shape).contiguous()

    def normalised(self, x: torch.Tensor) -> torch.Tensor:
        """Scaled frames [N, C, ...] -> what the network is given."""
        axes = (1, -1, *[1] * (len(self.shape) - 1))
        return (x - torch.tensor(self.mean).view(axes)) / torch.tensor(self.std).view(axes)


def units_of(frames: Frames) -> Units:
    """Units in which these frames have mean 0 and deviation 1: by channel for images, over all for windows."""
    is_image = frames.frames.dtype == np.uint8
    sides = frames.frames.shape[1:]
    if is_image and (len(sides) == 2 or sides[2:] in ((1,), (3,))):
        shape: tuple[int, ...] = (sides[2] if len(sides) == 3 else 1, sides[0], sides[1])
        values = frames.frames.reshape(-1, shape[0]).astype(np.float64) / 255
        mean, std = values.mean(0), values.std(0)
    elif not is_image and len(sides) in (1, 2):
        shape = (1, *sides) if len(sides) == 1 else sides
        mean, std = frames.frames.mean(dtype=np.float64, keepdims=False), frames.frames.std(dtype=np.float64)
    else:
        raise SystemExit(
            f"frames of {frames.frames.dtype} and shape {sides}: expected images uint8 [N, H, W] or [N, H, W, 3], "
            "or windows float32 [N, L] or [N, C, L]"
        )
    rounded = [tuple(round(float(v), 6) for v in np.atleast_1d(values)) for values in (mean, np.maximum(std, 1e-6))]
    bounds = (0.0, 1.0) if is_image else (float("-inf"), float("inf"))
    return Units(shape, 1 / 255 if is_image else 1.0, rounded[0], rounded[1], *bounds)


def read_frames(path: Path, classes: list[str] | None = None) -> Frames:
    """Reads a frames.npz as `sekisho record` takes it, or a folder of images, one folder a class."""
    if path.is_dir():
        return _read_folder(path, classes)
    try:
        arrays = dict(np.load(path, allow_pickle=False))
    except Exception as problem:
        raise SystemExit(f"{path}: expected a frames.npz or a folder of images: {problem}")
    if "frames" not in arrays:
        raise SystemExit(f'{path}: expected an array "frames", found {", ".join(arrays) or "none"}')
    frames = arrays["frames"]
    count = len(frames)
    if frames.dtype != np.uint8:
        frames = frames.astype(np.float32)
        bad = np.flatnonzero(~np.isfinite(frames.reshape(count, -1)).all(1))
        if len(bad) > 0:
            rows = ", ".join(map(str, bad[:3]))
            raise SystemExit(f'{path}: "frames" is not finite in {len(bad)} rows ({rows}...): leave them out')
    labels = _column(arrays, "labels", np.full(count, -1), path).astype(np.int64)
    if classes is not None and labels.max(initial=-1) >= len(classes):
        raise SystemExit(f"{path}: label {labels.max()} has no name among the {len(classes)} classes given")
    return Frames(frames, labels, _column(arrays, "parts", np.arange(count), path), classes)


def _column(arrays: dict[str, np.ndarray], name: str, otherwise: np.ndarray, path: Path) -> np.ndarray:
    column = arrays.get(name, otherwise)
    if column.shape != otherwise.shape:
        raise SystemExit(f'{path}: array "{name}" has shape {column.shape}, expected {otherwise.shape}, one for each frame')
    return column


def _read_folder(folder: Path, classes: list[str] | None) -> Frames:
    """Classes are the folders; a part's name stands before `__` in the file's, as `sekisho record` reads it."""
    try:
        from PIL import Image
    except ImportError:
        raise SystemExit(f"{folder}: reading images needs python3-pil; or make a frames.npz of them")
    names = classes or sorted(child.name for child in folder.iterdir() if child.is_dir() and child.name[0] != ".")
    pictures, labels, parts = [], [], []
    for label, name in enumerate(names):
        for file in sorted((folder / name).iterdir()):
            if file.name.startswith("."):
                continue
            if file.suffix.lower() not in IMAGE_ENDINGS:
                raise SystemExit(f"{file}: expected a PNG or JPEG file")
            with Image.open(file) as image:
                pictures.append(np.asarray(image.convert("L" if image.mode in ("1", "L", "I;16") else "RGB")))
            labels.append(label)
            parts.append(file.stem.split("__")[0] if "__" in file.stem else f"{name}/{file.name}")
            if pictures[-1].shape != pictures[0].shape:
                raise SystemExit(f"{file}: has shape {pictures[-1].shape}, expected {pictures[0].shape} as the first image")
    if not pictures:
        raise SystemExit(f"{folder}: expected PNG or JPEG files in one folder a class, found none")
    return Frames(np.stack(pictures), np.array(labels, dtype=np.int64), np.array(parts), names)


def cut(frames: Frames, shares: dict[str, float], seed: int) -> dict[str, np.ndarray]:
    """Row numbers of each split, cut by part, so that no part stands on both sides; shares of parts sum to at most 1."""
    names, part_of = np.unique(frames.parts, return_inverse=True)
    place = np.random.default_rng(seed).permutation(len(names))[part_of] / len(names)
    splits, start = {}, 0.0
    for name, share in shares.items():
        splits[name] = np.flatnonzero((place >= start) & (place < start + share))
        start += share
    return splits
