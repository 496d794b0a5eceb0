"""The losses of distillation, each from its published formula.

Logits are [N, K]; S is the student, T the teacher, S_t and T_t their soft confidences at temperature t. Every loss is
the mean over the frames, KL is summed over the classes: KL(P || Q) = sum p log(p / q).
"""

import torch
from torch.nn import functional


def kl(teacher: torch.Tensor, student: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """KL(T_t || S_t) of each frame [N], in nats."""
    target = functional.log_softmax(teacher / temperature, dim=1)
    answer = functional.log_softmax(student / temperature, dim=1)
    return (target.exp() * (target - answer)).sum(1)


def gap(teacher: torch.Tensor, student: torch.Tensor) -> torch.Tensor:
    """Largest difference of any class's soft confidence, of each frame [N], in 0..1."""
    return (functional.softmax(teacher, dim=1) - functional.softmax(student, dim=1)).abs().amax(1)


def standard(
    student: torch.Tensor, teacher: torch.Tensor, labels: torch.Tensor, share: float, temperature: float
) -> torch.Tensor:
    """Standard distillation: (1 - a) CE(S(x), y) + a t^2 KL(T_t(x) || S_t(x)).

    share: a, in 0..1. temperature: t; its square keeps the gradient's size (Hinton, Vinyals, Dean: Distilling the
    Knowledge in a Neural Network, 2015).
    """
    return _blend(student, labels, kl(teacher, student, temperature), share, temperature)


def ard(
    clean: torch.Tensor,
    attacked: torch.Tensor,
    teacher: torch.Tensor,
    labels: torch.Tensor,
    share: float,
    temperature: float,
) -> torch.Tensor:
    """Adversarially robust distillation: (1 - a) CE(S(x), y) + a t^2 KL(T_t(x) || S_t(x')).

    attacked: S(x') at x' = argmax CE(S(x'), y) over the ball. teacher: T(x), at the frame itself (Goldblum, Fowl,
    Feizi, Goldstein: Adversarially Robust Distillation, AAAI 2020).
    """
    return _blend(clean, labels, kl(teacher, attacked, temperature), share, temperature)


#: Weight of the attacked frame in RSLAD; the rest falls to the frame itself.
RSLAD_SHARE = 5 / 6


def rslad(
    clean: torch.Tensor, attacked: torch.Tensor, teacher: torch.Tensor, share: float = RSLAD_SHARE
) -> torch.Tensor:
    """Robust soft label distillation: (1 - a) KL(T(x) || S(x)) + a KL(T(x) || S(x')), a = 5/6; no labels.

    attacked: S(x') at x' = argmax KL(T(x) || S(x')) over the ball. teacher: T(x), at the frame itself (Zi, Zhao, Ma,
    Jiang: Revisiting Adversarial Robustness Distillation, ICCV 2021).
    """
    return ((1 - share) * kl(teacher, clean) + share * kl(teacher, attacked)).mean()


def faithful(
    clean: torch.Tensor,
    student: torch.Tensor,
    teacher: torch.Tensor,
    labels: torch.Tensor,
    share: float,
    temperature: float,
    trust: torch.Tensor | None = None,
) -> torch.Tensor:
    """Faithful distillation: (1 - a) CE(S(x), y) + a t^2 KL(T_t(x') || S_t(x')).

    student, teacher: S(x') and T(x'), both at x' = argmax KL(T(x') || S(x')) over the neighbourhood: the student is
    to answer as the teacher answers *there*, not as it answers at the frame. trust [N], in 0..1: how much of a each
    frame keeps; what it loses falls to its label. The formula is this project's; the idea is Lamb et al.'s (Faithful
    Knowledge Distillation, arXiv 2306.04431), and the search is as in Huang et al. (Boosting Accuracy and Robustness
    of Student Models via Adaptive Adversarial Distillation, CVPR 2023).
    """
    return _blend(clean, labels, kl(teacher, student, temperature), share, temperature, trust)


def trust_of(teacher: torch.Tensor, labels: torch.Tensor, where_wrong: float) -> torch.Tensor:
    """1 where the teacher [N, K] gives the label [N] or none is known (-1), else `where_wrong`."""
    right = (teacher.argmax(1) == labels) | (labels < 0)
    return torch.where(right, 1.0, where_wrong)


def _blend(
    clean: torch.Tensor,
    labels: torch.Tensor,
    distance: torch.Tensor,
    share: float,
    temperature: float,
    trust: torch.Tensor | None = None,
) -> torch.Tensor:
    """(1 - a) CE + a t^2 distance. A frame without a label (-1) has the second term only."""
    shares = torch.full_like(distance, share) if trust is None else share * trust
    known = labels >= 0
    by_label = functional.cross_entropy(clean, labels.clamp_min(0), reduction="none")
    told = torch.where(known, (1 - shares) * by_label, torch.zeros_like(distance))
    return (told + shares * temperature**2 * distance).mean()
