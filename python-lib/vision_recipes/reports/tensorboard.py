"""TensorBoard itself as a WSGI application over a model folder's logs, where the package is installed."""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vision_recipes.local_folders import make_work_folder
from vision_recipes.stores import Store

EVERY = 5.0
"""Seconds between two listings of the folder."""

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class TensorBoardPages:
    """Answers as TensorBoard does; the logs are copied to a temporary folder, again and again while pages are open."""

    def __init__(self, model: Store, logs: Callable[[Store], list[str]]) -> None:
        self._model, self._logs = model, logs
        self._folder = make_work_folder("vision-tensorboard-")
        self._sizes: dict[str, int] = {}
        self._copied = float("-inf")
        self._application: Application | None = None
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        with self._lock:
            if time.monotonic() - self._copied >= EVERY:
                self._copy()
            if self._application is None:
                self._application = _application(self._folder.name)
        return self._application(environ, start_response)

    def _copy(self) -> None:
        """Copy the logs that have changed, and remove those that are gone: a new training writes other files."""
        paths = self._logs(self._model)
        for path in self._sizes.keys() - set(paths):
            self._target(path).unlink(missing_ok=True)
            del self._sizes[path]
        for path in paths:
            with self._model.open(path) as stream:
                content = stream.read()
            if self._sizes.get(path) != len(content):
                target = self._target(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                self._sizes[path] = len(content)
        self._copied = time.monotonic()

    def _target(self, path: str) -> Path:
        """Where a log is copied to; a listed path never holds `..`, and one that did would not leave the folder."""
        return Path(self._folder.name).joinpath(*[part for part in path.split("/") if part not in ("", ".", "..")][1:])


def is_installed() -> bool:
    """Whether TensorBoard can be imported, without doing so."""
    return importlib.util.find_spec("tensorboard") is not None


def _application(logs: str) -> Application:
    # TensorBoard imports TensorFlow unless a module of this name exists; its own stub is all that it needs here.
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))
    from tensorboard import program

    logging.getLogger("tensorboard").setLevel(logging.WARNING)
    applications: list[Application] = []  # the web app serves it, not TensorBoard's own server

    def server(application: Application, _flags: Any) -> types.SimpleNamespace:
        applications.append(application)
        return types.SimpleNamespace(serve_forever=lambda: None, get_url=lambda: "")

    board = program.TensorBoard(server_class=server)
    board.configure(argv=["", "--logdir", logs, "--load_fast", "false", "--reload_interval", str(EVERY)])
    board.launch()
    return applications[0]
