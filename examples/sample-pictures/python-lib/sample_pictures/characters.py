"""Six invented cartoon characters and how each is posed, dressed, lit and half hidden in a picture."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
from PIL import Image

from sample_pictures.backdrops import add_cover, backdrop
from sample_pictures.camera import picture_size, to_jpeg
from sample_pictures.features import BEFORE, BEHIND
from sample_pictures.pen import FINE, Colour, Pen


@dataclass(frozen=True)
class Character:
    """One design: colours (RGB 0..1; clothes a hue), head and body (half width and height), features with colours."""

    name: str
    skin: Colour
    clothes: float
    head: tuple[float, float]
    body: tuple[float, float]
    features: tuple[tuple[str, Colour], ...]
    eyes: tuple[float, ...] = (-0.4, 0.4)
    skirt: bool = False
    tail: bool = False


RED_HAIR, BLACK_HAIR, DARK = (0.75, 0.25, 0.08), (0.13, 0.1, 0.12), (0.16, 0.15, 0.2)

CHARACTERS = (
    Character(
        "lisa",
        (0.98, 0.82, 0.7),
        0.35,
        (0.4, 0.4),
        (0.28, 0.36),
        (("curls", RED_HAIR), ("fringe", RED_HAIR), ("freckles", (0.8, 0.5, 0.35)), ("glasses", DARK)),
        skirt=True,
    ),
    Character(
        "bruno",
        (0.55, 0.36, 0.2),
        0.0,
        (0.44, 0.4),
        (0.4, 0.42),
        (("round ears", (0.5, 0.32, 0.18)), ("snout", (0.6, 0.42, 0.28))),
    ),
    Character(
        "mira",
        (0.55, 0.36, 0.25),
        0.13,
        (0.38, 0.41),
        (0.26, 0.36),
        (("buns", BLACK_HAIR), ("parting", BLACK_HAIR)),
        skirt=True,
    ),
    Character(
        "kito",
        (0.93, 0.6, 0.25),
        0.6,
        (0.42, 0.36),
        (0.26, 0.38),
        (("pointed ears", (0.9, 0.55, 0.22)), ("whiskers", DARK)),
        tail=True,
    ),
    Character(
        "otto",
        (0.96, 0.8, 0.7),
        0.65,
        (0.34, 0.46),
        (0.34, 0.48),
        (("moustache", (0.35, 0.22, 0.12)), ("bowler", DARK)),
    ),
    Character(
        "zuzu",
        (0.45, 0.78, 0.55),
        0.8,
        (0.46, 0.36),
        (0.22, 0.34),
        (("antennae", (0.95, 0.85, 0.3)),),
        eyes=(-0.52, 0.0, 0.52),
    ),
)
"""Every character, in the order in which they take turns."""


def cartoon_character(rng: np.random.Generator, index: int) -> tuple[str, bytes]:
    """Return (name, JPEG) of a picture of the character whose turn it is."""
    character = CHARACTERS[index % len(CHARACTERS)]
    height, width = picture_size(rng)
    picture = backdrop(rng, (height * FINE, width * FINE))
    tall = min(height, width * 1.1) * rng.uniform(0.36, 0.54)
    pen = Pen(
        picture,
        width * rng.uniform(0.3, 0.7),
        height * rng.uniform(0.42, 0.62),
        tall,
        rng.normal(0, 0.12),
        float(rng.choice([-1, 1])),
        rng.uniform(0.018, 0.04),
    )
    _draw(rng, pen, character)
    if rng.random() < 0.3:
        add_cover(rng, picture, (pen.x * FINE, pen.y * FINE), tall * FINE)
    small = picture.resize((width, height), Image.Resampling.BOX)
    tint = rng.normal(1, 0.06, 3) * rng.uniform(0.8, 1.1)
    return character.name, to_jpeg(rng, np.asarray(small, np.float32) / 255 * tint)


def _draw(rng: np.random.Generator, pen: Pen, who: Character) -> None:
    """Draw from back to front: tail, legs, body, arms, head; the waist is the origin, the whole about 2 high."""
    skin = np.clip(np.asarray(who.skin) * rng.uniform(0.9, 1.08), 0, 1)
    cloth = _cloth(rng, who)
    trousers = skin if who.skirt else np.asarray(cloth) * 0.55
    wide, high = np.asarray(who.body) * rng.uniform(0.9, 1.1, 2)
    bend = rng.normal(0, 0.25, 8)
    if who.tail:
        pen.tube([(0.1, 0.25), (0.45, 0.35), (0.6 + 0.3 * bend[7], 0.0), (0.75, -0.25 + bend[6])], 0.1, skin)
    for side, swing in ((-1, bend[0]), (1, bend[1])):
        knee, foot = (side * 0.16 + 0.3 * swing, 0.5), (side * 0.2 + 0.45 * swing, 0.78)
        pen.tube([(side * 0.13, 0.25), knee, foot], 0.14, trousers)
        pen.blob(foot[0] + 0.07, foot[1] + 0.05, 0.15, 0.08, (0.25, 0.17, 0.15))
    far, near = (_arm(rng, side, wide, high) for side in (-1, 1))
    pen.tube(far, 0.12, skin)
    if who.skirt:
        pen.shape([(-wide * 0.7, -high), (wide * 0.7, -high), (wide * 1.5, high), (-wide * 1.5, high)], cloth)
    else:
        pen.blob(0, -0.02, wide, high, cloth)
    if rng.random() < 0.35:
        for stripe in (-0.4, 0.0, 0.4):
            pen.stroke([(-wide * 0.7, high * stripe), (wide * 0.7, high * stripe)], width=2, colour=(0.95, 0.95, 0.9))
    pen.tube(near[:2], 0.13, cloth)
    pen.tube(near[1:], 0.12, skin)
    head = pen.at(0, -high - who.head[1] * 0.8, turn=rng.normal(0, 0.16))
    _head(rng, head, who, skin)


def _cloth(rng: np.random.Generator, who: Character) -> Colour:
    """Return today's clothes: mostly a shade of the usual colour, sometimes any other."""
    hue = who.clothes + rng.normal(0, 0.05) if rng.random() < 0.85 else rng.random()
    return colorsys.hsv_to_rgb(hue % 1, rng.uniform(0.35, 0.9), rng.uniform(0.4, 0.95))


