"""The student as it is deployed: what it answers, what it sees, and how unsure it is.

What a gateway lets pass must be faithful over the image's epsilon neighbourhood, small shifts included; how far the
student itself moves under them is the best sign there is of where it is not. And what is no garment at all is told
by where its features lie, for which the last layer alone, trained to tell garments from each other, is a poor place.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from networks import Classifier

#: Smallest move and smallest doubt that are told apart.
LEAST = 1e-6


class Deployed(nn.Module):
    """A classifier with three outputs.

    logits [N, K]: the classifier's own. features [N, F + C]: its feature vector, and behind it the mean of each
    channel of its last map, scaled so that both weigh alike in distances. doubt [N, 3]: logarithms of, over four
    diagonal shifts by one pixel, the root mean square and the largest move of its soft confidence (L-infinity), and
    the largest soft confidence that it gives to other classes than its answer.
    """

    def __init__(self, classifier: Classifier, examples: torch.Tensor) -> None:
        """examples [N, 1, H, W], normalised: images on which both kinds of features are balanced."""
        super().__init__()
        self.classifier = classifier
        self.classes, self.size = classifier.classify.out_features, classifier.classify.in_features
        with torch.no_grad():
            maps = classifier.body(examples)
            self.balance = spread(classifier.head(maps)[1]) / spread(maps.mean((2, 3)))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x [N, 1, H, W], normalised -> logits, features, doubt."""
        maps = self.classifier.body(torch.cat([x, *diagonal_shifts(x)]))
        logits, features = self.classifier.head(maps)
        # Plain numbers, so that the exported outputs have fixed sizes.
        logits = logits.view(5, -1, self.classes)
        own = features.view(5, -1, self.size)[0]
        lit = maps.mean((2, 3)).view(5, -1, self.classifier.channels)[0]
        confidence = functional.softmax(logits, dim=2)
        moves = (confidence[1:] - confidence[0]).abs().amax(2)
        others = (logits[0] < logits[0].amax(1, keepdim=True)).float()
        elsewhere = (confidence[1:] * others).sum(2)
        doubt = torch.stack([moves.square().mean(0).sqrt(), moves.amax(0), elsewhere.amax(0)], dim=1)
        return logits[0], torch.cat([own, self.balance * lit], dim=1), doubt.clamp_min(LEAST).log()


def spread(rows: torch.Tensor) -> float:
    """How far rows [N, D] lie apart: the mean deviation of a column, times the root of their number."""
    return rows.std(0).mean().item() * math.sqrt(rows.shape[1])


def diagonal_shifts(x: torch.Tensor) -> list[torch.Tensor]:
    """x [N, C, H, W] moved by one pixel along both axes, four ways; what comes in at the border repeats the border."""
    height, width = x.shape[2:]
    padded = functional.pad(x, (1, 1, 1, 1), mode="replicate")
    return [padded[:, :, top : top + height, left : left + width] for top in (0, 2) for left in (0, 2)]
