"""The same step for many objects, by several threads: most of the time goes into waiting for answers."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable

THREADS = 8
MANY_THREADS = 32
"""For steps that hold only some kilobytes each."""
PATIENCE = 3.0


def in_parallel(step: Callable[[str], None], paths: Iterable[str], threads: int = THREADS) -> None:
    """Do a step for every path. The first failure ends it, and is raised when the steps that are under way have ended;
    an interrupt waits a moment for these."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                path = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                step(path)
                ended.put(None)
            except BaseException as err:
                ended.put(err)

    for path in paths:
        waiting.put(path)
    count = waiting.qsize()
    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(count, threads))]
    for thread in workers:
        thread.start()
    try:
        for _ in range(count):
            failure = ended.get()
            if failure is not None:
                stop.set()
                for thread in workers:
                    thread.join()
                raise failure
    except BaseException:
        stop.set()
        end = time.monotonic() + PATIENCE
        for thread in workers:
            thread.join(max(0.0, end - time.monotonic()))
        raise
