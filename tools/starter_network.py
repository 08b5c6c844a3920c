"""MobileNetV2 (width 0.35, Sandler et al. 2018) in PyTorch, layer for layer the network of keras.applications.

Training it there takes less than half of TensorFlow's processor time. `to_keras` carries the weights over.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

STAGES = ((1, 8, 1, 1), (6, 8, 2, 2), (6, 16, 3, 2), (6, 24, 4, 2), (6, 32, 3, 1), (6, 56, 3, 2), (6, 112, 1, 1))
"""Per stage: expansion, channels, blocks, stride of its first block."""

FEATURES = 1280


class Convolution(nn.Module):
    """A convolution without bias, padded as Keras pads, with batch normalisation and, unless linear, ReLU6."""

    def __init__(
        self, channels: tuple[int, int], kernel: int, *, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        self.pad = nn.ZeroPad2d((0, 1, 0, 1) if stride == 2 else (kernel // 2,) * 4)
        self.convolve = nn.Conv2d(*channels, kernel, stride, groups=groups, bias=False)
        self.normalise = nn.BatchNorm2d(channels[1], eps=1e-3, momentum=0.05)
        self.activate = nn.Identity() if linear else nn.ReLU6()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the activations."""
        return self.activate(self.normalise(self.convolve(self.pad(x))))


class Block(nn.Module):
    """An inverted residual: widen, filter each channel, narrow; added to its input where shapes allow."""

    def __init__(self, channels: tuple[int, int], stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels[0] * expansion
        layers = [Convolution((channels[0], wide), 1)] if expansion != 1 else []
        layers += [
            Convolution((wide, wide), 3, stride=stride, groups=wide),
            Convolution((wide, channels[1]), 1, linear=True),
        ]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and channels[0] == channels[1]
        if self.residual:
            nn.init.zeros_(self.layers[-1].normalise.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's output."""
        return x + self.layers(x) if self.residual else self.layers(x)


class Network(nn.Module):
    """The whole classifier: pictures scaled to -1..1, shape (n, 3, side, side), to logits; any side divisible by 32."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [Convolution((3, 16), 3, stride=2)]
        before = 16
        for expansion, channels, blocks, stride in STAGES:
            for number in range(blocks):
                layers.append(Block((before, channels), stride if number == 0 else 1, expansion))
                before = channels
        layers.append(Convolution((before, FEATURES), 1))
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(FEATURES, classes)
        nn.init.zeros_(self.head.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        return self.head(self.body(x).mean((2, 3)))


def to_keras(network: Network, model: Any) -> None:
    """Put the weights into a Keras MobileNetV2 of the same classes: layers correspond one to one, in order."""
    units = [module for module in network.modules() if isinstance(module, Convolution)]
    kinds = ("Conv2D", "DepthwiseConv2D")
    convolutions = [layer for layer in model.layers if type(layer).__name__ in kinds]
    normalisations = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    for unit, convolution, normalisation in zip(units, convolutions, normalisations, strict=True):
        kernel = _array(unit.convolve.weight).transpose(2, 3, 1, 0)
        convolution.set_weights([kernel.transpose(0, 1, 3, 2) if unit.convolve.groups > 1 else kernel])
        norm = unit.normalise
        normalisation.set_weights(
            [_array(part) for part in (norm.weight, norm.bias, norm.running_mean, norm.running_var)]
        )
    model.layers[-1].set_weights([_array(network.head.weight).T, _array(network.head.bias)])


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().numpy()
