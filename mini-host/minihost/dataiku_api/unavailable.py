"""Names that exist only in DSS: they can be imported, and say so clearly when they are called."""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Any

from minihost.dataiku_api.missing_names import asked_from, instead


class NotAvailable(NotImplementedError):
    """Something that only a DSS instance can do was asked of the mini-host."""

    for_user = True


class _Refusing(type):
    """Classes whose calls are refused and whose public attributes are of the same kind."""

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        raise NotAvailable(
            f"{cls.__name__} is not available outside DSS: the mini-host has no such service. {instead(cls.__name__)}"
            f"{asked_from()}"
        )

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return unavailable(f"{cls.__name__}.{name}")

    def __repr__(cls) -> str:
        return f"<{cls.__name__}, not available outside DSS>"


def unavailable(name: str) -> Any:
    """Return a class of that name which can be imported, named in annotations and derived from, but not called; one
    that is called an exception or error can be caught, too."""
    bases = (Exception,) if name.endswith(("Error", "Exception")) else ()
    return _Refusing(name, bases, {"__module__": name.rpartition(".")[0]})


def module(name: str, names: Iterable[str] = ()) -> types.ModuleType:
    """Return a module whose every public attribute is unavailable; `names` are what `import *` brings of it."""
    made = types.ModuleType(name, f"Not available outside DSS: {name}.")

    def missing(attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
        return unavailable(f"{name}.{attribute}")

    made.__getattr__ = missing  # type: ignore[method-assign]
    made.__path__ = []
    made.__all__ = list(names)  # type: ignore[attr-defined]
    return made
