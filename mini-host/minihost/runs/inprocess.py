"""Runs a component in the process that asks, for tests: nothing is isolated, everything is put back."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from minihost.dataiku_api import modules, session
from minihost.dataiku_api.session import Session
from minihost.dataiku_api.small_modules import plain
from minihost.job import Job
from minihost.runs import child
from minihost.runs.joblog import JobLog
from minihost.runs.processes import Ended


def follow(job: Job, folder: Path, log: JobLog) -> Ended:
    """Run the job here and answer as a child process would have ended; its output goes to the log."""
    output = LineStream(log.write)
    with _put_back(job), contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        os.chdir(job.work_dir)
        outcome = child.perform(job, folder)
    output.end()
    (folder / child.RESULT).write_text(json.dumps(outcome, default=plain), encoding="utf-8")
    return Ended(0 if outcome["status"] == "done" else 1)


@contextlib.contextmanager
def session_of(job: Job) -> Iterator[None]:
    """Have `import dataiku` answer for a job in this process, as long as the block lasts."""
    with _put_back(job):
        sys.path.insert(0, str(Path(job.plugin_root, "python-lib")))
        modules.install(Session(job))
        yield


class LineStream(io.TextIOBase):
    """Text that is printed, handed on line by line."""

    def __init__(self, on_line: Callable[[str], object]) -> None:
        self.on_line = on_line
        self._left = ""

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    def write(self, text: str) -> int:
        """Take text and hand on whole lines."""
        *lines, self._left = (self._left + text).split("\n")
        for line in lines:
            self.on_line(line)
        return len(text)

    def end(self) -> None:
        """Hand on what is left."""
        if self._left:
            self.on_line(self._left)
            self._left = ""


@contextlib.contextmanager
def _put_back(job: Job) -> Iterator[None]:
    """Keep this process as it was: module path, modules of the plugin, arguments, folder, environment, handlers of the
    root log."""
    library = Path(job.plugin_root, "python-lib")
    kept: dict[str, Any] = {"path": list(sys.path), "argv": list(sys.argv), "cwd": Path.cwd()}
    variables = dict(os.environ)
    os.environ.update(job.environment)
    main, handlers = sys.modules["__main__"], list(logging.getLogger().handlers)
    before = set(sys.modules)
    importable = modules.are_importable()
    own = {entry.name.partition(".")[0] for entry in library.iterdir()} if library.is_dir() else set()
    hidden = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in own and not _inside(module, library)
    }
    for name in hidden:
        del sys.modules[name]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        session.end() if importable else modules.uninstall()
        for name in [name for name in sys.modules if name not in before and _inside(sys.modules[name], library)]:
            _forget(name)
        sys.modules.update(hidden)
        sys.modules["__main__"] = main
        sys.path[:], sys.argv[:] = kept["path"], kept["argv"]
        os.chdir(kept["cwd"])
        for name in [name for name in os.environ if name not in variables]:
            del os.environ[name]
        os.environ.update(variables)
        logging.getLogger().handlers[:] = handlers


def _forget(name: str) -> None:
    """Take a module out of those that are imported, and out of its package, which may stay: a later import is whole."""
    package, _, inside = name.rpartition(".")
    if package in sys.modules:
        vars(sys.modules[package]).pop(inside, None)
    del sys.modules[name]


def _inside(module: Any, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(folder.resolve())
