"""Sizes, resize methods and copies that need passes of their own: tried on a few pictures, by the leader only."""

from __future__ import annotations

from collections.abc import Sequence

from vision_recipes.compare_settings import CompareSettings
from vision_recipes.model_selection.candidates import PassSettings
from vision_recipes.model_selection.held_out_predictions import Predictions
from vision_recipes.training.held_out import standard_errors_above

_SHARE = 0.2
"""What all of them may cost, as a fraction of reading all pictures once for each network."""

_FEWEST, _MOST = 60, 600

_MOST_ROWS = 12_000
"""Pictures and copies that a last layer is fitted to at once: its memory grows with the square of their number."""


def pictures_to_try(passes: Sequence[PassSettings], read: int, settings: CompareSettings) -> int:
    """Return how many pictures each of the passes is tried on; `read` is how many are read for all networks together.

    A picture of twice the area costs twice as much, and each augmented copy as much as a picture.
    """
    cost = 0.0
    for each in passes:
        own = each.entrant.opened.preprocessing
        area = each.image_width * each.image_height / (own.width * own.height) or 1.0
        cost += area * (settings.n_augmentation if each.data_augmentation else 1)
    return int(min(max(_SHARE * read / cost, _FEWEST), _MOST))


def copies_to_compare(asked: int, pictures: int) -> int:
    """Return how many augmented copies of each picture are compared: fewer than asked for where there are many."""
    return min(asked, max(1, _MOST_ROWS // pictures - 1))


def surely_better(ours: Predictions, theirs: Predictions) -> bool:
    """Return whether the log loss is lower by more than a standard error, as training.resize_choice asks for."""
    return standard_errors_above(theirs.losses - ours.losses) > 1
