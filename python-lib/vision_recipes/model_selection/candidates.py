"""What is compared: a network at a picture size, a way to fit pictures to it, features, a last layer, copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from vision_recipes.compare_settings import CompareSettings
from vision_recipes.model_folder.inner_layers import inner_layers
from vision_recipes.model_selection.entrants import Entrant
from vision_recipes.preprocessing import RESIZES
from vision_recipes.training.feature_choice import LAST, SEVERAL
from vision_recipes.training.kernel_layer import KERNEL
from vision_recipes.training.last_layer_choice import LINEAR


@dataclass(frozen=True)
class PassSettings:
    """What takes a pass of its own over the pictures: a network, its picture size, the resize method, copies.

    In the words of vision-retrain: `image_resize` is "model", or the method that takes its place; a size of 0 is the
    network's own.
    """

    entrant: Entrant
    image_resize: str = "model"
    image_width: int = 0
    image_height: int = 0
    data_augmentation: bool = False

    @property
    def own(self) -> bool:
        """Whether the network is used as its folder describes it."""
        return self == PassSettings(self.entrant)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of vision-retrain."""
        names = ("image_resize", "image_width", "image_height", "data_augmentation")
        return {name: getattr(self, name) for name in names}

    @property
    def words(self) -> str:
        """What is special about this pass; empty for a network as it is."""
        parts = []
        if self.image_width:
            parts.append(f"{self.image_width} x {self.image_height}")
        if self.image_resize != "model":
            parts.append(self.image_resize)
        if self.data_augmentation:
            parts.append("augmented copies")
        return ", ".join(parts)


@dataclass(frozen=True)
class Candidate:
    """One line of the leaderboard: a pass, and what a last layer does with its features."""

    of_pass: PassSettings
    head_features: str = LAST
    last_layer: str = LINEAR

    @property
    def entrant(self) -> Entrant:
        """The network."""
        return self.of_pass.entrant

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of vision-retrain."""
        return self.of_pass.parameters() | {"head_features": self.head_features, "last_layer": self.last_layer}

    @property
    def name(self) -> str:
        """What people call it: the network, then what is special."""
        parts = [self.of_pass.words, "several layers" if self.head_features == SEVERAL else "last layer"]
        if self.last_layer == KERNEL:
            parts.append("kernel")
        return f"{self.entrant.name}: {', '.join(part for part in parts if part)}"


def of_own_passes(entrants: Sequence[Entrant], settings: CompareSettings) -> list[Candidate]:
    """Return the candidates that come out of one pass of each network, used as its folder describes it."""
    found = []
    for entrant in entrants:
        if entrant.model is None:
            continue
        for head_features in _features(entrant, settings):
            for last_layer in _last_layers(settings):
                found.append(Candidate(PassSettings(entrant), head_features, last_layer))
    return found


def other_passes(entrant: Entrant, settings: CompareSettings) -> list[PassSettings]:
    """Return the passes of a network that differ from its own in one thing each, as the settings ask for."""
    own, found = PassSettings(entrant), []
    preprocessing = entrant.opened.preprocessing
    if settings.image_resize == "all":
        found += [
            replace(own, image_resize=name) for name in RESIZES if preprocessing.resized_by(name) != preprocessing
        ]
    for width, height in dict.fromkeys(settings.sizes):
        if (width, height) != (preprocessing.width, preprocessing.height):
            found.append(replace(own, image_width=width, image_height=height))
    if settings.data_augmentation:
        found.append(replace(own, data_augmentation=True))
    return found


def _last_layers(settings: CompareSettings) -> list[str]:
    return [LINEAR, KERNEL] if settings.last_layer == "both" else [settings.last_layer]


def _features(entrant: Entrant, settings: CompareSettings) -> list[str]:
    """Return which features of a network are compared; several layers need some with places to pool."""
    model = entrant.opened
    pooled = model.config.head is None or model.config.head.pooling != "none"
    if settings.head_features == LAST or not pooled or not inner_layers(model.layers, model.feature_layer):
        return [LAST]
    return [SEVERAL] if settings.head_features == SEVERAL else [LAST, SEVERAL]
