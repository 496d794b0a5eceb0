"""The worst gap that is found: between what lies at the frame and what a dense grid over the ball shows."""

import unittest

import torch
from torch import nn

from sekisho_recipes.gap import Search, gaps_over_copies, unfaithful_rate, worst_gap_in_ball
from sekisho_recipes.losses import gap
from sekisho_recipes.nuisances import WINDOW_NUISANCES
from sekisho_recipes.search import Ball


class Two(nn.Module):
    """Two linear layers with a ReLU between, two inputs, two classes."""

    def __init__(self, first: list, bias: list, second: list) -> None:
        super().__init__()
        self.first, self.bias, self.second = map(torch.tensor, (first, bias, second))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x @ self.first.t() + self.bias) @ self.second.t()


# The toy pair with which the certified bounds are tested too: 0.099 at the frame, 0.1173 on a dense grid.
TEACHER = Two([[1.0, -1.0], [0.5, 1.0]], [0.0, -0.5], [[1.0, -1.0], [-1.0, 1.0]])
STUDENT = Two([[0.9, -1.1], [0.6, 0.9]], [0.0, -0.4], [[1.1, -0.9], [-1.0, 1.0]])
FRAME = torch.tensor([[1.0, 0.2]])


class WorstGap(unittest.TestCase):
    def test_finds_what_a_dense_grid_finds(self) -> None:
        self.assertAlmostEqual(float(gap(TEACHER(FRAME), STUDENT(FRAME))), 0.099, places=3)
        found = worst_gap_in_ball(STUDENT, TEACHER, FRAME, Ball(0.1), Search(steps=20, starts=4))
        side = torch.linspace(-0.1, 0.1, 201)
        grid = FRAME + torch.cartesian_prod(side, side)
        dense = float(gap(TEACHER(grid), STUDENT(grid)).max())
        self.assertAlmostEqual(dense, 0.1173, places=4)
        self.assertAlmostEqual(float(found), dense, places=3)

    def test_is_never_below_the_frames_own_and_grows_with_epsilon(self) -> None:
        x = torch.rand(50, 2, generator=torch.Generator().manual_seed(1))
        own = gap(TEACHER(x), STUDENT(x))
        worst = [worst_gap_in_ball(STUDENT, TEACHER, x, Ball(epsilon), Search(10, 2)) for epsilon in (0.0, 0.05, 0.2)]
        self.assertTrue(torch.allclose(worst[0], own))
        self.assertTrue(bool((worst[1] >= own).all()))
        self.assertGreater(float(worst[2].mean()), float(worst[1].mean()))


class Unfaithful(unittest.TestCase):
    def test_counts_another_class_at_the_frame_and_a_gap_anywhere(self) -> None:
        gaps = torch.tensor([[0.01, 0.02, 0.3, 0.0], [0.02, 0.15, 0.0, 0.0]])
        agree = torch.tensor([True, True, True, False])
        self.assertEqual(unfaithful_rate(gaps, agree, 0.1), 0.75)
        self.assertEqual(unfaithful_rate(gaps, agree, 0.2), 0.5)

    def test_gaps_over_copies_begin_with_the_frame(self) -> None:
        torch.manual_seed(1)
        student, teacher = (nn.Sequential(nn.Flatten(), nn.Linear(32, 3)) for _ in range(2))
        x = torch.randn(20, 1, 32)
        gaps, agree = gaps_over_copies(student, teacher, x, WINDOW_NUISANCES, 4, seed=1)
        self.assertEqual(gaps.shape, (5, 20))
        self.assertTrue(torch.allclose(gaps[0], gap(teacher(x), student(x)), atol=1e-6))
        self.assertEqual(agree.tolist(), (teacher(x).argmax(1) == student(x).argmax(1)).tolist())


if __name__ == "__main__":
    unittest.main()
