"""Networks for images and for windows: a residual teacher, and a student small enough for the edge."""

from collections.abc import Callable

import torch
from torch import nn

#: Places along each axis of the last map, of which the features keep the means.
PLACES = 3


class Layers:
    """The layers of one dimensionality: 2 for images, 1 for windows."""

    def __init__(self, axes: int) -> None:
        self.axes = axes
        self.convolution = {1: nn.Conv1d, 2: nn.Conv2d}[axes]
        self.normalisation = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[axes]
        self.mean = {1: nn.AvgPool1d, 2: nn.AvgPool2d}[axes]

    def block(self, inputs: int, outputs: int, stride: int = 1, width: int = 3) -> nn.Sequential:
        return nn.Sequential(*self.linear_block(inputs, outputs, stride, width), nn.ReLU())

    def linear_block(self, inputs: int, outputs: int, stride: int = 1, width: int = 3) -> nn.Sequential:
        return nn.Sequential(
            self.convolution(inputs, outputs, width, stride=stride, padding=width // 2, bias=False),
            self.normalisation(outputs),
        )


class Residual(nn.Module):
    """Two convolutions beside an identity path."""

    def __init__(self, layers: Layers, channels: int) -> None:
        super().__init__()
        self.first = layers.block(channels, channels)
        self.second = layers.linear_block(channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.second(self.first(x)))


class Classifier(nn.Module):
    """A body of convolutions, a feature vector over the means of 3 places along each axis, and a linear layer.

    Where a thing is seen says something on a line, where parts lie alike: the features keep some places apart.
    """

    def __init__(
        self, layers: Layers, body: nn.Module, sides: tuple[int, ...], channels: int, features: int, classes: int
    ) -> None:
        """sides: of the map that the body ends on."""
        super().__init__()
        if min(sides) < PLACES:
            raise SystemExit(f"frames are too small: the last map is {sides}, expected at least {PLACES} along each axis")
        self.body = body
        self.channels, self.classes, self.feature_count = channels, classes, features
        kernel = tuple(side // PLACES for side in sides)
        self.pool = layers.mean(kernel, kernel)
        places = 1
        for side, size in zip(sides, kernel):
            places *= side // size
        self.embed = nn.Sequential(nn.Linear(places * channels, features, bias=False), nn.BatchNorm1d(features), nn.ReLU())
        self.classify = nn.Linear(features, classes)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x [N, C, ...], normalised -> logits [N, K], features [N, F]."""
        return self.head(self.body(x))

    def head(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """maps [N, C, ...] of the body -> logits [N, K], features [N, F]."""
        features = self.embed(self.pool(maps).flatten(1))
        return self.classify(features), features


def _halved(sides: tuple[int, ...], strides: list[int]) -> tuple[int, ...]:
    for stride in strides:
        sides = tuple((side - 1) // stride + 1 for side in sides)
    return sides


def teacher(shape: tuple[int, ...], classes: int) -> Classifier:
    """shape [C, H, W] or [C, L] of a frame. On 28 x 28 grey images: 611,306 weights with ten classes."""
    layers = Layers(len(shape) - 1)
    if layers.axes == 2:
        blocks = [
            layers.block(shape[0], 32),
            layers.block(32, 64, 2),
            Residual(layers, 64),
            layers.block(64, 128, 2),
            Residual(layers, 128),
        ]
        return Classifier(layers, nn.Sequential(*blocks), _halved(shape[1:], [2, 2]), 128, 128, classes)
    blocks = [
        layers.block(shape[0], 32, 4, 9),
        layers.block(32, 64, 4, 5),
        Residual(layers, 64),
        layers.block(64, 128, 2),
        Residual(layers, 128),
    ]
    return Classifier(layers, nn.Sequential(*blocks), _halved(shape[1:], [4, 4, 2]), 128, 128, classes)


def student(shape: tuple[int, ...], classes: int) -> Classifier:
    """shape [C, H, W] or [C, L] of a frame. On 28 x 28 grey images: 67,762 weights with ten classes."""
    layers = Layers(len(shape) - 1)
    if layers.axes == 2:
        blocks = [layers.block(shape[0], 24, 2), layers.block(24, 32), layers.block(32, 48, 2), layers.block(48, 64)]
        return Classifier(layers, nn.Sequential(*blocks), _halved(shape[1:], [2, 2]), 64, 32, classes)
    blocks = [layers.block(shape[0], 16, 4, 9), layers.block(16, 24, 4, 5), layers.block(24, 32, 2), layers.block(32, 48)]
    return Classifier(layers, nn.Sequential(*blocks), _halved(shape[1:], [4, 4, 2]), 48, 24, classes)


NETWORKS: dict[str, Callable[[tuple[int, ...], int], Classifier]] = {"teacher": teacher, "student": student}


def weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
