"""The student as it is deployed: what it answers, what it sees, and how unsure it is.

What passes must be faithful over the frame's epsilon neighbourhood, small shifts included; how far the student itself
moves under them is the best sign there is of where it is not. And a frame unlike any other is told by where its
features lie, for which the last layer alone, trained to tell classes from each other, is a poor place.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from .networks import Classifier

#: Smallest move and smallest doubt that are told apart.
LEAST = 1e-6
#: The frame itself and its four shifts.
VIEWS = 5


class Deployed(nn.Module):
    """A classifier with three outputs, of frames in their own order.

    logits [N, K]: the classifier's own. features [N, F + C]: its feature vector, and behind it the mean of each channel
    of its last map, scaled so that both weigh alike in distances. doubt [N, 3]: logarithms of, over four shifts, the
    root mean square and the largest move of its soft confidence (L-infinity), and the largest soft confidence that it
    gives to other classes than its answer. Images are shifted by a pixel along both diagonals, windows by one and two
    samples either way.
    """

    def __init__(self, classifier: Classifier, shape: tuple[int, ...], examples: torch.Tensor) -> None:
        """shape [C, ...] of a frame. examples [N, C, ...], normalised: frames on which the features are balanced."""
        super().__init__()
        self.classifier, self.shape = classifier, shape
        with torch.no_grad():
            maps = classifier.body(examples)
            self.balance = spread(classifier.head(maps)[1]) / spread(maps.flatten(2).mean(2))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x [N, ...], normalised -> logits, features, doubt."""
        x = x.reshape(-1, *self.shape)
        maps = self.classifier.body(torch.cat([x, *shifts(x, self.shape)]))
        logits, features = self.classifier.head(maps)
        # Plain numbers, so that the exported outputs have fixed sizes.
        logits = logits.view(VIEWS, -1, self.classifier.classes)
        own = features.view(VIEWS, -1, self.classifier.feature_count)[0]
        lit = maps.flatten(2).mean(2).view(VIEWS, -1, self.classifier.channels)[0]
        confidence = functional.softmax(logits, dim=2)
        moves = (confidence[1:] - confidence[0]).abs().amax(2)
        others = (logits[0] < logits[0].amax(1, keepdim=True)).float()
        elsewhere = (confidence[1:] * others).sum(2)
        doubt = torch.stack([moves.square().mean(0).sqrt(), moves.amax(0), elsewhere.amax(0)], dim=1)
        return logits[0], torch.cat([own, self.balance * lit], dim=1), doubt.clamp_min(LEAST).log()


class Answering(nn.Module):
    """A teacher to be exported: logits alone, of frames in their own order."""

    def __init__(self, network: nn.Module, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.network, self.shape = network, shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x [N, ...], normalised -> logits [N, K]."""
        answer = self.network(x.reshape(-1, *self.shape))
        return answer[0] if isinstance(answer, tuple) else answer


def spread(rows: torch.Tensor) -> float:
    """How far rows [N, D] lie apart: the mean deviation of a column, times the root of their number."""
    return rows.std(0).mean().item() * math.sqrt(rows.shape[1])


def shifts(x: torch.Tensor, shape: tuple[int, ...]) -> list[torch.Tensor]:
    """x [N, C, ...] shifted four ways; what comes in at the border repeats the border."""
    if len(shape) == 3:
        _, height, width = shape
        padded = functional.pad(x, (1, 1, 1, 1), mode="replicate")
        return [padded[:, :, top : top + height, left : left + width] for top in (0, 2) for left in (0, 2)]
    length = shape[-1]
    padded = functional.pad(x, (2, 2), mode="replicate")
    return [padded[:, :, start : start + length] for start in (0, 1, 3, 4)]
