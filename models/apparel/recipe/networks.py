"""The two networks: a residual teacher, and a student small enough for the edge (67,762 weights)."""

import torch
from torch import nn


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Two convolutions beside an identity path."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.second(self.first(x)))


class Classifier(nn.Module):
    """A body of convolutions that ends on a 7x7 map, a feature vector over its 3x3 means, and a linear layer.

    Garments lie upright in the middle of the picture, so where a thing is seen says something: the features
    keep three rows and columns of places.
    """

    def __init__(self, body: nn.Module, channels: int, features: int, classes: int) -> None:
        super().__init__()
        self.body = body
        self.channels = channels
        self.pool = nn.AvgPool2d(2)
        self.embed = nn.Sequential(nn.Linear(9 * channels, features, bias=False), nn.BatchNorm1d(features), nn.ReLU())
        self.classify = nn.Linear(features, classes)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x [N, 1, 28, 28], normalised -> logits [N, K], features [N, F]."""
        return self.head(self.body(x))

    def head(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """maps [N, C, 7, 7] of the body -> logits [N, K], features [N, F]."""
        features = self.embed(self.pool(maps).flatten(1))
        return self.classify(features), features


def teacher(classes: int) -> Classifier:
    body = nn.Sequential(
        _convolution(1, 32),
        _convolution(32, 64, stride=2),
        Residual(64),
        _convolution(64, 128, stride=2),
        Residual(128),
    )
    return Classifier(body, 128, 128, classes)


def student(classes: int) -> Classifier:
    body = nn.Sequential(
        _convolution(1, 24, stride=2),
        _convolution(24, 32),
        _convolution(32, 48, stride=2),
        _convolution(48, 64),
    )
    return Classifier(body, 64, 32, classes)
