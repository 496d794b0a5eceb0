"""A teacher: one that was trained here, TorchScript, or an ONNX file; and what it said of frames and their copies."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .data import Units
from .files import write_atomically
from .networks import NETWORKS
from .nuisances import copies
from .onnx_network import OnnxNetwork

BATCH = 256


class Scaled(nn.Module):
    """A network that is given scaled frames [N, C, ...] and answers with logits [N, K] alone."""

    def __init__(self, network: nn.Module, units: Units) -> None:
        super().__init__()
        self.network, self.units = network, units

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.units.normalised(x)
        # Convolutions over images are faster so on a CPU; the numbers are the same.
        answer = self.network(x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x)
        return answer[0] if isinstance(answer, tuple) else answer


def read_teacher(path: Path, units: Units, classes: int) -> Scaled:
    """A frozen teacher, from teacher.pt of these recipes, any TorchScript, or an ONNX file of common operators.

    Its input is what the student's is: the units' normalised frames. Its first output, or the one named logits, is K
    logits.
    """
    network = OnnxNetwork(path) if path.suffix == ".onnx" else _read_torch(path, units, classes)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    scaled = Scaled(network.eval(), units)
    with torch.no_grad():
        found = tuple(scaled(torch.zeros(2, *units.shape)).shape)
    if found != (2, classes):
        raise SystemExit(f"{path}: expected logits of shape (2, {classes}) for two frames, found {found}")
    return scaled


def _read_torch(path: Path, units: Units, classes: int) -> nn.Module:
    try:
        return torch.jit.load(str(path), map_location="cpu")
    except RuntimeError:
        pass
    try:
        # Weights only: a pickle could run anything.
        saved = torch.load(path, map_location="cpu", weights_only=True)
        network = NETWORKS[saved["role"]](units.shape, classes)
        network.load_state_dict(saved["network"])
        return network
    except Exception as problem:
        raise SystemExit(f"{path}: expected TorchScript, an .onnx file, or a .pt of these recipes: {problem}")


@torch.no_grad()
def answers(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Logits [N, K] of scaled frames, in batches."""
    return torch.cat([network(part) for part in x.split(BATCH)])


class Asked:
    """Frames and J copies of each [1 + J, N, C, ...], with the teacher's logits [1 + J, N, K]; the frame itself first.

    A teacher is asked once for each of them, whatever number of students and epochs follows: it may be slow, or
    elsewhere. Copies of images are rounded to whole grey levels, as a camera's would be.
    """

    def __init__(self, frames: torch.Tensor, logits: torch.Tensor, units: Units) -> None:
        self._frames, self.logits, self._units = frames, logits, units

    def __len__(self) -> int:
        return self.logits.shape[1]

    @property
    def variants(self) -> int:
        return self.logits.shape[0]

    def x(self, variant: torch.Tensor | int, rows: torch.Tensor) -> torch.Tensor:
        """Scaled frames [..., C, ...]: of each row the variant named beside it."""
        found = self._frames[variant, rows]
        return found.float() * self._units.scale if found.dtype == torch.uint8 else found

    def pixels(self, variant: int) -> torch.Tensor:
        """All frames of a variant in the sensor's own numbers and order, [N, H, W, C] for images."""
        found = self._frames[variant]
        if not self._units.is_image:
            return found
        moved = found.permute(0, 2, 3, 1)
        return moved.squeeze(-1) if moved.shape[-1] == 1 else moved

    @staticmethod
    def ask(
        teacher: Scaled, frames: np.ndarray, nuisances: dict[str, float], count: int, seed: int, kept: Path | None = None
    ) -> "Asked":
        """Asks, or reads what was asked before of the same teacher about the same frames and copies (file `kept`)."""
        units = teacher.units
        key = _digest(teacher, frames, f"{nuisances} {count} {seed}")
        if kept is not None and kept.exists():
            saved = torch.load(kept, weights_only=True)
            if saved["key"] == key:
                return Asked(saved["frames"], saved["logits"], units)
        x = units.scaled(frames)
        chance = torch.Generator().manual_seed(seed)
        every = torch.cat([x.unsqueeze(0), copies(x, nuisances, count, chance)]) if count > 0 else x.unsqueeze(0)
        if units.is_image:
            every = (every / units.scale).round().clamp(0, 255).to(torch.uint8)
        asked = Asked(every, torch.empty(0), units)
        rows = torch.arange(len(frames))
        logits = []
        for variant in range(len(every)):
            print(f"asking the teacher: {variant + 1} of {len(every)}", flush=True)
            logits.append(torch.cat([answers(teacher, asked.x(variant, part)) for part in rows.split(BATCH)]))
        asked.logits = torch.stack(logits)
        if kept is not None:
            write_atomically(kept, lambda path: torch.save({"key": key, "frames": every, "logits": asked.logits}, path))
        return asked


def _digest(teacher: Scaled, frames: np.ndarray, settings: str) -> str:
    digest = hashlib.sha256(settings.encode())
    digest.update(np.ascontiguousarray(frames).tobytes())
    for name, value in teacher.state_dict().items():
        digest.update(name.encode())
        digest.update(value.contiguous().numpy().tobytes())
    digest.update(str(teacher.units).encode())
    return digest.hexdigest()
