"""The threads that decode and those that compute, and one that looks after those that decode for too long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

import numpy as np

from vision_recipes.images.decoding import Limits
from vision_recipes.images.picture_decoder import PictureDecoder
from vision_recipes.images.reading import cpu_count
from vision_recipes.inference.engine import Slot
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.serving.compiled_forms import vectors
from vision_recipes.serving.picture_queue import PictureQueue, Request, ScoringFailed

log = logging.getLogger("vision_recipes")

Observer = Callable[[str, float], None]
"""Takes "queue", "decode" or "infer" with seconds, or "batch" with how many pictures it holds; from any thread."""

_LEFT_BEHIND = 8
"""Decoding threads that may hang at a time before no more are started in their place."""
_TICK = 1.0


class PictureThreads:
    """As many threads decode as there are processors; one more computes, so that its batch waits when one ends.

    All models share them, so that several take no more of the machine than one.
    """

    def __init__(self, queue: PictureQueue, limits: Limits) -> None:
        self._queue, self._limits = queue, limits
        self.observe: Observer = lambda what, value: None
        self._decoding: dict[threading.Thread, tuple[float, Request]] = {}
        self._left_behind: dict[threading.Thread, bool] = {}
        """Threads that decode for too long, and whether another was started in their place."""
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        for work, count in ((self._decode, cpu_count()), (self._compute, cpu_count() + 1), (self._look_after, 1)):
            for _ in range(count):
                self._start(work)

    def end(self, seconds: float) -> None:
        """Wait so long for the threads to end, once the queue has; those that hang are left behind."""
        self._ended.set()
        ends = time.monotonic() + seconds
        for thread in self._threads:
            if thread not in self._left_behind:
                thread.join(max(0.0, ends - time.monotonic()))

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=work.__name__.strip("_"), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _decode(self) -> None:
        with closing(PictureDecoder(Preprocessing(1, 1), self._limits)) as decoder:
            while self._decode_next(decoder) and not self._left_behind.pop(threading.current_thread(), False):
                pass

    def _decode_next(self, decoder: PictureDecoder) -> bool:
        """Decode the next picture; return False at the end. Nothing of it stays in memory while another is awaited."""
        request = self._queue.take_file()
        if request is None:
            return False
        if not request.future.set_running_or_notify_cancel():
            self._queue.close_request(request)
            return True
        started = time.monotonic()
        self._decoding[threading.current_thread()] = started, request
        self.observe("queue", started - request.accepted_at)
        try:
            self._decode_one(decoder, request)
        except Exception as err:  # a mistake of ours costs this picture, not the thread
            self._fail(request, err)
        finally:
            del self._decoding[threading.current_thread()]
            self.observe("decode", time.monotonic() - started)
        return True

    def _decode_one(self, decoder: PictureDecoder, request: Request) -> None:
        loaded = request.loaded
        picture = decoder.picture("", partial(bytes, request.content), loaded.model.preprocessing)
        if picture.pixels is None:
            self._answer(request, picture, None)
            return
        request.columns = loaded.answers.encoded(request.cells)
        request.picture = picture
        self._queue.put_decoded(request)

    def _look_after(self) -> None:
        """Answer for threads that decode for too long, and start others in their place."""
        seconds = self._limits.read_seconds
        while not self._ended.wait(_TICK):
            for thread, (since, request) in list(self._decoding.items()):
                if thread in self._left_behind or time.monotonic() - since < seconds:
                    continue
                replaced = len(self._left_behind) < _LEFT_BEHIND
                self._left_behind[thread] = replaced
                self._answer(request, Picture("", reason="timeout", detail=f"not decoded within {seconds:g} s"), None)
                if replaced:
                    self._start(self._decode)
                log.warning("a picture was not decoded within %g s; its thread is left behind", seconds)

    def _compute(self) -> None:
        while self._compute_next():
            pass

    def _compute_next(self) -> bool:
        """Compute the next batch; return False at the end. Nothing of it stays in memory while another is awaited."""
        batch = self._queue.take_batch()
        if batch is None:
            return False
        started = time.monotonic()
        try:
            found = _vectors_or_errors(batch.slot, batch.requests)
        finally:
            self._queue.give_back(batch)
        self.observe("infer", time.monotonic() - started)
        self.observe("batch", len(batch.requests))
        for request, vector in zip(batch.requests, found, strict=True):
            if isinstance(vector, Exception):
                self._fail(request, vector)
            else:
                self._answer(request, request.picture or Picture(""), vector)
        return True

    def _answer(self, request: Request, picture: Picture, vector: np.ndarray | None) -> None:
        try:
            scored = request.loaded.answers.scored(picture, vector)
        except Exception as err:
            self._fail(request, err)
            return
        if self._queue.close_request(request):
            request.future.set_result(scored)
            request.loaded.record(scored)

    def _fail(self, request: Request, err: Exception) -> None:
        name = request.loaded.model.name
        log.error("model %s gave no answer for a picture: %s: %s", name, type(err).__name__, err)
        if self._queue.close_request(request):
            request.future.set_exception(
                ScoringFailed(
                    f"Model {name!r} gave no answer for this picture: {err}. Post it again; if it fails each time, set "
                    "the precision to float32."
                )
            )


def _vectors_or_errors(slot: Slot, requests: Sequence[Request]) -> Sequence[np.ndarray | Exception]:
    """Return the vector of each picture, or why there is none."""
    pictures = [
        request.picture.pixels for request in requests if request.picture and request.picture.pixels is not None
    ]
    try:
        found = vectors(slot, pictures, [request.columns for request in requests])
    except Exception as err:  # engines raise anything; each picture is tried alone, and fails alone
        if len(requests) == 1:
            return [err]
        return [one for request in requests for one in _vectors_or_errors(slot, [request])]
    infinite = ArithmeticError("the network's numbers are not finite")
    return [vector if np.isfinite(vector).all() else infinite for vector in found]
