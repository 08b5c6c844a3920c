"""Houses for sale, each with four photos and a row of facts a photo: their price depends on both."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np

from sample_pictures.house_fronts import front
from sample_pictures.rooms import bathroom, bedroom, kitchen
from sample_pictures.scene import Scene

TABLE = "/houses.csv"
COLUMNS = ("path", "house", "room", "square_metres", "town", "year", "price")
ROOMS = {"kitchen": kitchen, "bathroom": bathroom, "bedroom": bedroom}
VIEWS = ("front", *ROOMS)
TOWNS = {"Lakeside": 3600, "Milltown": 1900, "Northfield": 2400, "Old Harbour": 3100, "Rosendale": 1500}
"""Price of a square metre of a middling house."""
_HOUSES = 17


@dataclass(frozen=True)
class House:
    """What is known of a house, and `quality`, 0 to 1, which only its photos show."""

    square_metres: int
    town: str
    year: int
    quality: float
    price: int


def house(seed: int, number: int) -> House:
    """Return the facts of a house: size times the town's price, times 0.55 to 1.55 for its looks, and for its age."""
    rng = np.random.default_rng([seed, number, _HOUSES])
    size, town, year = int(rng.uniform(45, 210)), str(rng.choice(list(TOWNS))), int(rng.integers(1900, 2025))
    quality = float(rng.beta(1.3, 1.3))
    price = (
        size * TOWNS[town] * (0.55 + 1.0 * quality) * (0.85 + 0.3 * (year - 1900) / 124) * np.exp(rng.normal(0, 0.05))
    )
    return House(size, town, year, quality, round(price / 500) * 500)


def view(index: int) -> str:
    """Return what the photo with this number shows: each house has four in turn."""
    return VIEWS[index % len(VIEWS)]


def photo(rng: np.random.Generator, seed: int, index: int) -> bytes:
    """Return the JPEG of a photo of the house whose turn it is."""
    facts = house(seed, index // len(VIEWS))
    scene = Scene(rng, facts.quality)
    shown = view(index)
    if shown == "front":
        front(scene, facts.square_metres)
    else:
        ROOMS[shown](scene)
    return scene.jpeg()


def table(paths: list[str], seed: int) -> bytes:
    """Return the table of the first photos that a seed draws, as CSV: a row for each photo."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for index, path in enumerate(paths):
        facts = house(seed, index // len(VIEWS))
        name = path.strip("/").rpartition("_")[0]
        writer.writerow((path.lstrip("/"), name, view(index), facts.square_metres, facts.town, facts.year, facts.price))
    return stream.getvalue().encode()
