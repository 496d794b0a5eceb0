"""The epsilon ball: projections, and searches in it by projected gradient."""

from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Ball:
    """All x' whose every number is within epsilon of x's, and within low and high where a frame has such bounds.

    epsilon, low and high are in the units of the frames that the networks are given: 0..1 for images.
    """

    epsilon: float
    low: float = float("-inf")
    high: float = float("inf")

    def project(self, x: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
        """The point of the ball about `centre` that is nearest to x [N, ...]."""
        near = torch.maximum(torch.minimum(x, centre + self.epsilon), centre - self.epsilon)
        return near.clamp(self.low, self.high)

    def random(self, centre: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        """A point for each centre, drawn evenly from the cube of side 2 epsilon, and projected."""
        offset = self.epsilon * (2 * torch.rand(centre.shape, generator=chance) - 1)
        return self.project(centre + offset, centre)


def ascend(
    objective: Callable[[torch.Tensor], torch.Tensor],
    centre: torch.Tensor,
    ball: Ball,
    steps: int,
    start: torch.Tensor,
    rate: float | None = None,
) -> torch.Tensor:
    """Climbs by the gradient's signs, projected into the ball after every step (Madry et al. 2018).

    objective: x [N, ...] -> [N], to be enlarged for every frame on its own. rate: length of a step; 2.5 epsilon /
    steps where left out, so that the far side of the ball can be reached. Returns the last point, detached.
    """
    rate = 2.5 * ball.epsilon / max(1, steps) if rate is None else rate
    x = start.detach()
    for _ in range(steps):
        x.requires_grad_(True)
        (gradient,) = torch.autograd.grad(objective(x).sum(), x)
        x = ball.project(x.detach() + rate * gradient.sign(), centre)
    return x.detach()
