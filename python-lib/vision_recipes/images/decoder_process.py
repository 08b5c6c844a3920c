"""A separate process that decodes risky pictures: when it crashes or hangs, one row has a reason and the job goes on.

Started as `python decoder_process.py PACKAGE_PARENT MEMORY_LIMIT`, it writes READY, then answers requests on its
standard input until that is closed. A request is REQUEST and the file's bytes; an answer is ANSWER (accepted, height,
width, bytes) and either pixels or `reason\\ndetail`.
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
from typing import IO

if __name__ == "__main__":
    sys.path[0] = sys.argv[1]

import numpy as np

from vision_recipes.images.decoding import LIMITS, Limits, Rejected, decode
from vision_recipes.preprocessing import RESIZES, Preprocessing

REQUEST = struct.Struct("<IIIdQQQQ")
ANSWER = struct.Struct("<?IIQ")
READY = b"ready"
POLICIES = (*RESIZES, "inside")
"""All resize policies, those of thumbnails too; a request names one by its place."""
START_SECONDS = 120.0
"""How long the process may take to start; on a busy machine that is no picture's fault and counts against none."""

_PARENT = str(Path(__file__).resolve().parents[2])
_MEMORY = 3 << 30


class DecoderProcess:
    """A process to decode in, started with the first picture and again after each crash or time-out."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    def decode(self, content: bytes, preprocessing: Preprocessing) -> np.ndarray:
        """Return what decoding.decode returns; raises Rejected, with `timeout` or `crashed` when the process was lost.

        A picture that ended the process is tried once more in a new one: memory may have been short for a moment.
        """
        try:
            return self._ask(content, preprocessing)
        except _Lost:
            try:
                return self._ask(content, preprocessing)
            except _Lost as err:
                raise Rejected("crashed", str(err)) from err

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            with suppress(OSError):  # what was not written yet is lost
                self._process.communicate()
            self._process = None

    def _ask(self, content: bytes, preprocessing: Preprocessing) -> np.ndarray:
        process = self._started()
        resize, limits = POLICIES.index(preprocessing.resize), self._limits
        geometry = preprocessing.width, preprocessing.height, resize, preprocessing.crop_fraction
        bounds = limits.pixels, limits.jpeg_pixels, limits.jpeg_memory
        with _killed_after(self._limits.decode_seconds, process) as late:
            try:
                assert process.stdin is not None and process.stdout is not None
                process.stdin.write(REQUEST.pack(*geometry, *bounds, len(content)))
                process.stdin.write(content)
                process.stdin.flush()
                accepted, height, width, length = ANSWER.unpack(_exactly(process.stdout, ANSWER.size))
                answer = _exactly(process.stdout, length)
            except (OSError, EOFError) as err:
                status = process.wait()
                self.close()
                if late.is_set():
                    raise Rejected("timeout", f"stopped after {self._limits.decode_seconds:g} s") from err
                raise _Lost(f"the decoder process ended with status {status}") from err
        if not accepted:
            raise Rejected(*answer.decode("utf-8", "replace").split("\n", 1))
        return np.frombuffer(answer, np.uint8).reshape(height, width, 3)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = process = subprocess.Popen(  # noqa: S603
                [sys.executable, str(Path(__file__).resolve()), _PARENT, str(_MEMORY)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=os.sep,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},  # a thread takes memory
            )
            with _killed_after(START_SECONDS, process):
                assert process.stdout is not None
                if process.stdout.read(len(READY)) != READY:
                    status = process.wait()
                    self.close()
                    raise _Lost(f"the decoder process did not start, it ended with status {status}")
        return self._process


class _Lost(Exception):
    """The process ended before it answered."""


@contextmanager
def _killed_after(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """Kill the process unless the block ends in time; the event is set then."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _exactly(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content


def _serve(memory: int) -> None:
    import warnings

    from PIL import AvifImagePlugin, Image, TiffImagePlugin, WebPImagePlugin

    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    assert {TiffImagePlugin.TiffImageFile.format, WebPImagePlugin.WebPImageFile.format} <= set(Image.ID)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    warnings.filterwarnings("error", message="Truncated File Read")
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    while header := requests.read(REQUEST.size):
        width, height, resize, part, *bounds, length = REQUEST.unpack(header)
        preprocessing = Preprocessing(width, height, resize=POLICIES[resize], crop_fraction=part)
        limits = Limits(LIMITS.file_bytes, *bounds)
        try:
            pixels = decode(_exactly(requests, length), preprocessing, limits)
            answers.write(ANSWER.pack(True, *pixels.shape[:2], pixels.nbytes) + pixels.tobytes())
        except Rejected as err:
            answer = f"{err.reason}\n{err.detail}".encode("utf-8", "replace")
            answers.write(ANSWER.pack(False, 0, 0, len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    _serve(int(sys.argv[2]))
