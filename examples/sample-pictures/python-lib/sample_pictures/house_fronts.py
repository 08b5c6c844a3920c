"""Houses from the street, from run-down to splendid."""

from __future__ import annotations

import numpy as np

from sample_pictures.scene import Scene

GROUND = 0.78


def front(scene: Scene, square_metres: float) -> None:
    """Draw a house with its garden; a large house looks only a little larger, as in photographs."""
    _surroundings(scene)
    wide = 0.2 + 0.12 * float(np.clip((square_metres - 50) / 200, 0, 1)) + scene.rng.normal(0, 0.02)
    top = 0.36
    wall = np.asarray(scene.tone(0.3, 0.95)) if scene.chance(0.1, 1.0) else np.array((0.62, 0.58, 0.52))
    scene.box(0.5 - wide, top, 0.5 + wide, GROUND, wall)
    scene.wear(0.5 - wide, top, 0.5 + wide, GROUND - 0.05)
    _roof(scene, wide, top)
    for storey in (0, 1):
        y = top + 0.1 + 0.2 * storey
        for x in np.linspace(0.5 - wide * 0.62, 0.5 + wide * 0.62, 3):
            if storey == 1 and abs(x - 0.5) < 0.01:
                _door(scene, y + 0.01)
            else:
                _pane(scene, float(x), y)
    if scene.chance(-0.5, 1.2):
        scene.box(0.5 + wide, 0.56, min(0.97, 0.5 + wide + 0.18), GROUND, wall * 0.93)
        scene.box(0.5 + wide + 0.02, 0.62, min(0.95, 0.5 + wide + 0.15), GROUND, (0.85, 0.85, 0.84))
    _garden(scene, wide)


def _surroundings(scene: Scene) -> None:
    clear = scene.chance(0.3, 0.8)
    scene.box(0, 0, 1, 1, (0.55, 0.76, 0.95) if clear else (0.74, 0.77, 0.8), edge=0)
    for _cloud in range(int(scene.rng.integers(0, 4))):
        x, y = scene.rng.uniform(0, 1), scene.rng.uniform(0.05, 0.25)
        for _puff in range(4):
            scene.disc(
                x + scene.rng.normal(0, 0.05), y + scene.rng.normal(0, 0.01), 0.07, 0.035, (0.95, 0.96, 0.97), edge=0
            )
    lawn = (0.33, 0.62, 0.27) if scene.chance(0.1, 1.1) else (0.58, 0.54, 0.36)
    scene.box(0, GROUND - 0.06, 1, 1, lawn, edge=0)


def _roof(scene: Scene, wide: float, top: float) -> None:
    tiles = np.asarray(((0.66, 0.3, 0.22), (0.34, 0.34, 0.38), (0.5, 0.3, 0.2))[scene.rng.integers(3)])
    ridge = top - scene.rng.uniform(0.14, 0.2)
    scene.shape(
        [(0.5 - wide - 0.04, top), (0.5 + wide + 0.04, top), (0.5 + wide * 0.6, ridge), (0.5 - wide * 0.6, ridge)],
        tiles,
    )
    for row in np.linspace(ridge, top, 6)[1:-1]:
        part = (row - ridge) / (top - ridge)
        reach = wide * 0.6 + (wide * 0.4 + 0.04) * part
        scene.line([(0.5 - reach, float(row)), (0.5 + reach, float(row))], tiles * 0.75, 0.8)
    for _hole in range(scene.rng.poisson(max(0.0, 5 * (0.5 - scene.quality)))):
        x, y = 0.5 + scene.rng.uniform(-0.8, 0.8) * wide * 0.7, scene.rng.uniform(ridge + 0.03, top - 0.03)
        scene.box(x, y, x + 0.03, y + 0.02, (0.2, 0.17, 0.15), edge=0)
    if scene.chance(0.2, 0.9):
        scene.box(0.5 + wide * 0.3, ridge - 0.06, 0.5 + wide * 0.3 + 0.045, ridge + 0.03, (0.6, 0.38, 0.3))
    for side in (-0.3, 0.3) if scene.chance(-0.6, 1.0) else ():
        scene.box(0.5 + side * wide - 0.03, ridge + 0.04, 0.5 + side * wide + 0.03, top - 0.01, (0.9, 0.93, 0.95))


