"""Kitchens, bathrooms and bedrooms, from run-down to splendid."""

from __future__ import annotations

import numpy as np

from sample_pictures.pen import Colour
from sample_pictures.scene import Scene

LEFT, RIGHT, TOP, FLOOR = 0.1, 0.9, 0.1, 0.68
"""The edges of a room's back wall."""
WHITE, STEEL, GREEN = (0.96, 0.96, 0.94), (0.74, 0.77, 0.8), (0.3, 0.55, 0.28)


def kitchen(scene: Scene) -> None:
    """Draw a kitchen: cabinets, counter, stove; good ones have an island, lamps and a tiled wall."""
    _shell(scene, tiled=scene.chance(0.5, 0.25))
    cabinets, counter = scene.tone(0.35, 0.85) if scene.chance(0.3, 0.7) else scene.wood(), scene.tone(0.1, 0.75)
    if scene.chance(0.1, 0.95):
        _tiles(scene, (LEFT, 0.3, RIGHT, 0.47), scene.tone(0.2, 0.95), 16)
    doors = int(np.clip(scene.between(2, 8), 2, 7))
    left, wide = LEFT + 0.01, (RIGHT - LEFT - 0.02) / 7
    for number in range(doors):
        at = left + number * wide
        scene.box(at, 0.47, at + wide, FLOOR + 0.03, cabinets)
        scene.line([(at + wide * 0.75, 0.5), (at + wide * 0.75, 0.53)], STEEL, 1.6)
        if number < doors - 2 and scene.chance(0.1, 0.95):
            scene.box(at, 0.15, at + wide, 0.3, cabinets)
    scene.box(left, 0.45, left + doors * wide, 0.475, counter)
    stove = left + min(doors - 1, int(scene.rng.integers(0, 4))) * wide
    scene.box(stove, 0.475, stove + wide, FLOOR + 0.03, STEEL if scene.chance(0.05, 0.9) else WHITE)
    scene.box(stove + wide * 0.15, 0.54, stove + wide * 0.85, 0.64, (0.12, 0.12, 0.14))
    if scene.chance(0.0, 0.85):
        hood = stove + wide / 2
        scene.shape([(hood - 0.02, 0.14), (hood + 0.02, 0.14), (hood + 0.07, 0.33), (hood - 0.07, 0.33)], STEEL)
    fridge = STEEL if scene.chance(0.05, 0.95) else WHITE
    scene.box(RIGHT - 0.13, 0.62 - scene.between(0.22, 0.42), RIGHT - 0.01, FLOOR + 0.04, fridge)
    _window(scene, 0.5, 0.28, scene.between(0.06, 0.16), scene.between(0.06, 0.12))
    if scene.chance(-0.3, 1.0):
        scene.box(0.25, 0.78, 0.75, 0.97, cabinets)
        scene.box(0.22, 0.755, 0.78, 0.79, counter)
        for at in (0.33, 0.5, 0.67):
            scene.disc(at, 0.9, 0.045, 0.02, scene.tone(0.5, 0.8))
        if scene.chance(0.2, 0.9):
            _plant(scene, 0.7, 0.755, 0.05)
        _lamps(scene, (0.38, 0.5, 0.62))
    else:
        _table(scene)
        _bulb(scene)


def bathroom(scene: Scene) -> None:
    """Draw a bathroom: tiles, tub or shower curtain, basin and mirror."""
    _shell(scene, tiled=True)
    top = scene.between(0.5, 0.12, 0.15)
    _tiles(
        scene, (LEFT, max(TOP, top), RIGHT, FLOOR), scene.tone(0.25, 0.95), int(np.clip(scene.between(18, 7), 6, 20))
    )
    scene.wear(LEFT, TOP, RIGHT, FLOOR)
    if scene.chance(0.05, 0.95):
        _window(scene, 0.36, 0.28, scene.between(0.05, 0.15), scene.between(0.05, 0.13))
    if scene.chance(-0.1, 1.1):
        scene.disc(0.36, 0.72, 0.22, 0.1, WHITE)
        scene.disc(0.36, 0.665, 0.22, 0.045, (0.82, 0.9, 0.93))
        scene.line([(0.55, 0.66), (0.55, 0.52), (0.51, 0.52)], (0.8, 0.68, 0.3) if scene.chance(0, 0.7) else STEEL, 2.2)
    else:
        scene.box(0.14, 0.62, 0.52, 0.8, WHITE)
        curtain = scene.tone(0.4, 0.8)
        for fold in range(6):
            scene.box(0.14 + fold * 0.05, 0.16, 0.19 + fold * 0.05, 0.66, np.asarray(curtain) * (1 - 0.12 * (fold % 2)))
    wide = scene.between(0.06, 0.15)
    scene.box(0.72 - wide, 0.56, 0.72 + wide, 0.76, scene.wood() if scene.chance(0, 0.9) else (0.8, 0.8, 0.78))
    scene.disc(0.72, 0.56, wide * 0.8, 0.03, WHITE)
    half = scene.between(0.05, 0.13)
    if scene.chance(0.0, 0.6):
        scene.disc(0.72, 0.34, half, half * 1.2, (0.78, 0.88, 0.93), edge=2)
    else:
        scene.box(0.72 - half, 0.22, 0.72 + half, 0.47, (0.78, 0.88, 0.93), edge=2)
    for at in np.linspace(0.6, 0.84, 3)[: scene.rng.binomial(3, scene.quality)]:
        scene.disc(float(at), 0.18, 0.018, 0.025, (1.0, 0.93, 0.7))
    if scene.chance(0.0, 0.9):
        _plant(scene, 0.9, 0.86, 0.09)
    for place in range(scene.rng.binomial(3, scene.quality)):
        scene.box(0.56 + 0.035 * place, 0.6, 0.59 + 0.035 * place, 0.72, scene.tone(0.5, 0.9))
    if scene.chance(0.0, 0.8):
        scene.disc(0.5, 0.9, 0.2, 0.05, scene.tone(0.4, 0.85))
    else:
        _bulb(scene)


