"""Which columns of a table join the vector as inputs, and why the others do not."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.dataset.cell_text import folded
from vision_recipes.errors import FeatureTableError
from vision_recipes.feature_model_settings import TrainFeaturesSettings
from vision_recipes.feature_models.input_columns import InputColumn, gives_away, learn_column
from vision_recipes.feature_models.targets import Target

log = logging.getLogger("vision_recipes")

_OF_RECIPES = {
    *("error", "reason", "prediction", "label", "probability", "verdict", "decision", "suggested_label", "value"),
    *("suspicion", "split", "fold", "index", "id", "row", "rank", "images", "path", "file", "filename", "file_name"),
    *("cluster", "cluster_name", "group", "keep", "representative"),
}
_ROW_NAMES = re.compile(r".*_id$|unnamed|__index_level")
"""Columns that recipes write, or that number rows, by name and by pattern: never inputs unless they are named."""


@dataclass
class ColumnChoice:
    """The columns that are inputs, and the reason for each one that is not."""

    used: list[InputColumn] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def choose_columns(
    cells: Mapping[str, Sequence[Any]], target: Target, settings: TrainFeaturesSettings, source: str
) -> ColumnChoice:
    """Return the columns to use beside the vector; `cells` hold the rows that have a target.

    Columns that are named are used, or a FeatureTableError says why they cannot be. Where none is named, all are that
    can say something, except those that only name or number rows, and those that give the target away.
    """
    choice = ColumnChoice()
    if settings.use_columns == "none":
        return choice
    roles = {settings.col_label, settings.group_column, settings.combine_column, settings.path_column}
    named = settings.extra_columns
    if settings.col_label in named:
        raise FeatureTableError(
            f"extra_columns: column {settings.col_label!r} is the one to be predicted, so it cannot be an input."
        )
    for name in named or cells:
        if not named and (name in roles or folded(name) in _OF_RECIPES or _ROW_NAMES.match(folded(name))):
            if name not in roles:
                choice.left_out[name] = (
                    "by its name it is no property of the picture; name it in extra_columns to use it"
                )
            continue
        column, problem = learn_column(name, cells[name])
        if column is not None and gives_away(column, cells[name], target.values, len(target.classes)):
            problem = "it gives the target away: each of its values goes with one value of the target"
            if named:
                log.warning("column %r is used as an input, although %s", name, problem)
                problem = ""
        if named and (problem or column is None):
            raise FeatureTableError(f"extra_columns: column {name!r} of {source} cannot be an input: {problem}.")
        if problem or column is None:
            choice.left_out[name] = problem
        else:
            choice.used.append(column)
    for name, problem in choice.left_out.items():
        log.info("column %r is not an input: %s", name, problem)
    if choice.used:
        log.info("inputs beside the vector: %s", ", ".join(f"{one.name} ({one.kind})" for one in choice.used))
    return choice
