"""TensorBoard itself as a WSGI application over a model folder's logs, where the package is installed."""

from __future__ import annotations

import importlib.util
import logging
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vision_recipes.stores import Store

EVERY = 5.0
"""Seconds between two looks at the folder."""

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class TensorBoardPages:
    """Answers as TensorBoard does; the logs are copied to a temporary folder, now and again while somebody looks."""

    def __init__(self, model: Store, logs: Callable[[Store], list[str]]) -> None:
        self._model, self._logs = model, logs
        self._copy = tempfile.TemporaryDirectory(prefix="vision-tensorboard-")
        self._sizes: dict[str, int] = {}
        self._looked = 0.0
        self._application: Application | None = None
        self._guard = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        with self._guard:
            if time.monotonic() - self._looked >= EVERY:
                self._look()
            if self._application is None:
                self._application = _application(self._copy.name)
        return self._application(environ, start_response)

    def _look(self) -> None:
        """Copy what has grown, and drop what is gone: a training that begins anew writes other files."""
        paths = self._logs(self._model)
        for path in [path for path in self._sizes if path not in paths]:
            self._place(path).unlink(missing_ok=True)
            del self._sizes[path]
        for path in paths:
            with self._model.open(path) as stream:
                content = stream.read()
            if self._sizes.get(path) != len(content):
                place = self._place(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
                self._sizes[path] = len(content)
        self._looked = time.monotonic()

    def _place(self, path: str) -> Path:
        """Where a log is copied to; a listed path never holds `..`, and one that did would not leave the folder."""
        return Path(self._copy.name).joinpath(*[part for part in path.split("/") if part not in ("", ".", "..")][1:])


def is_installed() -> bool:
    """Whether TensorBoard can be imported, without doing so."""
    return importlib.util.find_spec("tensorboard") is not None


def _application(logs: str) -> Application:
    # TensorBoard would import TensorFlow for what its own stub does as well; this name is how it is told not to.
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))
    from tensorboard import program

    logging.getLogger("tensorboard").setLevel(logging.WARNING)
    caught: list[Application] = []

    class Catcher:
        """Stands where TensorBoard's own server would, and keeps its application."""

        def __init__(self, application: Application, _flags: Any) -> None:
            caught.append(application)

        def serve_forever(self) -> None:
            """Somebody else serves."""

        def get_url(self) -> str:
            """There is no address of its own."""
            return ""

    board = program.TensorBoard(server_class=Catcher)
    board.configure(
        argv=["", "--logdir", logs, "--load_fast", "false", "--reload_interval", str(EVERY)],
    )
    board.launch()
    return caught[0]
