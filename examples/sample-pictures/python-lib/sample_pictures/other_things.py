"""Things that are no eggs, many of them confusable on purpose: balls, stones, potatoes, fruit, crockery, leaves."""

from __future__ import annotations

import numpy as np

from sample_pictures.canvas import AXIS, Canvas, Pose
from sample_pictures.grounds import tinted, vivid
from sample_pictures.noise import smooth
from sample_pictures.paints import banded, mottled, plain, speckled

ROUND = np.sqrt(np.clip(1 - AXIS**2, 0, 1))
"""Profile of a ball."""


def add_ball(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a ball: plain, banded, with segments, or dotted."""
    one, two = vivid(rng), rng.uniform(0.05, 1, 3)
    kind = rng.integers(5)
    if kind < 2:
        paint = plain(vivid(rng))
    elif kind == 2:
        paint = banded(one, two, rng.uniform(0.8, 3))
    elif kind == 3:
        paint = banded(one, two, float(rng.integers(3, 7)), lengthwise=True)
    else:
        paint = speckled(rng, plain(one), two, int(rng.integers(8, 20)), rng.uniform(0.1, 0.18))
    canvas.add_body(pose, ROUND, paint, rng.uniform(0.1, 0.8))


def add_stone(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a stone: an uneven lump with a rough, clouded skin."""
    lump = ROUND * rng.uniform(0.55, 0.95) + ROUND**1.5 * _waves(rng, 0.09)
    grey = tinted(rng, (0.2, 0.19, 0.18), (0.6, 0.58, 0.55))
    paint = mottled(smooth(rng, canvas.shape, 30, 3), plain(grey), grey * rng.uniform(0.3, 0.6), 0.9)
    canvas.add_body(pose, np.clip(lump, 0, None), paint, 0.03, smooth(rng, canvas.shape, 26, 3) * rng.uniform(5, 10))


def add_potato(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a potato: long, lumpy, brown, with eyes."""
    lump = ROUND**0.85 * rng.uniform(0.5, 0.72) + ROUND * _waves(rng, 0.09)
    skin = tinted(rng, (0.42, 0.28, 0.15), (0.72, 0.56, 0.34))
    paint = speckled(
        rng, mottled(smooth(rng, canvas.shape, 18, 3), plain(skin), skin * 0.55, 0.8), skin * 0.35, 9, 0.045
    )
    canvas.add_body(pose, np.clip(lump, 0, None), paint, 0.04, smooth(rng, canvas.shape, 14, 2) * 3.0)


def add_onion(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay an onion: a bulb with a neck, a beard and ribs."""
    bulb = np.interp(
        AXIS, [-1, -0.75, -0.5, -0.1, 0.3, 0.7, 0.88, 0.95, 1], [0.05, 0.09, 0.28, 0.72, 0.86, 0.6, 0.22, 0.07, 0.1]
    )
    skin = (
        tinted(rng, (0.6, 0.32, 0.1), (0.9, 0.66, 0.35))
        if rng.random() < 0.6
        else tinted(rng, (0.4, 0.08, 0.2), (0.65, 0.25, 0.4))
    )
    canvas.add_body(
        pose, _soft(bulb), banded(skin, skin * 0.72, float(rng.integers(12, 22)), lengthwise=True, sharp=0.5), 0.3
    )


def add_lemon(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a lemon or a lime: an ellipse with a nipple at either end."""
    body = 0.68 * np.sqrt(np.clip(1 - (AXIS / 0.88) ** 2, 0, 1))
    nipples = 0.16 * np.sqrt(np.clip(1 - AXIS**2, 0, 1))
    skin = (
        tinted(rng, (0.85, 0.68, 0.05), (0.98, 0.9, 0.3))
        if rng.random() < 0.7
        else tinted(rng, (0.3, 0.5, 0.05), (0.6, 0.75, 0.2))
    )
    canvas.add_body(pose, _soft(np.maximum(body, nipples)), plain(skin), 0.3, smooth(rng, canvas.shape, 90) * 1.5)


def add_apple(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay an apple, an orange or a tomato: round and wide, with a stalk."""
    profile = np.interp(AXIS, [-1, -0.93, -0.5, 0, 0.5, 0.9, 1], [0.1, 0.45, 0.95, 1.05, 0.9, 0.45, 0.1])
    red = tinted(rng, (0.5, 0.03, 0.03), (0.95, 0.5, 0.05))
    green = tinted(rng, (0.3, 0.5, 0.05), (0.8, 0.8, 0.2))
    paint = mottled(smooth(rng, canvas.shape, 5, 2), plain(red), green, rng.uniform(0, 1.0))
    canvas.add_body(pose, _soft(profile) * rng.uniform(0.85, 1.0), paint, rng.uniform(0.2, 0.5))
    _add_bar(canvas, pose, (-1.25, -0.8), 0.05, np.array([0.25, 0.16, 0.08]))


def add_pear(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a pear: a neck above, a belly below."""
    profile = np.interp(AXIS, [-1, -0.9, -0.6, -0.2, 0.2, 0.6, 0.9, 1], [0.08, 0.26, 0.34, 0.42, 0.66, 0.68, 0.4, 0.1])
    green = tinted(rng, (0.5, 0.55, 0.1), (0.85, 0.8, 0.3))
    paint = speckled(rng, plain(green, tinted(rng, (0.6, 0.4, 0.1), (0.8, 0.7, 0.2))), green * 0.6, 25, 0.025)
    canvas.add_body(pose, _soft(profile), paint, 0.2)
    _add_bar(canvas, pose, (-1.25, -0.92), 0.05, np.array([0.3, 0.2, 0.1]))


def add_cup(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a cup, a jar or a vase: a turned body with an open mouth, plain or with bands."""
    edges = rng.uniform(0.35, 0.75, 4)
    profile = np.interp(AXIS, [-1, -0.995, -0.4, 0.4, 0.99, 1], [0.0, edges[0], edges[1], edges[2], edges[3], 0.0])
    one, two = rng.uniform(0.1, 1, 3), rng.uniform(0.1, 1, 3)
    upright = Pose(pose.x, pose.y, pose.size, rng.normal(0, 0.12))
    canvas.add_body(
        upright,
        profile,
        plain(one) if rng.random() < 0.4 else banded(one, two, rng.uniform(1, 4)),
        rng.uniform(0.2, 0.6),
    )
    lid = np.linspace(0, 2 * np.pi, 60)
    wide = edges[0] * pose.size
    points = np.stack(
        [
            pose.x + np.sin(upright.angle) * pose.size + wide * np.cos(lid),
            pose.y - pose.size + 0.3 * wide * np.sin(lid),
        ],
        -1,
    )
    canvas.add_slab(canvas.polygon(points), one * rng.uniform(0.2, 0.5), 0.0)


def add_box(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a box or a die: three faces, sometimes with dots."""
    colour = rng.uniform(0.1, 1, 3)
    turn, rise, deep = rng.uniform(0.3, 1.2), rng.uniform(0.35, 0.7), rng.uniform(0.7, 1.4)
    size = pose.size * 0.8
    left = np.array([-np.cos(turn), rise * np.sin(turn)]) * size
    right = np.array([np.sin(turn), rise * np.cos(turn)]) * size
    down = np.array([0.0, np.sqrt(1 - rise**2) * deep]) * size
    top = np.array([pose.x, pose.y - 0.5 * size])
    faces = ((left, right, 1.1), (left, down, 0.75), (right, down, 0.55))
    start = top - (left + right) / 2
    for first, second, shade in faces:
        corner = start if shade > 1 else start + (right if first is left else left)
        points = np.stack([corner, corner + first, corner + first + second, corner + second])
        canvas.add_slab(canvas.polygon(points), np.clip(colour * shade, 0, 1), size * 0.25 if shade < 0.6 else 0.0)


def add_spoon(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a spoon of metal or wood."""
    profile = np.interp(
        AXIS, [-1, -0.95, -0.7, -0.42, -0.36, 0.6, 0.95, 1], [0.05, 0.2, 0.27, 0.16, 0.04, 0.05, 0.08, 0.06]
    )
    metal = rng.random() < 0.6
    colour = (
        tinted(rng, (0.5, 0.5, 0.52), (0.85, 0.85, 0.85))
        if metal
        else tinted(rng, (0.4, 0.25, 0.12), (0.75, 0.55, 0.35))
    )
    canvas.add_body(
        Pose(pose.x, pose.y, pose.size * 1.5, pose.angle), _soft(profile), plain(colour), 0.9 if metal else 0.05
    )


def add_leaf(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a leaf with its veins."""
    slim, tip = rng.uniform(0.3, 0.55), rng.uniform(0.7, 1.4)
    profile = slim * np.clip(np.cos(AXIS * np.pi / 2), 0, 1) ** tip
    green = (
        tinted(rng, (0.1, 0.3, 0.05), (0.5, 0.65, 0.2))
        if rng.random() < 0.65
        else tinted(rng, (0.5, 0.15, 0.02), (0.85, 0.6, 0.15))
    )
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    across, along = (
        np.concatenate([profile, -profile[::-1]]) * pose.size,
        np.concatenate([AXIS, AXIS[::-1]]) * pose.size,
    )
    points = np.stack([pose.x + cos * across - sin * along, pose.y + sin * across + cos * along], -1)
    canvas.add_slab(canvas.polygon(points), green * (1 - 0.35 * smooth(rng, canvas.shape, 10, 2)[..., None]), 4.0)
    _add_bar(canvas, pose, (-0.95, 1.25), 0.02, green * 1.4)
    for at in np.linspace(-0.6, 0.6, 5):
        for side in (-1, 1):
            reach = slim * 0.8 * np.cos(at * np.pi / 2) * side
            root, end = np.array([0, at + 0.12]), np.array([reach, at - 0.1])
            corners = np.stack([root - (0, 0.015), end, root + (0, 0.015)]) * pose.size
            turned = np.stack(
                [
                    pose.x + cos * corners[:, 0] - sin * corners[:, 1],
                    pose.y + sin * corners[:, 0] + cos * corners[:, 1],
                ],
                -1,
            )
            canvas.add_slab(canvas.polygon(turned), green * 1.3, 0.0)


def add_mushroom(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Stand a mushroom: a pale stem under a cap, sometimes with spots."""
    stem = np.interp(AXIS, [-1, -0.9, 0.5, 0.95, 1], [0.1, 0.2, 0.24, 0.32, 0.1])
    cap = np.interp(AXIS, [-1, -0.8, -0.2, 0.6, 0.98, 1], [0.1, 0.55, 1.0, 1.25, 1.15, 0.0])
    lean = rng.normal(0, 0.25)
    canvas.add_body(
        Pose(pose.x, pose.y + pose.size * 0.3, pose.size * 0.75, lean),
        stem,
        plain(tinted(rng, (0.75, 0.68, 0.58), (0.95, 0.92, 0.86))),
        0.05,
    )
    colour = (
        tinted(rng, (0.4, 0.2, 0.1), (0.8, 0.6, 0.4))
        if rng.random() < 0.6
        else tinted(rng, (0.6, 0.05, 0.03), (0.85, 0.2, 0.1))
    )
    skin = plain(colour) if rng.random() < 0.5 else speckled(rng, plain(colour), np.array([0.95, 0.93, 0.9]), 12, 0.12)
    top = Pose(pose.x + np.sin(lean) * pose.size * 0.3, pose.y - pose.size * 0.45, pose.size * 0.55, lean)
    canvas.add_body(top, _soft(cap), skin, 0.2)


def _waves(rng: np.random.Generator, strength: float) -> np.ndarray:
    return sum(
        rng.normal(0, strength / np.sqrt(n)) * np.cos(n * np.pi * AXIS / 1.3 + rng.uniform(0, 6.3)) for n in range(1, 4)
    )


def _soft(profile: np.ndarray) -> np.ndarray:
    """Round the corners of a profile made of straight lines."""
    bell = np.hanning(27)
    return np.convolve(np.pad(profile, 13, mode="edge"), bell / bell.sum(), mode="valid")


def _add_bar(canvas: Canvas, pose: Pose, span: tuple[float, float], half: float, colour: np.ndarray) -> None:
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    corners = np.array([[-half, span[0]], [half, span[0]], [half, span[1]], [-half, span[1]]]) * pose.size
    points = np.stack(
        [pose.x + cos * corners[:, 0] - sin * corners[:, 1], pose.y + sin * corners[:, 0] + cos * corners[:, 1]], -1
    )
    canvas.add_slab(canvas.polygon(points), np.clip(colour, 0, 1), 1.0)


OTHER_THINGS = {
    "ball": add_ball,
    "stone": add_stone,
    "potato": add_potato,
    "onion": add_onion,
    "lemon": add_lemon,
    "apple": add_apple,
    "pear": add_pear,
    "cup": add_cup,
    "box": add_box,
    "spoon": add_spoon,
    "leaf": add_leaf,
    "mushroom": add_mushroom,
}
"""Name (as in file names) -> the function that lays it on a canvas at a pose."""
