"""Each loss against values computed by hand.

The teacher says (3/4, 1/4) of a frame, that is logits (ln 3, 0); the student says (1/2, 1/2), logits (0, 0). So
KL(T || S) = 3/4 ln(3/2) + 1/4 ln(1/2) = 0.130812, CE(S, 0) = ln 2 = 0.693147, and at t = 2 the teacher says
(0.633975, 0.366025), whose KL to (1/2, 1/2) is 0.036340.
"""

import math
import unittest

import torch

from sekisho_recipes.losses import ard, faithful, gap, kl, rslad, standard, trust_of

TEACHER = torch.tensor([[math.log(3), 0.0]])
EVEN = torch.tensor([[0.0, 0.0]])
LABEL = torch.tensor([0])
KL, CE, KL_AT_2 = 0.130812, 0.693147, 0.036340


class Losses(unittest.TestCase):
    def close(self, found: torch.Tensor, expected: float) -> None:
        self.assertAlmostEqual(float(found), expected, places=5)

    def test_divergence_is_of_the_student_from_the_teacher(self) -> None:
        self.close(kl(TEACHER, EVEN)[0], KL)
        self.close(kl(TEACHER, EVEN, 2)[0], KL_AT_2)
        # The other way round it would be 1/2 ln(2/3) + 1/2 ln 2.
        self.close(kl(EVEN, TEACHER)[0], 0.143841)

    def test_distances_of_three_classes(self) -> None:
        # p_t = (0.78559703, 0.17529039, 0.03911257), p_s = (0.61277492, 0.30429502, 0.08293007).
        teacher, student = torch.tensor([[2.0, 0.5, -1.0]]), torch.tensor([[1.5, 0.8, -0.5]])
        self.close(gap(teacher, student)[0], 0.17282212)
        self.close(kl(teacher, student)[0], 0.06910141)

    def test_gap_is_the_largest_difference_of_a_class(self) -> None:
        self.close(gap(TEACHER, EVEN)[0], 0.25)

    def test_standard_distillation_blends_label_and_teacher(self) -> None:
        self.close(standard(EVEN, TEACHER, LABEL, 0.9, 1), 0.1 * CE + 0.9 * KL)
        self.close(standard(EVEN, TEACHER, LABEL, 0.9, 2), 0.1 * CE + 0.9 * 4 * KL_AT_2)

    def test_a_frame_without_a_label_learns_from_the_teacher_alone(self) -> None:
        self.close(standard(EVEN, TEACHER, torch.tensor([-1]), 0.9, 1), 0.9 * KL)

    def test_ard_asks_the_label_at_the_frame_and_the_teacher_of_the_frame_at_the_attack(self) -> None:
        attacked = torch.tensor([[math.log(3), 0.0]])
        self.close(ard(EVEN, attacked, TEACHER, LABEL, 0.5, 1), 0.5 * CE)
        self.close(ard(EVEN, EVEN, TEACHER, LABEL, 0.5, 2), 0.5 * CE + 0.5 * 4 * KL_AT_2)

    def test_rslad_weighs_the_attack_five_to_one(self) -> None:
        self.close(rslad(TEACHER, EVEN, TEACHER), 5 / 6 * KL)
        self.close(rslad(EVEN, TEACHER, TEACHER), 1 / 6 * KL)

    def test_faithful_distillation_asks_both_at_the_worst_point(self) -> None:
        sure = torch.tensor([[math.log(3), 0.0]])
        self.close(faithful(sure, EVEN, TEACHER, LABEL, 0.9, 1), 0.1 * math.log(4 / 3) + 0.9 * KL)

    def test_a_distrusted_teacher_yields_to_the_label(self) -> None:
        trust = torch.tensor([0.5])
        self.close(faithful(EVEN, EVEN, TEACHER, LABEL, 1, 1, trust), 0.5 * CE + 0.5 * KL)

    def test_trust_falls_only_where_a_known_label_speaks_against_the_teacher(self) -> None:
        three = TEACHER.expand(3, 2)
        self.assertEqual(trust_of(three, torch.tensor([0, 1, -1]), 0.25).tolist(), [1, 0.25, 1])


if __name__ == "__main__":
    unittest.main()
