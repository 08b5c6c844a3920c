"""Sample pictures, drawn here and now from numbers: everything can be tried offline, without anybody's photos."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vision_recipes.errors import SettingsError

SAMPLES = ("egg-or-not", "cartoon-characters")
"""What can be drawn: two folders of still lifes, or one folder with the character's name in each file name."""


def draw(sample: str, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` pictures as (path with a leading slash, JPEG); the same seed gives the same bytes.

    Classes take turns, so they are balanced however many are drawn. The same picture numbers of two seeds show other
    pictures and never have the same file name, so both fit into one folder: seed 1 counts 0001, 0002 …, any other seed
    stands in front of six digits (seed 2: 2000001, 2000002 …).
    """
    from vision_recipes.samples.characters import cartoon_character
    from vision_recipes.samples.still_life import egg_or_not

    if sample not in SAMPLES:
        raise SettingsError(f"sample: {sample!r} is none of {', '.join(SAMPLES)}")
    for index in range(count):
        rng = np.random.default_rng([SAMPLES.index(sample), seed, index])
        number = f"{index + 1:04d}" if seed == 1 else f"{seed}{index + 1:06d}"
        if sample == "egg-or-not":
            folder, stem, jpeg = egg_or_not(rng, index)
            yield f"/{folder}/{stem}_{number}.jpg", jpeg
        else:
            name, jpeg = cartoon_character(rng, index)
            yield f"/{name}_pic_{number}.jpg", jpeg
