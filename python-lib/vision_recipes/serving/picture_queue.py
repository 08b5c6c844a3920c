"""Pictures from acceptance to answer: bounded, decoded in order, computed in batches, for all models of a process."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.errors import VisionError
from vision_recipes.inference.engine import Slot
from vision_recipes.pictures import Picture
from vision_recipes.serving.compiled_forms import Form
from vision_recipes.serving.loaded_model import LoadedModel
from vision_recipes.serving.scorer import Scored
from vision_recipes.serving.serving_limits import ServingLimits

_MEASURED = 64
"""Answers that the rate is measured over."""


class Overloaded(Exception):
    """No picture is taken at the moment: too many wait, or the server is about to end."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__(f"busy: try again in {retry_after_seconds:.1f} s")
        self.retry_after_seconds = retry_after_seconds


class ScoringFailed(VisionError):
    """There is no answer for a picture, which is not the picture's fault; the next one may be answered."""


@dataclass(eq=False, slots=True)
class Request:
    """A picture that was accepted: `content` until it is decoded, then `picture` and the encoded table `columns`.

    `held` is how many bytes of the queue's room it takes; `accepted_at` and `decoded_at` are on the monotonic clock.
    """

    loaded: LoadedModel
    content: bytes = b""
    cells: Mapping[str, Any] | None = None
    picture: Picture | None = None
    columns: np.ndarray | None = None
    held: int = 0
    accepted_at: float = field(default_factory=time.monotonic)
    decoded_at: float = 0.0
    future: Future[Scored] = field(default_factory=Future)


@dataclass(frozen=True)
class Batch:
    """Decoded pictures of one model, and a slot of one of its forms that is theirs until it is given back."""

    form: Form
    slot: Slot
    requests: list[Request]


@dataclass
class _Line:
    """A model's pictures: how many are accepted and not answered, those that are decoded, how many are computed."""

    accepted: int = 0
    decoded: deque[Request] = field(default_factory=deque)
    computed: int = 0

    def coming(self) -> int:
        """Return how many pictures are still to be decoded."""
        return self.accepted - len(self.decoded) - self.computed


class PictureQueue:
    """Gives pictures to the threads that decode and to those that compute. Thread-safe.

    `ahead` is how many decoded pictures may wait; the rest waits as files.
    """

    def __init__(self, limits: ServingLimits, ahead: int) -> None:
        self._limits, self._ahead = limits, ahead
        self._lock = threading.Lock()
        self._may_decode, self._may_compute, self._emptied = (threading.Condition(self._lock) for _ in range(3))
        self._open: set[Request] = set()
        self._files: deque[Request] = deque()
        self._lines: dict[LoadedModel, _Line] = {}
        self._held = 0
        self._times: deque[float] = deque(maxlen=_MEASURED)
        self._refusing = self._ended = False

    def __len__(self) -> int:
        """Return how many pictures are accepted and not answered."""
        return len(self._open)

    def holds(self, loaded: LoadedModel) -> bool:
        """Return whether a model has pictures that are not answered."""
        return loaded in self._lines

    def add(self, request: Request) -> None:
        """Accept a picture, a file or with pixels; raises Overloaded."""
        request.held = len(request.content) if request.picture is None else 0
        with self._lock:
            full = len(self._open) >= self._limits.pictures
            full |= bool(self._open) and self._held + request.held > self._limits.bytes
            if full or self._refusing:
                raise Overloaded(self._seconds_to_empty())
            self._open.add(request)
            self._held += request.held
            line = self._lines.setdefault(request.loaded, _Line())
            line.accepted += 1
            if request.picture is None:
                self._files.append(request)
                self._may_decode.notify()
            else:
                self._put_decoded(request, line)

    def take_file(self) -> Request | None:
        """Wait for a picture to decode and return it; None at the end."""
        with self._lock:
            while not self._ended:
                if self._files and sum(len(line.decoded) for line in self._lines.values()) < self._ahead:
                    return self._files.popleft()
                self._may_decode.wait()
        return None

    def put_decoded(self, request: Request) -> None:
        """Give a picture with pixels to the threads that compute, unless it was answered meanwhile."""
        with self._lock:
            if request in self._open:
                self._put_decoded(request, self._lines[request.loaded])

    def take_batch(self) -> Batch | None:
        """Wait for pictures to compute and return them; None at the end."""
        with self._lock:
            while not self._ended:
                batch, seconds = self._next_batch()
                if batch is not None:
                    self._may_decode.notify_all()
                    return batch
                self._may_compute.wait(seconds)
        return None

    def give_back(self, batch: Batch) -> None:
        """Let others have a batch's slot."""
        batch.form.give_back(batch.slot)
        with self._lock:
            self._may_compute.notify()

    def close_request(self, request: Request) -> bool:
        """Return whether a picture was still to be answered, which is now the caller's to do."""
        with self._lock:
            if request not in self._open:
                return False
            self._open.remove(request)
            self._release(request)
            line = self._lines[request.loaded]
            line.accepted -= 1
            line.computed -= bool(request.decoded_at)
            if not line.accepted:
                del self._lines[request.loaded]
            self._times.append(time.monotonic())
            if not self._open:
                self._emptied.notify_all()
            elif line.decoded:
                self._may_compute.notify()  # there may be nothing left to wait for
            return True

    def refuse(self) -> None:
        """Accept no more pictures."""
        with self._lock:
            self._refusing = True

    def wait_until_empty(self, seconds: float) -> bool:
        """Return whether every picture was answered within so many seconds."""
        with self._lock:
            return self._emptied.wait_for(lambda: not self._open, seconds)

    def end(self) -> list[Request]:
        """Let the threads go, and return the pictures that were not answered."""
        with self._lock:
            self._refusing = self._ended = True
            self._may_decode.notify_all()
            self._may_compute.notify_all()
            return list(self._open)

    def _put_decoded(self, request: Request, line: _Line) -> None:
        self._release(request)
        request.decoded_at = time.monotonic()
        line.decoded.append(request)
        self._may_compute.notify()

    def _release(self, request: Request) -> None:
        self._held -= request.held
        request.held, request.content = 0, b""

    def _next_batch(self) -> tuple[Batch | None, float | None]:
        """Return the batch whose first picture waits longest, or None and how long to wait for pictures to join one."""
        waiting = [
            (line.decoded[0].decoded_at, loaded.forms, line) for loaded, line in self._lines.items() if line.decoded
        ]
        seconds: float | None = None
        for since, forms, line in sorted(waiting, key=lambda item: item[0]):
            form = forms.alone if len(self._open) == 1 else forms.together
            left = since + forms.wait_seconds - time.monotonic()
            if len(line.decoded) < form.batch and line.coming() and left > 0:
                seconds = left if seconds is None else min(seconds, left)
            elif (slot := form.take()) is not None:
                requests = [line.decoded.popleft() for _ in range(min(form.batch, len(line.decoded)))]
                line.computed += len(requests)
                return Batch(form, slot, requests), None
        return None, seconds

    def _seconds_to_empty(self) -> float:
        """Return how long the pictures that wait will take, by the rate of the latest answers; between 1 and 60."""
        if len(self._times) < 2:
            return 1.0
        rate = (len(self._times) - 1) / max(time.monotonic() - self._times[0], 1e-3)
        return min(60.0, max(1.0, len(self._open) / rate))