def bedroom(scene: Scene) -> None:
    """Draw a bedroom: bed, window, lamps, pictures; poor ones have a mattress on the floor."""
    _shell(scene, tiled=False)
    _window(
        scene, scene.rng.uniform(0.25, 0.35), 0.33, scene.between(0.06, 0.15), scene.between(0.07, 0.17), curtains=True
    )
    for at in np.linspace(0.55, 0.82, 3)[: scene.rng.binomial(3, scene.quality)]:
        half = scene.rng.uniform(0.025, 0.045)
        scene.box(at - half, 0.24 - half, at + half, 0.24 + half * 1.6, scene.tone(0.6, 0.9), edge=2)
    if scene.chance(-0.1, 1.0):
        rug = scene.tone(0.5, 0.8)
        scene.disc(0.52, 0.88, 0.36, 0.09, rug)
        scene.disc(0.52, 0.88, 0.28, 0.06, np.clip(np.asarray(rug) * 1.25, 0, 1))
    cover, wide, x = scene.tone(0.5, 0.9), scene.between(0.11, 0.24), 0.56
    raised = scene.chance(-0.1, 1.4)
    base = 0.9 if raised else 0.93
    if raised:
        head = scene.between(0.48, 0.36)
        scene.box(
            x - wide - 0.02,
            head,
            x + wide + 0.02,
            0.8,
            scene.wood() if scene.chance(0.7, 0.4) else scene.tone(0.4, 0.7),
        )
    top = 0.62 if raised else 0.76
    scene.shape([(x - wide, top), (x + wide, top), (x + wide + 0.05, base), (x - wide - 0.05, base)], WHITE)
    scene.shape(
        [
            (x - wide - 0.014, top + 0.07),
            (x + wide + 0.014, top + 0.07),
            (x + wide + 0.05, base),
            (x - wide - 0.05, base),
        ],
        cover,
    )
    scene.box(x - wide - 0.05, base, x + wide + 0.05, base + 0.03, np.asarray(cover) * 0.8)
    pillows = 1 + scene.rng.binomial(4, scene.quality)
    for at in np.linspace(x - wide * 0.7, x + wide * 0.7, pillows) if pillows > 1 else [x]:
        scene.disc(float(at), top + 0.02, wide * 0.3, 0.03, WHITE if scene.chance(1, 0.5) else scene.tone(0.5, 0.95))
    for side in (-1, 1):
        if scene.chance(0.0, 0.95):
            at = x + side * (wide + 0.09)
            scene.box(at - 0.045, 0.63, at + 0.045, 0.76, scene.wood())
            scene.line([(at, 0.63), (at, 0.55)], STEEL, 2)
            scene.shape([(at - 0.025, 0.5), (at + 0.025, 0.5), (at + 0.04, 0.57), (at - 0.04, 0.57)], (1.0, 0.9, 0.62))
    if scene.chance(0.0, 0.85):
        _plant(scene, 0.14, 0.84, 0.1)
    else:
        _bulb(scene)


def _shell(scene: Scene, *, tiled: bool) -> None:
    """Draw ceiling, walls and floor."""
    wall = np.asarray(scene.tone(0.22, 0.92)) if scene.quality > 0.15 else np.array((0.72, 0.69, 0.6))
    ceiling = np.clip(wall * 0.5 + 0.46, 0, 1)
    scene.box(0, 0, 1, 1, wall, edge=0)
    scene.shape([(0, 0), (1, 0), (RIGHT, TOP), (LEFT, TOP)], ceiling)
    scene.shape([(0, 0), (LEFT, TOP), (LEFT, FLOOR), (0, 1)], wall * 0.88)
    scene.shape([(1, 0), (RIGHT, TOP), (RIGHT, FLOOR), (1, 1)], wall * 0.94)
    floor = np.asarray(
        scene.tone(0.12, 0.8) if tiled else scene.wood() if scene.chance(0.2, 1.0) else (0.5, 0.48, 0.44)
    )
    scene.shape([(0, 1), (LEFT, FLOOR), (RIGHT, FLOOR), (1, 1)], floor)
    for along in np.linspace(-1.2, 2.2, 22):
        scene.line([(0.5 + (along - 0.5) * 0.8, FLOOR), (0.5 + (along - 0.5) * 1.25, 1)], floor * 0.75, 0.7)
    if tiled:
        for depth in (0.71, 0.75, 0.8, 0.87, 0.95):
            scene.line([(0, depth), (1, depth)], floor * 0.75, 0.7)
    scene.shape([(0, 0.7), (LEFT, FLOOR - 0.1), (LEFT, FLOOR), (0, 1)], wall * 0.88)
    scene.shape([(1, 0.7), (RIGHT, FLOOR - 0.1), (RIGHT, FLOOR), (1, 1)], wall * 0.94)
    scene.wear(LEFT, TOP, RIGHT, FLOOR)
    skirting = WHITE if scene.chance(0.1, 0.95) else tuple(wall * 0.7)
    scene.box(LEFT, FLOOR - 0.02, RIGHT, FLOOR, skirting, edge=0.5)


