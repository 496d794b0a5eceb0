"""Training that is interrupted ends with the networks of one that is not; each method learns."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sekisho_recipes.data import Frames, units_of
from sekisho_recipes.losses import gap, kl
from sekisho_recipes.methods import METHODS, Distiller, Recipe
from sekisho_recipes.networks import student
from sekisho_recipes.nuisances import IMAGE_NUISANCES
from sekisho_recipes.teachers import Asked, Scaled, answers
from sekisho_recipes.train import Plan, fit

CLASSES = 3


def stripes(count: int) -> Frames:
    """Images of 16 x 16 with bright rows, columns or diagonals, and noise."""
    chance = np.random.default_rng(5)
    labels = chance.integers(0, CLASSES, count)
    i, j = np.mgrid[0:16, 0:16]
    patterns = np.stack([i % 4 < 2, j % 4 < 2, (i + j) % 4 < 2])
    frames = 120 * patterns[labels] + chance.integers(0, 100, (count, 16, 16))
    return Frames(frames.astype(np.uint8), labels.astype(np.int64), np.arange(count))


class Wise(nn.Module):
    """A teacher made by hand: how well each pattern fits, as logits."""

    def __init__(self) -> None:
        super().__init__()
        i, j = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
        patterns = torch.stack([(i % 4 < 2), (j % 4 < 2), ((i + j) % 4 < 2)]).float() - 0.5
        self.register_buffer("patterns", patterns.view(CLASSES, -1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) @ self.patterns.t() / 20


class World:
    """Frames, a teacher, and students to be distilled from it."""

    def __init__(self, method: str, neighbourhood: str = "nuisances", frames: int = 96) -> None:
        torch.manual_seed(11)
        self.frames = stripes(frames)
        self.units = units_of(self.frames)
        self.teacher = Scaled(Wise().eval(), self.units)
        self.recipe = Recipe(method, neighbourhood, share=0.9, temperature=2, steps=2, copies=2)
        self.network = student(self.units.shape, CLASSES)
        self.student = Scaled(self.network, self.units)
        with contextlib.redirect_stdout(io.StringIO()):
            asked = Asked.ask(self.teacher, self.frames.frames, IMAGE_NUISANCES, self.recipe.copies_asked, 1)
        self.distiller = Distiller(self.recipe, self.student, self.teacher, asked, torch.from_numpy(self.frames.labels))

    def train(self, plan: Plan, checkpoint: Path | None = None, until: int | None = None) -> bool:
        with contextlib.redirect_stdout(io.StringIO()):
            return fit(self.network, self.distiller, len(self.frames), plan, "test", checkpoint, until=until)

    def mean_gap(self) -> float:
        self.network.eval()
        x = self.units.scaled(self.frames.frames)
        return float(gap(answers(self.teacher, x), answers(self.student, x)).mean())


class Resuming(unittest.TestCase):
    plan = Plan(epochs=4, batch=32)

    def test_an_interrupted_training_ends_with_the_same_numbers(self) -> None:
        whole = World("faithful", "ball")
        whole.train(self.plan)
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Path(folder) / "checkpoint.pt"
            self.assertFalse(World("faithful", "ball").train(self.plan, checkpoint, until=1))
            self.assertFalse(World("faithful", "ball").train(self.plan, checkpoint, until=3))
            last = World("faithful", "ball")
            self.assertTrue(last.train(self.plan, checkpoint))
        for name, value in whole.network.state_dict().items():
            self.assertTrue(torch.equal(value, last.network.state_dict()[name]), name)

    def test_another_seed_gives_another_student(self) -> None:
        one, other = World("kd"), World("kd")
        one.train(self.plan)
        other.train(Plan(epochs=4, batch=32, seed=2))
        self.assertFalse(torch.equal(one.network.classify.weight, other.network.classify.weight))

    def test_a_checkpoint_of_another_plan_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Path(folder) / "checkpoint.pt"
            World("kd").train(self.plan, checkpoint, until=1)
            with self.assertRaisesRegex(SystemExit, "made by another training"):
                World("kd").train(Plan(epochs=9, batch=32), checkpoint)


class Learning(unittest.TestCase):
    def test_every_method_brings_the_student_nearer_to_its_teacher(self) -> None:
        cases = [(method, "nuisances") for method in METHODS] + [("faithful", "ball")]
        for method, neighbourhood in cases:
            with self.subTest(method=method, neighbourhood=neighbourhood):
                world = World(method, neighbourhood, 192)
                before = world.mean_gap()
                world.train(Plan(epochs=6, batch=32, average=0.5))
                self.assertLess(world.mean_gap(), 0.6 * before)

    def test_a_search_leaves_the_batch_statistics_and_the_mode_as_they_were(self) -> None:
        world = World("faithful", "nuisances")
        world.network.train()
        before = {name: value.clone() for name, value in world.network.state_dict().items()}
        world.distiller._worst_copy(torch.arange(8))
        self.assertTrue(world.network.training)
        for name, value in world.network.state_dict().items():
            self.assertTrue(torch.equal(value, before[name]), name)

    def test_the_worst_copy_is_the_one_with_the_largest_divergence(self) -> None:
        world = World("faithful", "nuisances")
        rows = torch.arange(8)
        x, said = world.distiller._worst_copy(rows)
        world.network.eval()
        found = kl(said, world.student(x))
        for variant in range(world.distiller.asked.variants):
            there = kl(world.distiller.asked.logits[variant, rows], world.student(world.distiller.asked.x(variant, rows)))
            self.assertTrue(bool((found >= there - 1e-6).all()))


if __name__ == "__main__":
    unittest.main()
