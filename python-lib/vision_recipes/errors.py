"""Errors that a user can fix: each says what, where, the value received, and what to do next."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable


class VisionError(Exception):
    """A mistake or circumstance that the user can fix; hosts show its message alone, without a stack trace."""

    for_user = True


class SettingsError(VisionError):
    """A recipe's or macro's parameters cannot be used; the message lists every mistake."""


class PictureFolderError(VisionError):
    """The picture folder as a whole cannot be used (it is empty, say); single bad pictures are rows, not errors."""


class LabelsError(VisionError):
    """The labels cannot be used: wrong columns, no match with the pictures, too few classes."""


class PredictionsError(VisionError):
    """A table of predictions is not what the classify recipe writes, or holds none."""


class PartsError(VisionError):
    """The tables of the shards do not make up the table of the whole folder."""


class FeatureTableError(VisionError):
    """A dataset of feature vectors cannot be used: columns are missing, or vectors do not fit each other."""


class ModelFolderError(VisionError):
    """A folder does not hold a model that can be trusted and used."""


class DeviceError(VisionError):
    """The devices asked for are not on the machine where the job runs."""


class DownloadError(VisionError):
    """A model's files could not be fetched or did not verify."""


class TrainingError(VisionError):
    """Training cannot start or had to stop; the previous model is untouched."""


class EmbeddingLogError(VisionError):
    """A log of embeddings is missing, damaged, or of another model."""


class OutputError(VisionError):
    """An output cannot be written."""


_NUMBERED = re.compile(r"(.*?)([0-9]+)")


def columns_listed(columns: Iterable[str]) -> str:
    """Return the columns of a dataset for a message; of numbered ones, such as feature_0001 to 1280, the two ends."""
    parts: list[str] = []
    for prefix, group in itertools.groupby(columns, _family):
        names = list(group)
        folds = prefix is not None and len(names) > 3
        parts += [f"{names[0]!r} to {names[-1]!r}"] if folds else map(repr, names)
    return ", ".join(parts)


def _family(column: str) -> str | None:
    numbered = _NUMBERED.fullmatch(column)
    return numbered[1] if numbered else None


def listed(names: Iterable[str], most: int) -> str:
    """Return names for a message, separated by commas: the first `most` of them, and how many more there are."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence for a message, after a blank, with the known name that is most like `name`; "" without one."""
    every = list(known)
    alike = [one for one in every if one.strip().casefold() == name.strip().casefold()]
    close = alike or difflib.get_close_matches(name, every, 1)
    return f" Did you mean {close[0]!r}?" if close else ""
