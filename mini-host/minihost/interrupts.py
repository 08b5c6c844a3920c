"""Ctrl-C and SIGTERM: where they end what is going on, and where they have to wait."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

from minihost.errors import Interrupted


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` at SIGTERM as long as the block lasts, like Ctrl-C raises KeyboardInterrupt."""

    def stop(_number: int, _frame: object) -> None:
        raise Interrupted("Interrupted. Outputs are as they were before.")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    was = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, was)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM as long as the block lasts: what it does must be done to its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    was = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in was.items():
            signal.signal(number, handler)
