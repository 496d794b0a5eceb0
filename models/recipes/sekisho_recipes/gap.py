"""How far student and teacher part: at the frames, over their recorded nuisances, and at the worst of an epsilon ball."""

from dataclasses import dataclass

import torch
from torch import nn

from .losses import gap, kl
from .nuisances import copies
from .search import Ball, ascend
from .teachers import BATCH


@dataclass(frozen=True)
class Search:
    """How hard a ball is searched: the frame itself, then climbs from it and from random points."""

    steps: int = 10
    starts: int = 2
    seed: int = 1


def worst_gap_in_ball(student: nn.Module, teacher: nn.Module, x: torch.Tensor, ball: Ball, search: Search) -> torch.Tensor:
    """The largest gap found [N] within the ball of each scaled frame, both models at the same x': a lower bound.

    Half of the starts climb the gap itself, half KL(T || S), which has a gradient also where the gap is flat; the gap
    of whatever point is found counts. More starts or steps can only find more.
    """
    chance = torch.Generator().manual_seed(search.seed)
    found = []
    for part in x.split(BATCH):
        with torch.no_grad():
            worst = gap(teacher(part), student(part))
        for start in range(search.starts):
            measure = gap if start % 2 == 0 else kl
            objective = lambda at: measure(teacher(at), student(at))
            climbed = ascend(objective, part, ball, search.steps, ball.random(part, chance))
            with torch.no_grad():
                worst = torch.maximum(worst, gap(teacher(climbed), student(climbed)))
        found.append(worst)
    return torch.cat(found)


@torch.no_grad()
def gaps_over_copies(
    student: nn.Module, teacher: nn.Module, x: torch.Tensor, nuisances: dict[str, float], count: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gaps [1 + J, N] at each scaled frame and its copies, and whether both answer alike at the frame [N]."""
    chance = torch.Generator().manual_seed(seed)
    gaps, agree = [], []
    for part in x.split(BATCH):
        every = torch.cat([part.unsqueeze(0), copies(part, nuisances, count, chance)]).flatten(0, 1)
        said, answered = teacher(every), student(every)
        gaps.append(gap(said, answered).view(1 + count, -1))
        agree.append(said[: len(part)].argmax(1) == answered[: len(part)].argmax(1))
    return torch.cat(gaps, dim=1), torch.cat(agree)


def unfaithful_rate(gaps: torch.Tensor, agree: torch.Tensor, delta: float) -> float:
    """Share of frames with U = 1: another class at the frame, or a gap above delta at the frame or a copy."""
    return float(((gaps.amax(0) > delta) | ~agree).float().mean())
