"""The nuisances of `sekisho record`, for training: copies of a frame drawn as its neighbourhood is drawn.

Kinds, magnitudes and formulas are those of src/core/nuisance.ts; the numbers drawn are not, which training needs not.
Images are [N, C, H, W] in 0..1, where `record` has 0..255; windows are [N, 1, L] in their own units.
"""

from collections.abc import Callable

import torch
from torch.nn import functional

#: What `sekisho record` does by default.
IMAGE_NUISANCES = {"shift": 1, "brightness": 0.05, "contrast": 0.1, "blur": 0.5, "noise": 0.02}
WINDOW_NUISANCES = {"tensor-noise": 0.02, "gain": 0.05, "offset": 0.02, "time-shift": 1}

_BINOMIAL = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 16.0


def perturbed(x: torch.Tensor, kind: str, magnitude: float, chance: torch.Generator) -> torch.Tensor:
    """x [N, C, ...] with one nuisance; every frame draws its own amount, uniform up to the magnitude either way."""
    if kind not in _KINDS:
        raise SystemExit(f"nuisances: expected one of {', '.join(_KINDS)}, found {kind}")
    return _KINDS[kind](x, magnitude, chance)


def drawn(x: torch.Tensor, nuisances: dict[str, float], chance: torch.Generator) -> torch.Tensor:
    """x [N, C, ...] with one nuisance each, the kind drawn evenly for every frame."""
    which = torch.randint(0, len(nuisances), (len(x),), generator=chance)
    out = x.clone()
    for index, (kind, magnitude) in enumerate(nuisances.items()):
        rows = (which == index).nonzero().flatten()
        if len(rows) > 0:
            out[rows] = perturbed(x[rows], kind, magnitude, chance)
    return out


def copies(x: torch.Tensor, nuisances: dict[str, float], count: int, chance: torch.Generator) -> torch.Tensor:
    """J copies [J, N, C, ...] of each frame; copy j suffers nuisance j modulo their number, as recorded."""
    kinds = list(nuisances.items())
    return torch.stack([perturbed(x, *kinds[j % len(kinds)], chance) for j in range(count)])


def _amount(x: torch.Tensor, magnitude: float, chance: torch.Generator) -> torch.Tensor:
    drawn_evenly = torch.rand(len(x), generator=chance).view(-1, *[1] * (x.dim() - 1))
    return magnitude * (2 * drawn_evenly - 1)


def _each(x: torch.Tensor, reduce: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """A statistic of every frame on its own, broadcast to its shape."""
    return reduce(x.flatten(1)).view(-1, *[1] * (x.dim() - 1))


def _deviation(x: torch.Tensor) -> torch.Tensor:
    return _each(x, lambda rows: rows.std(1, unbiased=False))


def _steps(count: int, magnitude: float, chance: torch.Generator) -> torch.Tensor:
    most = int(magnitude)
    return torch.randint(-most, most + 1, (count,), generator=chance)


def _shift(x: torch.Tensor, magnitude: float, chance: torch.Generator) -> torch.Tensor:
    """What comes in at the border repeats the border."""
    count, channels, height, width = x.shape
    rows = (torch.arange(height) - _steps(count, magnitude, chance).view(-1, 1)).clamp(0, height - 1)
    columns = (torch.arange(width) - _steps(count, magnitude, chance).view(-1, 1)).clamp(0, width - 1)
    each = torch.arange(count).view(-1, 1, 1, 1)
    return x[each, torch.arange(channels).view(1, -1, 1, 1), rows.view(count, 1, -1, 1), columns.view(count, 1, 1, -1)]


def _contrast(x: torch.Tensor, magnitude: float, chance: torch.Generator) -> torch.Tensor:
    mean = _each(x, lambda rows: rows.mean(1))
    return (mean + (x - mean) * (1 + _amount(x, magnitude, chance))).clamp(0, 1)


def _blur(x: torch.Tensor, magnitude: float, chance: torch.Generator) -> torch.Tensor:
    weight = _amount(x, magnitude, chance).abs()
    channels = x.shape[1]
    around = functional.pad(x, (1, 1, 1, 1), mode="replicate")
    mean = functional.conv2d(around, _BINOMIAL.expand(channels, 1, 3, 3), groups=channels)
    return (1 - weight) * x + weight * mean


def _time_shift(x: torch.Tensor, magnitude: float, chance: torch.Generator) -> torch.Tensor:
    length = x.shape[-1]
    from_where = (torch.arange(length) - _steps(len(x), magnitude, chance).view(-1, 1)) % length
    return x.gather(-1, from_where.view(-1, *[1] * (x.dim() - 2), length).expand_as(x))


_KINDS: dict[str, Callable[[torch.Tensor, float, torch.Generator], torch.Tensor]] = {
    "shift": _shift,
    "brightness": lambda x, m, chance: (x + _amount(x, m, chance)).clamp(0, 1),
    "contrast": _contrast,
    "blur": _blur,
    "noise": lambda x, m, chance: (x + m * torch.randn(x.shape, generator=chance)).clamp(0, 1),
    "tensor-noise": lambda x, m, chance: x + m * _deviation(x) * torch.randn(x.shape, generator=chance),
    "gain": lambda x, m, chance: x * (1 + _amount(x, m, chance)),
    "offset": lambda x, m, chance: x + _deviation(x) * _amount(x, m, chance),
    "time-shift": _time_shift,
}
