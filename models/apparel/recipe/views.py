"""Random views of an image: what a camera on a line does to a garment, and mixtures of two images."""

import torch
from torch.nn import functional

_BINOMIAL = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 16.0


def view(images: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """images [N, 1, H, W] in 0..1 -> as many views: half of them mirrored, half shifted by up to a pixel, and
    some with brightness and contrast changed, blurred, or with noise."""
    count, _, height, width = images.shape
    uniform = lambda low, high: low + (high - low) * torch.rand(count, 1, 1, 1, generator=chance)
    some = lambda rate: torch.rand(count, 1, 1, 1, generator=chance) < rate

    x = torch.where(some(0.5), images.flip(3), images)
    padded = functional.pad(x, (1, 1, 1, 1))
    top = torch.randint(0, 3, (count, 1, 1), generator=chance)
    left = torch.randint(0, 3, (count, 1, 1), generator=chance)
    rows = top + torch.arange(height).view(1, height, 1)
    columns = left + torch.arange(width).view(1, 1, width)
    shifted = padded[torch.arange(count).view(count, 1, 1), 0, rows, columns].unsqueeze(1)
    x = torch.where(some(0.5), shifted, x)

    x = torch.where(some(0.3), x * uniform(0.85, 1.15) + uniform(-0.05, 0.05), x)
    x = torch.where(some(0.15), functional.conv2d(x, _BINOMIAL.view(1, 1, 3, 3), padding=1), x)
    noise = torch.randn(x.shape, generator=chance) * uniform(0.0, 0.04)
    return torch.where(some(0.2), x + noise, x).clamp(0, 1)


def mixture(x: torch.Tensor, chance: torch.Generator, concentration: float) -> torch.Tensor:
    """Convex mixtures of x [N, ...] with itself in another order (Zhang et al. 2018, mixup).

    The weight is Beta(c, c), drawn as a ratio of gamma variates with the given generator.
    """
    count = len(x)
    gamma = torch._standard_gamma(torch.full((2, count), concentration), generator=chance)
    weight = (gamma[0] / (gamma[0] + gamma[1]).clamp_min(1e-12)).view(count, 1, 1, 1)
    order = torch.randperm(count, generator=chance)
    return weight * x + (1 - weight) * x[order]
