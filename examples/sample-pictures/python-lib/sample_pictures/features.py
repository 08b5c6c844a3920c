"""What makes a cartoon character that one: hair, ears, hats, glasses, snouts; each drawn into the frame of the head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sample_pictures.pen import Colour, Pen

Feature = Callable[[Pen, Colour], None]
"""Draws in a head of half width and half height about 1, in one colour."""


def _curls(pen: Pen, colour: Colour) -> None:
    for turn in np.linspace(-0.25, np.pi + 0.25, 11):
        pen.blob(-1.02 * np.cos(turn), -0.25 - 0.85 * np.sin(turn), 0.36, 0.36, colour)
    pen.blob(0, -0.35, 1.0, 0.75, colour, outline=False)


def _buns(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.blob(0.72 * side, -1.0, 0.42, 0.42, colour)
    pen.blob(0, -0.18, 1.08, 0.98, colour)


def _round_ears(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.blob(0.78 * side, -0.78, 0.42, 0.42, colour)
        pen.blob(0.78 * side, -0.78, 0.22, 0.22, [0.45 + 0.5 * part for part in colour], outline=False)


def _pointed_ears(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.shape([(0.95 * side, -0.25), (0.88 * side, -1.35), (0.2 * side, -0.85)], colour)
        pen.shape([(0.83 * side, -0.5), (0.8 * side, -1.08), (0.42 * side, -0.82)], (0.95, 0.65, 0.65), outline=False)


def _antennae(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.stroke([(0.3 * side, -0.9), (0.42 * side, -1.25), (0.62 * side, -1.5)], width=2.5)
        pen.blob(0.62 * side, -1.52, 0.17, 0.17, colour)


def _fringe(pen: Pen, colour: Colour) -> None:
    pen.shape(
        [
            (-0.98, -0.2),
            (-0.8, -0.75),
            (0, -1.04),
            (0.8, -0.75),
            (0.98, -0.2),
            (0.5, -0.5),
            (0.2, -0.42),
            (-0.3, -0.5),
            (-0.6, -0.4),
        ],
        colour,
    )


def _parting(pen: Pen, colour: Colour) -> None:
    pen.shape(
        [
            (-1.0, -0.05),
            (-0.85, -0.8),
            (0, -1.1),
            (0.85, -0.8),
            (1.0, -0.05),
            (0.75, -0.45),
            (0.05, -0.78),
            (-0.75, -0.45),
        ],
        colour,
    )


def _bowler(pen: Pen, colour: Colour) -> None:
    pen.blob(0, -0.85, 0.72, 0.62, colour)
    pen.blob(0, -0.62, 1.15, 0.2, colour)
    pen.shape([(-0.72, -0.82), (0.72, -0.82), (0.74, -0.7), (-0.74, -0.7)], (0.75, 0.15, 0.15), outline=False)


def _glasses(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.arc(0.4 * side, -0.05, 0.34, 0.34, (0, 2 * np.pi), width=2)
    pen.stroke([(-0.08, -0.08), (0.08, -0.08)], width=2)


def _moustache(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        pen.shape([(0, 0.32), (0.3 * side, 0.28), (0.68 * side, 0.16), (0.5 * side, 0.48), (0.2 * side, 0.52)], colour)


def _snout(pen: Pen, colour: Colour) -> None:
    pen.blob(0, 0.42, 0.5, 0.38, [0.4 + 0.58 * part for part in colour])
    pen.blob(0, 0.22, 0.19, 0.13, (0.12, 0.08, 0.08))


def _whiskers(pen: Pen, colour: Colour) -> None:
    for side in (-1, 1):
        for lean in (-0.12, 0.02, 0.16):
            pen.stroke([(0.3 * side, 0.38 + lean * 0.4), (1.15 * side, 0.34 + lean * 1.6)], width=0.8)
    pen.shape([(-0.13, 0.22), (0.13, 0.22), (0, 0.38)], (0.9, 0.45, 0.5))


def _freckles(pen: Pen, colour: Colour) -> None:
    for x, y in ((-0.62, 0.3), (-0.5, 0.4), (-0.72, 0.42), (0.62, 0.3), (0.5, 0.4), (0.72, 0.42)):
        pen.blob(x, y, 0.05, 0.05, colour, outline=False)


BEHIND: dict[str, Feature] = {
    "curls": _curls,
    "buns": _buns,
    "round ears": _round_ears,
    "pointed ears": _pointed_ears,
    "antennae": _antennae,
}
"""Drawn before the head."""

BEFORE: dict[str, Feature] = {
    "fringe": _fringe,
    "parting": _parting,
    "bowler": _bowler,
    "glasses": _glasses,
    "moustache": _moustache,
    "snout": _snout,
    "whiskers": _whiskers,
    "freckles": _freckles,
}
"""Drawn after the head and its face."""
