"""A child process that decodes risky pictures: when it crashes or hangs, one row has a reason and the job goes on.

Started as `python cell.py PACKAGE_PARENT MEMORY_LIMIT`, it writes READY, then answers requests on its standard input
until that is closed. A request is REQUEST and the file's bytes; an answer is ANSWER and either pixels or
`reason\\ndetail`.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if __name__ == "__main__":
    sys.path[0] = sys.argv[1]

import numpy as np

from vision_recipes.images.decoding import Rejected, decode
from vision_recipes.images.limits import LIMITS, Limits
from vision_recipes.preprocessing import RESIZES, Preprocessing

if TYPE_CHECKING:
    from types import TracebackType

REQUEST = struct.Struct("<IIIIQ")
ANSWER = struct.Struct("<?I")
READY = b"ready"
START_SECONDS = 120.0
"""How long the child may take to start; on a busy machine that is no picture's fault and counts against none."""

_PARENT = str(Path(__file__).resolve().parents[2])
_MEMORY = 3 << 30


class Cell:
    """A child process to decode in, started with the first picture and again after each crash or time-out."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._child: subprocess.Popen[bytes] | None = None

    def decode(self, content: bytes, preprocessing: Preprocessing) -> np.ndarray:
        """Return what decoding.decode returns; raises Rejected, with `timeout` or `crashed` when the child was lost.

        A picture that ended the child is tried once more in a fresh one: the memory may have been short for a moment.
        """
        for last in (False, True):
            try:
                return self._ask(content, preprocessing)
            except _Lost as lost:
                if last:
                    raise Rejected("crashed", str(lost)) from lost
        raise AssertionError

    def close(self) -> None:
        """End the child process."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for stream in (self._child.stdin, self._child.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            self._child = None

    def __enter__(self) -> Cell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, content: bytes, preprocessing: Preprocessing) -> np.ndarray:
        child = self._start()
        with self._watched(child, self._limits.decode_seconds) as late:
            try:
                assert child.stdin is not None and child.stdout is not None
                resize = RESIZES.index(preprocessing.resize)
                limit = self._limits.pixels
                child.stdin.write(REQUEST.pack(preprocessing.width, preprocessing.height, resize, limit, len(content)))
                child.stdin.write(content)
                child.stdin.flush()
                accepted, length = ANSWER.unpack(_exactly(child.stdout, ANSWER.size))
                answer = _exactly(child.stdout, length)
            except (OSError, EOFError) as err:
                status = self._ended()
                if late.is_set():
                    raise Rejected("timeout", f"stopped after {self._limits.decode_seconds:g} s") from err
                raise _Lost(f"the decoding process ended with status {status}") from err
        if not accepted:
            raise Rejected(*answer.decode("utf-8", "replace").split("\n", 1))
        return np.frombuffer(answer, np.uint8).reshape(preprocessing.height, preprocessing.width, 3)

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            command = [sys.executable, str(Path(__file__).resolve()), _PARENT, str(_MEMORY)]
            self._child = child = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=os.sep,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},  # a thread takes memory
            )
            with self._watched(child, START_SECONDS):
                assert child.stdout is not None
                if child.stdout.read(len(READY)) != READY:
                    raise _Lost(f"the decoding process did not start, it ended with status {self._ended()}")
        return self._child

    @contextmanager
    def _watched(self, child: subprocess.Popen[bytes], seconds: float) -> Iterator[threading.Event]:
        """Kill the child after so many seconds; the event says that it was."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()

    def _ended(self) -> int:
        """Wait for the child to end, forget it, and return its status."""
        assert self._child is not None
        status = self._child.wait()
        self.close()
        return status


class _Lost(Exception):
    """The child ended before it answered."""


def _exactly(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content


def _serve(memory: int) -> None:
    import warnings

    from PIL import Image, TiffImagePlugin, WebPImagePlugin

    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    assert {TiffImagePlugin.TiffImageFile.format, WebPImagePlugin.WebPImageFile.format} <= set(Image.ID)
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
    warnings.filterwarnings("error", message="Truncated File Read")
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    while header := requests.read(REQUEST.size):
        width, height, resize, pixels, length = REQUEST.unpack(header)
        content = _exactly(requests, length)
        try:
            found = decode(
                content, Preprocessing(width, height, resize=RESIZES[resize]), Limits(pixels=pixels)
            ).tobytes()
            answers.write(ANSWER.pack(True, len(found)) + found)
        except Rejected as err:
            words = f"{err.reason}\n{err.detail}".encode("utf-8", "replace")
            answers.write(ANSWER.pack(False, len(words)) + words)
        answers.flush()


if __name__ == "__main__":
    _serve(int(sys.argv[2]))
