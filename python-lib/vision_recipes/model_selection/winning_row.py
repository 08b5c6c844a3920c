"""The settings that a leaderboard of vision-compare gives to vision-retrain: those of its best row of a network."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vision_recipes.errors import SettingsError, listed
from vision_recipes.model_folder import Model
from vision_recipes.stores import Table
from vision_recipes.training_settings import RetrainSettings

log = logging.getLogger("vision_recipes")

TAKEN = (
    *("head_features", "last_layer", "image_resize", "image_width", "image_height"),
    *("data_augmentation", "n_augmentation"),
)
"""The parameters of vision-retrain that a leaderboard has columns of."""

_NEEDED = ("rank", "model", "model_hash", *TAKEN)
_SHOWN = 5


def with_winning_row(settings: RetrainSettings, leaderboard: Table, model: Model) -> RetrainSettings:
    """Return the settings with those of the leaderboard's best row of the model, in place of what is at its default.

    What was set by hand stays, and a warning says so. Raises SettingsError for a dataset that is no leaderboard, and
    for one that does not have the model.
    """
    row = _best_row(leaderboard, model)
    found = {name: row[name] for name in TAKEN if row.get(name) not in (None, "")}
    if not _is_true(found.get("data_augmentation")):
        found.pop("n_augmentation", None)
    try:
        read = RetrainSettings.from_params(found)
    except SettingsError as err:
        raise SettingsError(f"leaderboard_dataset: rank {row['rank']} of {leaderboard.name!r}: {err}") from err
    defaults, taken, words = RetrainSettings(), {}, []
    for name in found:
        given, proposed = getattr(settings, name), getattr(read, name)
        if given in (getattr(defaults, name), proposed):
            taken[name] = proposed
            words.append(f"{name} {_shown(proposed)}")
        else:
            log.warning(
                "leaderboard_dataset: %s stays %s, as set by hand; the leaderboard has %s",
                *(name, _shown(given), _shown(proposed)),
            )
    log.info("rank %s of %s gives %s", row["rank"], leaderboard.name, ", ".join(words) or "nothing")
    return replace(settings, **taken)


def _best_row(leaderboard: Table, model: Model) -> Mapping[str, Any]:
    missing = [name for name in _NEEDED if name not in leaderboard.columns]
    if missing:
        raise SettingsError(
            f"leaderboard_dataset: {leaderboard.name!r} has no column {listed(missing, _SHOWN)}, so it is not what "
            f"vision-compare writes (found: {listed(leaderboard.columns, _SHOWN)}). Connect its leaderboard_dataset."
        )
    rows = sorted((row for row in leaderboard.rows() if _rank(row)), key=_rank)
    for row in rows:
        if row["model_hash"] == model.folder_hash:
            if _rank(row) > 1:
                log.warning(
                    "leaderboard_dataset: the winner is %s, but the connected model is %s, whose best rank is %s",
                    *(rows[0]["model"], row["model"], row["rank"]),
                )
            return row
    raise SettingsError(
        f"leaderboard_dataset: {leaderboard.name!r} has no row of the model {model.name!r} as it is now; it compares "
        f"{listed(_names(rows), _SHOWN) or 'nothing'}. Connect the folder of the winner as model_folder, or run "
        "vision-compare again."
    )


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(f"{row['model']} (folder {row.get('folder') or 'none'})" for row in rows))


def _rank(row: Mapping[str, Any]) -> int:
    """Return a row's rank, 0 for what has none."""
    try:
        return int(float(row.get("rank") or 0))
    except (TypeError, ValueError, OverflowError):
        return 0


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
