"""Pictures of eggs and of other things, on the same tables, plates and nests, in the same light."""

from __future__ import annotations

import numpy as np

from sample_pictures.camera import picture_size, to_jpeg
from sample_pictures.canvas import Canvas, Light, Pose
from sample_pictures.eggs import add_egg, add_fried_egg, add_half_egg
from sample_pictures.grounds import add_nest, add_plate, ground
from sample_pictures.other_things import OTHER_THINGS

BYSTANDERS = ("leaf", "spoon", "cup")
"""Things that may lie beside what the picture is about, in both classes."""


def egg_or_not(rng: np.random.Generator, index: int) -> tuple[str, str, bytes]:
    """Return (folder, stem of the file name, JPEG) of a picture: eggs when `index` is even, other things else."""
    height, width = picture_size(rng)
    canvas = Canvas(ground(rng, (height, width)), Light.drawn(rng))
    places = _places(rng, height, width)
    _lay_rest(rng, canvas, places)
    if rng.random() < 0.12:
        name = BYSTANDERS[rng.integers(len(BYSTANDERS))]
        corner = Pose(*_corner(rng, height, width), rng.uniform(0.1, 0.16) * height, rng.uniform(0, 6.3))
        OTHER_THINGS[name](rng, canvas, corner)
    if index % 2 == 0:
        cooked = rng.random()
        lay = add_fried_egg if cooked < 0.08 else add_half_egg if cooked < 0.16 else add_egg
        for pose in places:
            lay(rng, canvas, pose)
        return "egg", "egg", to_jpeg(rng, canvas.pixels)
    name = list(OTHER_THINGS)[rng.integers(len(OTHER_THINGS))]
    for pose in places:
        OTHER_THINGS[name](rng, canvas, pose)
    return "not_egg", name, to_jpeg(rng, canvas.pixels)


def _places(rng: np.random.Generator, height: int, width: int) -> list[Pose]:
    """Return where one to four things of like size lie, the farthest first, hardly overlapping."""
    many = int(rng.choice([1, 2, 3, 4], p=[0.7, 0.17, 0.09, 0.04]))
    size = min(height, width) * rng.uniform(0.3, 0.43) / many**0.4
    centre = np.array([width, height]) / 2 + rng.normal(0, 0.07, 2) * (width, height)
    found: list[np.ndarray] = []
    for _attempt in range(60):
        point = centre + (rng.normal(0, 0.1, 2) if many == 1 else rng.uniform(-0.34, 0.34, 2)) * (width, height)
        if all(np.hypot(*(point - other)) > size * 1.45 for other in found):
            found.append(point)
        if len(found) == many:
            break
    turns = rng.uniform(0, 2 * np.pi, len(found))
    ordered = sorted(found, key=lambda point: point[1])
    return [Pose(x, y, size * rng.uniform(0.88, 1.12), turn) for (x, y), turn in zip(ordered, turns, strict=True)]


def _lay_rest(rng: np.random.Generator, canvas: Canvas, places: list[Pose]) -> None:
    x, y = float(np.mean([pose.x for pose in places])), float(np.mean([pose.y for pose in places]))
    reach = max(np.hypot(pose.x - x, pose.y - y) + pose.size for pose in places)
    rest = rng.random()
    if rest < 0.15:
        add_plate(rng, canvas, x, y, reach * rng.uniform(1.2, 1.7))
    elif rest < 0.28:
        add_nest(rng, canvas, x, y, reach * rng.uniform(1.0, 1.3))


def _corner(rng: np.random.Generator, height: int, width: int) -> tuple[float, float]:
    return width * float(rng.choice([0.1, 0.9])), height * float(rng.choice([0.12, 0.88]))
