"""Pictures to fine-tune on, with all that belongs to them, and how they become batches of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import Preprocessing, normalise
from vision_recipes.settings import RetrainSettings
from vision_recipes.training.augmentation import Plan, variants


@dataclass(frozen=True)
class Shot:
    """A picture with pixels, its class counted from 0, its encoded table columns, and how much it counts."""

    picture: Picture
    class_index: int
    extra: np.ndarray | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Shots:
    """The pictures to train on, without augmented copies, and those to judge by; both may read pixels when asked."""

    train: Sequence[Shot]
    valid: Sequence[Shot]


@dataclass(frozen=True)
class Batch:
    """Arrays for a few pictures: normalised `pixels` float32, `extra` float32 or None, one-hot `wanted`, `weights`."""

    pixels: np.ndarray
    extra: np.ndarray | None
    wanted: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Album:
    """Pictures, each unchanged and in `copies` varied ones after it; numbered one after the other."""

    shots: Sequence[Shot]
    preprocessing: Preprocessing
    classes: int
    copies: int = 0
    plan: Plan = Plan()
    seed: int = 0

    @classmethod
    def to_train(
        cls, shots: Sequence[Shot], preprocessing: Preprocessing, classes: int, settings: RetrainSettings
    ) -> Album:
        """Return the album of the pictures to train on, with the copies that the settings ask for."""
        if not settings.data_augmentation:
            return cls(shots, preprocessing, classes, seed=settings.random_seed)
        plan = Plan.from_pairs(settings.model_custom_params_data_augmentation)
        return cls(shots, preprocessing, classes, settings.n_augmentation, plan, settings.random_seed)

    def __len__(self) -> int:
        return len(self.shots) * (self.copies + 1)

    def batch(self, rows: np.ndarray, turn: int = 0) -> Batch:
        """Return the pictures of these numbers; copies vary from one `turn` to the next."""
        pixels, extra = [], []
        wanted = np.zeros((len(rows), self.classes), np.float32)
        weights = np.ones(len(rows), np.float32)
        for place, row in enumerate(rows):
            number, copy = divmod(int(row), self.copies + 1)
            shot = self.shots[number]
            if shot.picture.pixels is None:
                raise ValueError(f"{shot.picture.path} has no pixels")
            shown = shot.picture.pixels
            if copy:
                shown = variants(shown, 1, self.plan, f"{self.seed}:{shot.picture.digest}:{turn}:{copy}")[0]
            pixels.append(shown)
            wanted[place, shot.class_index] = 1
            weights[place] = shot.weight
            if shot.extra is not None:
                extra.append(shot.extra)
        return Batch(
            normalise(np.stack(pixels), self.preprocessing), np.stack(extra) if extra else None, wanted, weights
        )
