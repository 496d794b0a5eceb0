"""The ways to distil: for a batch of frames, which x' the student is asked about, and by which loss it learns."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from .losses import ard, faithful, kl, rslad, standard, trust_of
from .search import Ball, ascend
from .teachers import Asked, Scaled

METHODS = ("kd", "kd-copies", "ard", "rslad", "faithful")
NEIGHBOURHOODS = ("nuisances", "ball")
#: Frames that a student is asked about at once where no gradient is needed.
PIECE = 64


@dataclass(frozen=True)
class Recipe:
    """What fixes a distillation beside its plan.

    share: a, the teacher's share of the loss. temperature: t. epsilon, steps: of the ball and the search in it, in
    units of scaled frames. copies: J of the nuisance neighbourhood. trust_wrong: how much of its share the teacher
    keeps where it is wrong.
    """

    method: str = "faithful"
    neighbourhood: str = "nuisances"
    share: float = 1.0
    temperature: float = 4.0
    epsilon: float = 8 / 255
    steps: int = 3
    copies: int = 5
    trust_wrong: float = 1.0

    def __post_init__(self) -> None:
        known_of = {"method": METHODS, "neighbourhood": NEIGHBOURHOODS}
        for name, known in known_of.items():
            value = getattr(self, name)
            if value not in known:
                raise SystemExit(f"{name}: expected one of {', '.join(known)}, found {value}")

    @property
    def copies_asked(self) -> int:
        """How many copies of each frame the teacher is asked about beforehand."""
        searches_copies = self.method == "faithful" and self.neighbourhood == "nuisances"
        return self.copies if searches_copies or self.method == "kd-copies" else 0


class Distiller:
    """The loss of a batch, for one student, teacher and recipe."""

    def __init__(self, recipe: Recipe, student: Scaled, teacher: Scaled, asked: Asked, labels: torch.Tensor) -> None:
        self.recipe, self.student, self.teacher, self.asked, self.labels = recipe, student, teacher, asked, labels
        units = student.units
        self.ball = Ball(recipe.epsilon, units.low, units.high)
        self._loss = {
            "kd": self._standard,
            "kd-copies": self._standard,
            "ard": self._ard,
            "rslad": self._rslad,
            "faithful": self._faithful,
        }[recipe.method]

    def __call__(self, rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        return self._loss(rows, chance)

    def _standard(self, rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        variant = torch.zeros_like(rows)
        if self.recipe.method == "kd-copies":
            variant = torch.randint(0, self.asked.variants, rows.shape, generator=chance)
        answer = self.student(self.asked.x(variant, rows))
        return standard(answer, self.asked.logits[variant, rows], self.labels[rows], self.recipe.share, self.recipe.temperature)

    def _ard(self, rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        x, labels, said = self.asked.x(0, rows), self.labels[rows], self.asked.logits[0, rows]
        # A frame without a label is attacked where the teacher's own answer is given up.
        targets = torch.where(labels >= 0, labels, said.argmax(1))
        found = self._search(x, lambda at: functional.cross_entropy(self.student(at), targets, reduction="none"), chance)
        clean, attacked = self.student(torch.cat([x, found])).chunk(2)
        return ard(clean, attacked, said, labels, self.recipe.share, self.recipe.temperature)

    def _rslad(self, rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        x, said = self.asked.x(0, rows), self.asked.logits[0, rows]
        found = self._search(x, lambda at: kl(said, self.student(at)), chance)
        clean, attacked = self.student(torch.cat([x, found])).chunk(2)
        return rslad(clean, attacked, said)

    def _faithful(self, rows: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
        recipe, labels = self.recipe, self.labels[rows]
        at_copies = recipe.neighbourhood == "nuisances"
        found, said = self._worst_copy(rows) if at_copies else self._worst_in_ball(rows, chance)
        trust = trust_of(said, labels, recipe.trust_wrong)
        if recipe.share * trust.min() < 1:
            clean, answer = self.student(torch.cat([self.asked.x(0, rows), found])).chunk(2)
        else:
            # No frame's label has a say: S(x) is not needed.
            clean = answer = self.student(found)
        return faithful(clean, answer, said, labels, recipe.share, recipe.temperature, trust)

    @torch.no_grad()
    def _worst_copy(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of each frame and its copies the one where KL(T || S) is largest, and what the teacher says there."""
        variants = torch.arange(self.asked.variants).view(-1, 1)
        every = self.asked.x(variants, rows.view(1, -1))
        said = self.asked.logits[:, rows]
        with _in_eval(self.student):
            # In small pieces, which stay in the CPU's cache: less than half the time of all at once.
            answered = torch.cat([self.student(part) for part in every.flatten(0, 1).split(PIECE)])
        worst = kl(said.flatten(0, 1), answered).view(len(every), -1).argmax(0)
        return self.asked.x(worst, rows), self.asked.logits[worst, rows]

    def _worst_in_ball(self, rows: torch.Tensor, chance: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.asked.x(0, rows)
        found = self._search(x, lambda at: kl(self.teacher(at), self.student(at)), chance)
        with torch.no_grad():
            return found, self.teacher(found)

    def _search(self, x: torch.Tensor, objective, chance: torch.Generator) -> torch.Tensor:
        with _in_eval(self.student):
            return ascend(objective, x, self.ball, self.recipe.steps, self.ball.random(x, chance))


class _in_eval:
    """Searches look at the student as it answers, without touching its batch statistics."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def __enter__(self) -> None:
        self.network.eval()

    def __exit__(self, *_: object) -> None:
        self.network.train()

