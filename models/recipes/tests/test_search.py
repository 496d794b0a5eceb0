"""The epsilon ball: nothing leaves it, and what is found in it is worse than what was there."""

import unittest

import torch

from sekisho_recipes.search import Ball, ascend


class Projection(unittest.TestCase):
    def setUp(self) -> None:
        self.chance = torch.Generator().manual_seed(3)
        self.centre = torch.rand(64, 1, 5, 5, generator=self.chance)
        self.ball = Ball(0.1, 0.0, 1.0)

    def assert_inside(self, x: torch.Tensor) -> None:
        self.assertLessEqual(float((x - self.centre).abs().max()), 0.1 + 1e-6)
        self.assertGreaterEqual(float(x.min()), 0.0)
        self.assertLessEqual(float(x.max()), 1.0)

    def test_brings_back_what_lies_outside_and_leaves_what_lies_inside(self) -> None:
        far = self.centre + 3 * torch.randn(self.centre.shape, generator=self.chance)
        self.assert_inside(self.ball.project(far, self.centre))
        inside = self.ball.random(self.centre, self.chance)
        self.assert_inside(inside)
        self.assertTrue(torch.equal(self.ball.project(inside, self.centre), inside))

    def test_is_the_nearest_point(self) -> None:
        found = Ball(0.1).project(torch.tensor([[0.7, 0.45, 0.2]]), torch.tensor([[0.5, 0.5, 0.5]]))
        self.assertTrue(torch.allclose(found, torch.tensor([[0.6, 0.45, 0.4]])))

    def test_a_search_stays_inside_however_long_its_steps(self) -> None:
        found = ascend(lambda x: (x**2).flatten(1).sum(1), self.centre, self.ball, 7, self.centre, rate=5.0)
        self.assert_inside(found)
        self.assertFalse(found.requires_grad)


class Ascent(unittest.TestCase):
    def test_reaches_the_corner_where_a_linear_objective_is_largest(self) -> None:
        slope = torch.tensor([[1.0, -2.0, 0.5]])
        centre = torch.zeros(4, 3)
        found = ascend(lambda x: (x * slope).sum(1), centre, Ball(0.2), 3, centre)
        self.assertTrue(torch.allclose(found, 0.2 * slope.sign().expand(4, 3)))


if __name__ == "__main__":
    unittest.main()
