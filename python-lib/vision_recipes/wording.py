"""Counts and fractions in words, written the same way in logs, model cards and reports."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number of things, such as "1 picture" or "2 pictures"; `plural` is needed when it is irregular.

    `noun` and `plural` may go on after the noun, so that a verb agrees: counted(1, "row has", "rows have").
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage with one decimal, or a dash when it is not known.

    "0 %" and "100 %" are exact: what is only close to them stays 0.1 % away.
    """
    if fraction is None:
        return "–"
    if fraction in (0, 1):
        return f"{fraction:.0%}".replace("%", " %")
    shown = 100 * fraction
    return f"{min(max(shown, 0.1), 99.9) if 0 < shown < 100 else shown:.1f} %"