def _arm(rng: np.random.Generator, side: int, wide: float, high: float) -> list[tuple[float, float]]:
    shoulder = (side * wide * 0.75, -high * 0.6)
    turn = rng.uniform(-1.1, 1.2)
    elbow = (shoulder[0] + side * 0.26 * np.cos(turn), shoulder[1] + 0.26 * np.sin(turn))
    turn += rng.normal(0, 0.6)
    return [shoulder, elbow, (elbow[0] + side * 0.26 * np.cos(turn), elbow[1] + 0.26 * np.sin(turn))]


def _head(rng: np.random.Generator, pen: Pen, who: Character, skin: np.ndarray) -> None:
    wide, high = np.asarray(who.head) * rng.uniform(0.93, 1.07, 2)
    unit = pen.at(0, 0, scale=float(wide + high) / 2)
    for name, colour in who.features:
        if name in BEHIND:
            BEHIND[name](unit, np.asarray(colour) * rng.uniform(0.9, 1.1))
    pen.blob(0, 0, wide, high, skin)
    look = rng.uniform(-0.07, 0.07, 2)
    mood = rng.random()
    for x in who.eyes:
        if mood < 0.12:
            unit.arc(x, -0.05, 0.18, 0.1, (0.2, np.pi - 0.2), width=2)
            continue
        unit.blob(x, -0.05, 0.22, 0.27, (1, 1, 1))
        unit.blob(x + look[0], -0.05 + look[1], 0.1, 0.13, (0.08, 0.06, 0.08), outline=False)
    if mood < 0.6:
        unit.arc(0, 0.4, 0.36, 0.24, (0.25, np.pi - 0.25), width=2)
    elif mood < 0.8:
        unit.blob(0, 0.6, 0.17, 0.2, (0.55, 0.12, 0.15))
    else:
        unit.arc(0, 0.75, 0.28, 0.16, (np.pi + 0.3, 2 * np.pi - 0.3), width=2)
    for name, colour in who.features:
        if name in BEFORE:
            BEFORE[name](unit, np.asarray(colour) * rng.uniform(0.9, 1.1))
