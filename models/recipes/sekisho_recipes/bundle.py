"""A bundle of the exported models: `sekisho bundle new`, whose golden frames check the student against PyTorch."""

import json
import subprocess
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .data import Units
from .export import ROUNDING


def make_bundle(
    command: list[str],
    folder: Path,
    student: Path,
    teacher: Path | None,
    classes: list[str],
    units: Units,
    provenance: dict[str, str],
) -> None:
    """Runs `sekisho bundle new`. command: how sekisho is called, such as ["npx", "sekisho"]."""
    arguments = [
        *command, "bundle", "new", str(folder), "--student", str(student), "--classes", ",".join(classes),
        "--scale", repr(units.scale),
        f"--mean={','.join(map(repr, units.mean))}", f"--std={','.join(map(repr, units.std))}",
    ]  # fmt: skip
    if teacher is not None:
        arguments += ["--teacher", str(teacher)]
    if provenance:
        arguments += ["--provenance", *(f"{key}={value}" for key, value in provenance.items())]
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} bundle new: {done.stderr.strip() or done.stdout.strip()}")
    print(done.stdout.strip(), flush=True)


def check_golden(folder: Path, student: nn.Module, units: Units) -> float:
    """Holds the bundle's golden logits, which ONNX Runtime gave, against PyTorch's; returns the largest difference.

    The frames are made here anew and scaled by the recipe's own units, so that this also checks the preprocessing that
    the bundle was given.
    """
    manifest = json.loads((folder / "bundle.json").read_text())
    largest = 0.0
    for golden in manifest["golden"]:
        frame = golden_frame(manifest["frame"], golden["frame"]["seed"])
        with torch.no_grad():
            logits = student(units.normalised(units.scaled(frame[np.newaxis])))[0][0]
        largest = max(largest, float(np.abs(logits.numpy() - np.array(golden["logits"])).max()))
    if not largest <= ROUNDING:
        raise SystemExit(
            f"{folder}: golden logits differ from PyTorch's by {largest:.2g}, expected at most {ROUNDING}: "
            "the export or the preprocessing is not what was trained"
        )
    return largest


def golden_frame(frame: dict, seed: int) -> np.ndarray:
    """The noise of a golden frame's seed, as src/core/golden.ts defines it: xoshiro128++ seeded by SplitMix32."""
    uniform = _uniform(seed, int(np.prod(frame["shape"])))
    values = np.floor(256 * uniform).astype(np.uint8) if frame["type"] == "u8" else (2 * uniform - 1).astype(np.float32)
    return values.reshape(frame["shape"])


_MASK = 0xFFFFFFFF


def _uniform(seed: int, count: int) -> np.ndarray:
    state = seed & _MASK
    words = []
    for _ in range(4):
        state = (state + 0x9E3779B9) & _MASK
        z = state
        z = ((z ^ (z >> 16)) * 0x21F0AAAD) & _MASK
        z = ((z ^ (z >> 15)) * 0x735A2D97) & _MASK
        words.append(z ^ (z >> 15))
    a, b, c, d = words
    rotate = lambda x, k: ((x << k) | (x >> (32 - k))) & _MASK
    out = np.empty(count)
    for i in range(count):
        halves = []
        for _ in range(2):
            halves.append((rotate((a + d) & _MASK, 7) + a) & _MASK)
            t = (b << 9) & _MASK
            c ^= a
            d ^= b
            b ^= c
            a ^= d
            c ^= t
            d = rotate(d, 11)
        out[i] = ((halves[0] >> 5) * 0x4000000 + (halves[1] >> 6)) / 0x20000000000000
    return out
