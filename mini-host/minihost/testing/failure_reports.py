"""What pytest shows of a test that failed: the author's lines and the logs of components, no frames of the host."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType

import pytest

from minihost.errors import HostError

LOGS = pytest.StashKey[list[tuple[str, Path]]]()
"""The component and the log of each run that a test made, in order."""

LONGEST = 100
"""Lines of a log that are shown: its last ones."""

OWN = Path(__file__).parents[1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hide the host's frames (pytest's `--full-trace` shows them), and add a section for each log."""
    if call.excinfo is not None and not item.config.getoption("fulltrace"):
        err = call.excinfo.value
        if isinstance(err, HostError):
            err.__cause__, err.__suppress_context__ = None, True
        shorter = err.with_traceback(without_own_frames(err, item.config.rootpath))
        call.excinfo = pytest.ExceptionInfo.from_exception(shorter)
    report = yield
    if report.failed and call.when != "teardown":
        for component, log in item.stash.get(LOGS, []):
            if text := "\n".join(filter(None, [last_lines(log), line_of_plugin(log)])):
                report.sections.append((f"log of {component}", text))
    return report


def without_own_frames(err: BaseException, author: Path) -> TracebackType | None:
    """Return the traceback of an error without the host's frames and those between them.

    A `HostError` explains itself, so nothing below the author's own line remains. Of other errors everything remains
    unless code in the folder `author` raised them, called by the host: the fault may then be the host's.
    """
    frames = list(_frames(err.__traceback__))
    own = [place for place, frame in enumerate(frames) if _inside(frame, OWN)]
    if not own:
        return err.__traceback__
    below = frames[own[-1] + 1 :]
    if isinstance(err, HostError):
        below = []
    elif not any(_inside(frame, author) for frame in below):
        return err.__traceback__
    above = frames[: own[0]]
    while above and _inside(above[-1], Path(contextlib.__file__)):
        above.pop()  # what `with` goes through
    shorter: TracebackType | None = None
    for frame in reversed(above + below):
        shorter = TracebackType(shorter, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return shorter


def last_lines(log: Path) -> str:
    """Return the end of a log, or the empty text where there is none."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    left_out = len(lines) - LONGEST
    return "\n".join([f"({left_out} lines before these)"] * (left_out > 0) + lines[-LONGEST:])


def line_of_plugin(log: Path) -> str:
    """Return the line of the plugin that a failure came from where the log has no traceback, as for errors of the host
    that explain themselves; the empty text where it has one, or the run succeeded."""
    try:
        facts = json.loads(log.with_name("result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return f"from {facts['line']}" if facts.get("for_user") and facts.get("line") else ""


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _inside(frame: TracebackType, folder: Path) -> bool:
    return Path(frame.tb_frame.f_code.co_filename).is_relative_to(folder)
