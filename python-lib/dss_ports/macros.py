"""What a macro reports to the person who started it: how far it is, and what came out."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping


def percent(callback: Callable[[int], object] | None) -> Callable[[int, int], None]:
    """Return a progress function of (done, total) that reports whole percents to the host, each one once."""
    reported = -1

    def tell(done: int, total: int) -> None:
        nonlocal reported
        now = 100 * done // max(total, 1)
        if callback is not None and now > reported:
            reported = now
            callback(now)

    return tell


def summary(facts: Mapping[str, object]) -> str:
    """Return a macro's result as a small HTML table of names and values, escaped."""
    rows = (
        f"<tr><th>{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>" for name, value in facts.items()
    )
    return f'<table class="table table-condensed"><tbody>{"".join(rows)}</tbody></table>'