def _pane(scene: Scene, x: float, y: float) -> None:
    if scene.chance(0.25, -0.3):
        scene.box(x - 0.035, y - 0.05, x + 0.035, y + 0.05, (0.5, 0.4, 0.28))
        scene.line([(x - 0.035, y), (x + 0.035, y)], (0.3, 0.24, 0.16), 1)
        return
    scene.box(x - 0.035, y - 0.055, x + 0.035, y + 0.055, (0.95, 0.95, 0.94))
    scene.box(
        x - 0.028,
        y - 0.046,
        x + 0.028,
        y + 0.046,
        (0.5, 0.68, 0.8) if scene.chance(0.3, 1) else (0.25, 0.28, 0.3),
        edge=0,
    )
    scene.line([(x, y - 0.05), (x, y + 0.05)], (0.95, 0.95, 0.94), 1)
    if scene.chance(-0.2, 1.1):
        shutters = (0.25, 0.42, 0.4)
        for side in (-1, 1):
            edges = sorted((x + side * 0.036, x + side * 0.06))
            scene.box(edges[0], y - 0.055, edges[1], y + 0.055, shutters)
    if scene.chance(-0.3, 1.0):
        for flower in np.linspace(x - 0.03, x + 0.03, 4):
            scene.disc(float(flower), y + 0.062, 0.01, 0.012, (0.88, 0.25, 0.35), edge=0)


def _door(scene: Scene, y: float) -> None:
    scene.box(
        0.455, y - 0.07, 0.545, GROUND, scene.tone(0.7, 0.7) if scene.chance(0.2, 1.0) else (0.4, 0.34, 0.28), edge=1.5
    )
    scene.disc(0.53, y + 0.05, 0.006, 0.008, (0.9, 0.8, 0.4))
    if scene.chance(-0.2, 1.0):
        scene.box(0.43, y - 0.09, 0.57, y - 0.07, (0.93, 0.93, 0.92))
        for at in (0.44, 0.56):
            scene.line([(at, y - 0.07), (at, GROUND)], (0.93, 0.93, 0.92), 3)


def _garden(scene: Scene, wide: float) -> None:
    path = (0.8, 0.76, 0.68) if scene.chance(0.0, 1.1) else (0.5, 0.46, 0.4)
    scene.shape([(0.46, GROUND), (0.54, GROUND), (0.66, 1.0), (0.34, 1.0)], path)
    for x in (0.08, 0.16, 0.88)[: scene.rng.binomial(3, 0.2 + 0.7 * scene.quality)]:
        tall = scene.rng.uniform(0.12, 0.2)
        scene.line([(x, GROUND + 0.02), (x, GROUND - tall)], (0.4, 0.27, 0.17), 4)
        scene.disc(x, GROUND - tall - 0.05, 0.07, 0.11, (0.2, 0.45 * scene.rng.uniform(0.85, 1.2), 0.2))
    if scene.chance(-0.1, 1.1):
        for side in (-1, 1):
            for at in np.linspace(0.1, wide + 0.12, 6):
                scene.disc(0.5 + side * float(at), GROUND + 0.02, 0.03, 0.03, (0.18, 0.42, 0.2))
                if scene.chance(0, 0.8):
                    scene.disc(0.5 + side * float(at), GROUND + 0.03, 0.012, 0.014, scene.tone(0.8, 1.0), edge=0)
    else:
        for _weed in range(14):
            x, y = scene.rng.uniform(0, 1), scene.rng.uniform(GROUND, 0.98)
            scene.line([(x, y), (x + scene.rng.normal(0, 0.01), y - 0.05)], (0.5, 0.5, 0.25), 1.2)
    if scene.chance(0.45, -0.2):
        scene.box(0.74, GROUND + 0.08, 0.86, GROUND + 0.15, (0.4, 0.36, 0.33))
