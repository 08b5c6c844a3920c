"""The parameters of vision-compare; see settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vision_recipes.settings import ComputeSettings, ShardSettings, choice, flag, number, preset, whole
from vision_recipes.training_settings import LabelSettings, RetrainSettings, column, names

_SIZE = re.compile(r"(\d+)(?:\s*[x×]\s*(\d+))?")
_SMALLEST, _LARGEST = 16, 4096


@dataclass(frozen=True)
class CompareSettings(LabelSettings, ShardSettings):
    """Pictures, labels and networks to the settings that predict held-out pictures best.

    `networks` are names of the catalogue, compared beside the model folders. Each further parameter opens a dimension:
    the features and last layers to try, all resize methods, picture sizes beside the network's own, augmentation.
    `budget_minutes` and `budget_pictures` 0 = no limit beyond that of the method.
    """

    col_decision: str = column()
    train_ratio: float = number(0.8, 0.05, 0.95)
    split_column: str = column()
    group_column: str = column()
    random_seed: int = whole(1337, 0, 2**31 - 1)
    networks: tuple[str, ...] = names()
    head_features: str = choice("both", "last", "several")
    last_layer: str = choice("both", "linear", "kernel")
    image_resize: str = choice("model", "all")
    image_sizes: tuple[str, ...] = names()
    data_augmentation: bool = flag(False)
    n_augmentation: int = whole(2, 1, 10)
    budget_minutes: float = number(0.0, 0.0)
    budget_pictures: int = whole(0, 0, 10_000)
    compute: ComputeSettings = preset()

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """The picture sizes to try beside the network's own: (width, height)."""
        found = [_SIZE.fullmatch(text.strip()) for text in self.image_sizes]
        return [(int(size[1]), int(size[2] or size[1])) for size in found if size]

    def retraining(self, **chosen: Any) -> RetrainSettings:
        """Return the settings of vision-retrain with the same pictures and labels, and what was chosen."""
        same = (
            *("label_source", "label_pattern", "col_filename", "col_label", "col_decision", "train_ratio"),
            *("split_column", "group_column", "random_seed", "n_augmentation", "compute"),
        )
        return RetrainSettings(**{name: getattr(self, name) for name in same}, **chosen)

    def mistakes(self) -> Iterator[str]:
        """Yield label settings that do not fit the source of labels, and sizes that are none."""
        yield from super().mistakes()
        for text in self.image_sizes:
            size = _SIZE.fullmatch(text.strip())
            if size is None:
                yield f"image_sizes: {text!r} is not a size in pixels. Write 320, or 320x240 for width and height"
            elif not all(_SMALLEST <= int(side) <= _LARGEST for side in size.groups() if side):
                yield f"image_sizes: {text!r} is outside of {_SMALLEST} to {_LARGEST} pixels"
