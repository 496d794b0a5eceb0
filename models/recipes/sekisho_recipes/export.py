"""ONNX files of student and teacher, checked against PyTorch where ONNX Runtime is at hand for Python."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from .data import Units

STUDENT_OUTPUTS = ["logits", "features", "doubt"]
#: Largest difference of an output that is rounding.
ROUNDING = 1e-3


def export(network: nn.Module, sides: tuple[int, ...], path: Path, outputs: list[str], name: str = "frame") -> None:
    """Writes a network whose input, called `name`, is normalised frames [batch, *sides]; the batch stays free."""
    network.eval().to(memory_format=torch.contiguous_format)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Newer PyTorch has a second exporter, which needs more packages; this one is in all of them.
    legacy = {"dynamo": False} if "dynamo" in torch.onnx.export.__code__.co_varnames else {}
    torch.onnx.export(
        network,
        torch.zeros(1, *sides),
        str(path),
        input_names=[name],
        output_names=outputs,
        dynamic_axes={value: {0: "batch"} for value in [name, *outputs]},
        opset_version=13,
        **legacy,
    )


def check_export(network: nn.Module, path: Path, examples: torch.Tensor) -> bool:
    """Whether ONNX Runtime could be asked; every output must then be what PyTorch gives, to rounding.

    examples [N, ...]: normalised frames in their own order. Without onnxruntime for Python the bundle's golden frames
    are what checks the export (bundle.py).
    """
    try:
        import onnxruntime
    except ImportError:
        return False
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {"frame": examples.numpy()})
    with torch.no_grad():
        expected = network(examples)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for output, ours, theirs in zip(session.get_outputs(), expected, found):
        difference = float(np.abs(ours.numpy() - theirs).max())
        if not difference <= ROUNDING:
            raise SystemExit(
                f"{path}: output {output.name} differs from PyTorch's by {difference:.2g}, expected at most {ROUNDING}"
            )
    return True


def frame_sides(units: Units, frames: np.ndarray) -> tuple[int, ...]:
    """The sides of the exported input: images channels first, windows as they are recorded."""
    return units.shape if units.is_image else frames.shape[1:]
