"""Why a component failed, as facts for the host that started it: of a bug the traceback, of all else a sentence."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minihost import disk_space
from minihost.errors import HostError

OWN = Path(__file__).parents[1]
CHILD = Path(__file__).with_name("child.py")
"""Its frames only call the component: an error that ends there is the component's, as of a `run` without parameter."""


def failure(err: BaseException, places: dict[str, str], plugin: Path) -> dict[str, Any]:
    """Return an exception as facts; a bug's traceback goes to stderr, without the host's own frames. A full disk is no
    bug: `places` are where the component may have written. `plugin` is the plugin's folder."""
    if getattr(err, "for_user", False) or isinstance(err, HostError):
        return {"status": "failed", "reason": str(err) or type(err).__name__, "for_user": True}
    if reason := disk_space.message(err, places):
        return {"status": "failed", "reason": reason, "for_user": True}
    lines = traceback.TracebackException.from_exception(err)
    raised = lines.stack[-1] if lines.stack else None
    for one in _chained(lines):
        one.stack = traceback.StackSummary.from_list(_without_own(one.stack))
    if raised is not None and _is_fault_of_host(err, raised) and raised not in lines.stack:
        where = Path(raised.filename).relative_to(OWN.parent)
        print(f"Raised by the host ({where}, line {raised.lineno}), called by:", file=sys.stderr)
    print("".join(lines.format()), end="", file=sys.stderr)
    if isinstance(err, SyntaxError) and err.filename:
        file = Path(err.filename)
        short = file.relative_to(plugin) if file.is_relative_to(plugin) else file.name
        reason = f"{type(err).__name__}: {err.msg} ({short}, line {err.lineno})"
    else:
        reason = "".join(lines.format_exception_only()).strip()
    return {"status": "failed", "reason": reason, "for_user": False}


def line_of(err: BaseException, plugin: Path) -> str:
    """Return the last line of the plugin that led to an error, with its file and number; empty if none."""
    found = [frame for frame in traceback.extract_tb(err.__traceback__) if Path(frame.filename).is_relative_to(plugin)]
    if not found:
        return ""
    return f"{Path(found[-1].filename).relative_to(plugin)}, line {found[-1].lineno}: {found[-1].line}"


def _chained(lines: traceback.TracebackException | None) -> Iterator[traceback.TracebackException]:
    """Yield what is printed of an exception and of those that led to it."""
    if lines is not None:
        yield lines
        yield from _chained(lines.__cause__)
        yield from _chained(lines.__context__)


def _without_own(stack: traceback.StackSummary) -> list[traceback.FrameSummary]:
    """The frames of a component; where it has none, those of the host except the ones of the child itself."""
    others = [frame for frame in stack if not _is_own(frame) and not frame.filename.startswith("<frozen importlib")]
    return others or [frame for frame in stack if Path(frame.filename) != CHILD]


def _is_fault_of_host(err: BaseException, raised: traceback.FrameSummary) -> bool:
    """Whether a line of the host raised what it never means to raise."""
    meant = type(err).__module__.startswith("dataikuapi")
    return _is_own(raised) and Path(raised.filename) != CHILD and not meant


def _is_own(frame: traceback.FrameSummary) -> bool:
    return Path(frame.filename).is_relative_to(OWN)
