"""The labels that a network gives to a few pictures under each scaling that it may have been trained with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from vision_recipes.errors import PictureFolderError
from vision_recipes.images.reading import hidden, list_pictures, read
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.checks import score_ir
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import CHANNELS, SCALINGS, Preprocessing, normalise
from vision_recipes.stores import Store

MOST_PICTURES = 6
_TRIED = 50
"""How many files are tried at most until there are MOST_PICTURES pictures among them."""

Answer = Callable[[np.ndarray], np.ndarray]
"""From what the network takes, float32 (n, height, width, channels), to probabilities float32 (n, classes)."""


@dataclass(frozen=True)
class Trial:
    """What one scaling gives: the best label and its probability for each picture."""

    scaling: str
    answers: tuple[tuple[str, str, float], ...]

    def __str__(self) -> str:
        return "; ".join(f"{path.lstrip('/')} {label} {probability:.0%}" for path, label, probability in self.answers)


def try_scalings(
    pictures: Store, chosen: Preprocessing, labels: Sequence[str], answer: Answer, *, known: bool
) -> list[Trial]:
    """Return what each scaling gives for the first pictures of a folder; a `known` one, the chosen one, comes first."""
    seen = _pictures(pictures, chosen)
    pixels = np.stack([picture.pixels for picture in seen if picture.pixels is not None])
    trials = []
    for name, candidate in _candidates(chosen, known=known).items():
        scores = answer(normalise(pixels, candidate))
        best = [(labels[place], float(row[place])) for row, place in zip(scores, scores.argmax(axis=1), strict=True)]
        trials.append(Trial(name, tuple((seen[i].path, *found) for i, found in enumerate(best))))
    return trials


def answer_of_ir(model: Model, workdir: Path) -> Answer:
    """Return the same for a model folder in colour, whose own scaling is undone before its IR does it."""
    size = model.preprocessing
    mean, std = np.asarray(size.mean, np.float32), np.asarray(size.std, np.float32)

    def answer(values: np.ndarray) -> np.ndarray:
        pixels = values * std + mean
        return score_ir(model.ir(workdir), pixels[..., ::-1] if size.channels == "bgr" else pixels)

    return answer


def _candidates(chosen: Preprocessing, *, known: bool) -> dict[str, Preprocessing]:
    colours = CHANNELS[chosen.channels]
    named = {
        name: replace(
            Preprocessing.named(name, chosen.width, chosen.height, channels=colours),
            resize=chosen.resize,
            crop_fraction=chosen.crop_fraction,
        )
        for name, (_order, mean, _std) in SCALINGS.items()
        if colours == 3 or len(set(mean)) == 1
    }
    own = next((name for name, candidate in named.items() if candidate == chosen), "numbers") if known else ""
    # the labels under "lite" are those under "tf", from which it differs by half a grey level
    others = {name: value for name, value in named.items() if name not in (own, "lite")}
    return {f"{own}, as imported": chosen} | others if known else others


def _pictures(store: Store, preprocessing: Preprocessing) -> list[Picture]:
    paths = [path for path in list_pictures(store) if not hidden(path)]
    usable = (picture for picture in read(store, paths[:_TRIED], preprocessing) if picture.pixels is not None)
    found = list(islice(usable, MOST_PICTURES))
    if not found:
        raise PictureFolderError(
            f"sample_folder: {store.name!r} has no picture that can be read among its first {_TRIED} files. Choose "
            "a folder with some photos, or leave sample_folder empty."
        )
    return found
