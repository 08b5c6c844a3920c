"""Names that the mini-host does not have: what a component is told that uses one, instead of a bare AttributeError."""

from __future__ import annotations

import importlib
import os
import sys
from abc import ABCMeta
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from minihost.errors import DataError

NOT_THE_COMPONENT = (f"{Path(__file__).parents[1]}{os.sep}", f"{Path(importlib.__file__).parent}{os.sep}", "<frozen")
"""How the names of files begin whose lines are the host's or the import system's."""

CLOSE = 0.8
"""How much alike (0 to 1) a name must be to one that exists to be taken for a misspelling of it."""


class MissingName(AttributeError):
    """An attribute that the mini-host does not have. `hasattr` is False for it, so that components can probe."""

    for_user = True


class MissingModule(ModuleNotFoundError):
    """A module of `dataiku` that the mini-host does not have, or a name that such a module does not have."""

    for_user = True


def missing(owner: str, name: str, there: Iterable[str]) -> MissingName:
    """Return the exception for an attribute that `owner` does not have; `there` are the names that it has."""
    # The interpreter would add a suggestion of its own to an AttributeError whose object it knows.
    return MissingName(sentence(owner, name, there), name=name, obj=None)


def sentence(owner: str, name: str, there: Iterable[str]) -> str:
    """Say that `owner` has no `name` here, what to use instead, and which line of the component asked for it."""
    from minihost.dataiku_api.dss_names import ONLY_IN_DSS
    from minihost.suggestions import nearest

    what = f"The mini-host does not have {owner}.{name}"
    near = nearest(name, [one for one in there if not one.startswith("_")], cutoff=CLOSE)
    if name in ONLY_IN_DSS.get(owner, ()):
        text = f"{what}: it needs a DSS instance. {instead(name)}"
    elif near:
        text = f"{what}. Did you mean {' or '.join(map(repr, near))}?"
    else:
        text = f"{what}. If DSS has it, run this part in DSS; the names that are here: {_listed(there)}."
    return text + asked_from()


def instead(name: str) -> str:
    """Say what to do where a name needs a DSS instance."""
    from minihost.dataiku_api.dss_names import INSTEAD

    here = INSTEAD.get(name.rpartition(".")[2])
    return f"On the mini-host: {here}." if here else "Run this part in DSS."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted({name for name in names if not name.startswith("_")})) or "none"


def asked_from() -> str:
    """Return ` (recipe.py, line 3)`: the line outside the host and the import system that is running."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(NOT_THE_COMPONENT):
            return f" ({_short(file)}, line {frame.f_lineno})"
        frame = frame.f_back  # type: ignore[assignment]
    return ""


def misuse(text: str) -> DataError:
    """Return the exception for a wrong call of the API: the text, and the line of the component that made it."""
    return DataError(text + asked_from())


def _short(file: str) -> str:
    """The path within the plugin; the name alone of a file that lies elsewhere."""
    path = Path(file)
    root = next((folder for folder in path.parents if (folder / "plugin.json").is_file()), path.parent)
    return str(path.relative_to(root))


class TellingType(ABCMeta):
    """The type of classes that tell of a missing name, too; it is that of ABCs, so that ABCs may derive from them."""

    _dss_name = "type"

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        raise missing(cls._dss_name, name, dir(cls))


class Telling(metaclass=TellingType):
    """An object of the DSS API that tells about a name it does not have; `_dss_name` is how DSS calls its class."""

    _dss_name = "object"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise missing(self._dss_name, name, [*dir(type(self)), *vars(self)])
