"""Times and durations as people write them."""

from __future__ import annotations

import math
import time


def moment(seconds: float | None) -> str:
    """Return a time since 1970 in this machine's zone; of today the clock alone."""
    if seconds is None:
        return ""
    try:
        found = time.localtime(seconds)
    except (ValueError, OverflowError, OSError):  # a file says what no clock can
        return ""
    is_today = found[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M", found)


def duration(seconds: float | None) -> str:
    """Return a span in its two largest units."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    while units[0][0] == 0 and len(units) > 1:
        units.pop(0)
    return " ".join(f"{number} {unit}" for number, unit in units[:2] if number) or "0 s"
