"""A student that tells how unsure it is: it looks at its image from four places more, and says how its answer moves.

What a gateway lets pass must be faithful over the image's epsilon neighbourhood, small shifts included; how far the
student itself moves under them is the best sign there is of where it is not.
"""

import torch
from torch import nn
from torch.nn import functional

from networks import Classifier

#: Smallest move and smallest doubt that are told apart.
LEAST = 1e-6


class Doubting(nn.Module):
    """logits and features are the classifier's own; doubt [N, 3] holds logarithms of, over four diagonal shifts by
    one pixel: the root mean square and the largest move of its soft confidence (L-infinity), and the largest soft
    confidence that it gives to other classes than its answer."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier
        self.classes, self.features = classifier.classify.out_features, classifier.classify.in_features

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x [N, 1, H, W], normalised -> logits [N, K], features [N, F], doubt [N, 3]."""
        views = torch.cat([x, *diagonal_shifts(x)])
        logits, features = (
            # Plain numbers, so that the exported outputs have fixed sizes.
            rows.view(5, -1, size)
            for rows, size in zip(self.classifier(views), (self.classes, self.features))
        )
        confidence = functional.softmax(logits, dim=2)
        moves = (confidence[1:] - confidence[0]).abs().amax(2)
        others = (logits[0] < logits[0].amax(1, keepdim=True)).float()
        elsewhere = (confidence[1:] * others).sum(2)
        doubt = torch.stack([moves.square().mean(0).sqrt(), moves.amax(0), elsewhere.amax(0)], dim=1)
        return logits[0], features[0], doubt.clamp_min(LEAST).log()


def diagonal_shifts(x: torch.Tensor) -> list[torch.Tensor]:
    """x [N, C, H, W] moved by one pixel along both axes, four ways; what comes in at the border repeats the border."""
    height, width = x.shape[2:]
    padded = functional.pad(x, (1, 1, 1, 1), mode="replicate")
    return [padded[:, :, top : top + height, left : left + width] for top in (0, 2) for left in (0, 2)]