def _tiles(scene: Scene, area: tuple[float, float, float, float], colour: Colour, many: int) -> None:
    left, top, right, bottom = area
    scene.box(left, top, right, bottom, colour, edge=0.5)
    step = (right - left) / many
    joint = np.asarray(colour) * (0.6 + 0.28 * scene.quality)
    for across in np.arange(left, right, step):
        scene.line([(float(across), top), (float(across), bottom)], joint, 0.6)
    for down in np.arange(top, bottom, step * 1.3):
        scene.line([(left, float(down)), (right, float(down))], joint, 0.6)
    for _missing in range(scene.rng.poisson(max(0.0, 5 * (0.5 - scene.quality)))):
        across = left + step * scene.rng.integers(0, many)
        down = top + step * 1.3 * scene.rng.integers(0, max(1, int((bottom - top) / (step * 1.3))))
        scene.box(across, down, across + step, min(bottom, down + step * 1.3), (0.5, 0.46, 0.4), edge=0)


def _window(scene: Scene, x: float, y: float, wide: float, high: float, *, curtains: bool = False) -> None:
    """Draw a window; behind good ones there is green."""
    wide, high = max(wide, 0.04), max(high, 0.05)
    frame = WHITE if scene.chance(0.3, 0.9) else scene.wood()
    scene.box(x - wide, y - high, x + wide, y + high, frame)
    sky = (0.62, 0.82, 0.97) if scene.chance(0.3, 1.0) else (0.66, 0.68, 0.7)
    scene.box(x - wide * 0.9, y - high * 0.88, x + wide * 0.9, y + high * 0.88, sky, edge=0)
    if scene.chance(0.0, 0.9):
        scene.box(x - wide * 0.9, y + high * 0.3, x + wide * 0.9, y + high * 0.88, GREEN, edge=0)
    scene.line([(x, y - high), (x, y + high)], frame, 1.5)
    if curtains and scene.chance(0.0, 1.0):
        cloth = scene.tone(0.5, 0.9)
        for side in (-1, 1):
            edges = sorted((x + side * wide * 0.75, x + side * wide * 1.35))
            scene.box(edges[0], y - high * 1.15, edges[1], y + high * 1.4, cloth)
    elif scene.chance(0.35, 0.0):
        scene.line(
            [(x - wide * 0.8, y - high * 0.8), (x, y), (x + wide * 0.2, y + high * 0.7)], (0.95, 0.95, 0.95), 0.8
        )


def _plant(scene: Scene, x: float, ground: float, tall: float) -> None:
    for turn in scene.rng.uniform(-1.1, 1.1, 9):
        tip = (x + tall * float(np.sin(turn)), ground - tall * (0.6 + float(np.cos(turn))))
        scene.line([(x, ground - tall * 0.4), tip], (0.2, 0.5 * scene.rng.uniform(0.8, 1.2), 0.22), 3)
    scene.box(x - tall * 0.3, ground - tall * 0.45, x + tall * 0.3, ground, scene.tone(0.5, 0.85))


def _lamps(scene: Scene, places: tuple[float, ...]) -> None:
    shade = scene.tone(0.6, 0.8)
    for at in places:
        scene.line([(at, 0.0), (at, 0.2)], (0.2, 0.2, 0.2), 0.8)
        scene.shape([(at - 0.015, 0.2), (at + 0.015, 0.2), (at + 0.04, 0.26), (at - 0.04, 0.26)], shade)
        scene.disc(at, 0.265, 0.018, 0.012, (1.0, 0.93, 0.65), edge=0)


def _bulb(scene: Scene) -> None:
    at = scene.rng.uniform(0.4, 0.6)
    scene.line([(at, 0.0), (at, 0.16)], (0.2, 0.2, 0.2), 0.8)
    scene.disc(at, 0.18, 0.013, 0.02, (0.98, 0.9, 0.6))


def _table(scene: Scene) -> None:
    top = scene.wood()
    for at in (0.36, 0.62):
        scene.line([(at, 0.82), (at, 0.98)], np.asarray(top) * 0.7, 3)
    scene.box(0.32, 0.8, 0.66, 0.83, top)
