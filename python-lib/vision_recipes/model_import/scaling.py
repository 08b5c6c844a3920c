"""How an imported network wants its pictures: as the settings say, or as its name suggests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vision_recipes.errors import SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_folder import catalogue
from vision_recipes.preprocessing import Preprocessing, check_preprocessing

OTHER_SCALINGS = {"squeezenet": "caffe"}
"""Scalings of networks that are not in the catalogue, by the start of their name."""

Shape = tuple[int, int, int]
"""Height, width and channels of a network's input."""


@dataclass(frozen=True)
class Scaling:
    """A preprocessing, and a sentence for people when it is only a guess; `known` is False when there was no clue."""

    preprocessing: Preprocessing
    guess: str = ""
    known: bool = True


def scaled(settings: ImportSettings, usual: str, shape: Shape, resize: str = "squash") -> Preprocessing:
    """Return the preprocessing that the settings choose, with the `usual` scaling and resizing for "auto"."""
    height, width, channels = shape
    scaling = usual if settings.preprocessing == "auto" else settings.preprocessing
    if settings.image_resize != "auto":
        resize = settings.image_resize
    if scaling == "numbers":
        order = "grey" if channels == 1 else settings.channels
        mean, std = _numbers("mean", settings.mean, channels), _numbers("std", settings.std, channels)
        _require_scale(mean, std)
        made = Preprocessing(width, height, order, mean, std, resize)
    else:
        made = Preprocessing.named(scaling, width, height, channels=channels, resize=resize)
    made = replace(made, crop_fraction=settings.crop_fraction)
    try:
        check_preprocessing(made)
    except ValueError as err:
        raise SettingsError(
            f"preprocessing: {err}. Set preprocessing, mean, std, image_resize and crop_fraction to fit."
        ) from err
    return made


def recognise(settings: ImportSettings, shape: Shape, names: Sequence[str], where: str) -> Scaling:
    """Return the preprocessing of a network whose file does not say it, chosen or guessed.

    `names` are those of the network, of networks in it and of its file. Raises SettingsError when there is no clue and
    no `sample_folder` to try the scalings on.
    """
    if settings.preprocessing != "auto":
        return Scaling(scaled(settings, "", shape))
    name, scaling = scaling_by_name(names)
    if scaling:
        return Scaling(scaled(settings, scaling, shape), _guess(scaling, name))
    if not settings.sample_folder:
        raise SettingsError(
            f"preprocessing: {where} does not say how its pictures are scaled. Choose caffe, tf (-1 to 1), torch, "
            "zero_to_one or raw, as the network was trained with, or give numbers. With a folder of pictures as "
            "sample_folder you see the labels under each."
        )
    return Scaling(scaled(settings, "raw", shape), known=False)


def _guess(scaling: str, name: str) -> str:
    return (
        f"the scaling of pictures, {scaling}, is a guess from the name {name[:60]!r}: the file does not say it. If the "
        "network was trained with pictures divided by 255, import it again with preprocessing zero_to_one; with "
        "pictures in sample_folder you see the labels under each scaling"
    )


def scaling_by_name(names: Sequence[str]) -> tuple[str, str]:
    """Return the first name that starts as a known network's does, and that network's scaling; else two empty texts."""
    rows = catalogue.architectures().values()
    table = {row.name.lower().replace("_", ""): row.preprocessing for row in rows} | OTHER_SCALINGS
    for name in names:
        plain = re.sub("[^a-z0-9]", "", name.lower())
        starts = [start for start in table if plain.startswith(start)]
        if starts:
            return name, table[max(starts, key=len)]
    return "", ""


def _require_scale(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    """Raise SettingsError for numbers that are meant for values of 0 to 1, as PyTorch writes them."""
    if max(std) < 1 and max(map(abs, mean)) <= 1 and min(std) > 0:
        times = ", ".join(f"{255 * value:.5g}" for value in std)
        raise SettingsError(
            f"mean, std: {', '.join(map(str, mean))} and {', '.join(map(str, std))} are for values from 0 to 1, but "
            f"they are given for 0 to 255. Multiply both by 255 (std {times}); ImageNet's are preprocessing torch."
        )


def _numbers(name: str, text: str, channels: int) -> tuple[float, ...]:
    """Return one number for each channel; for a grey network three equal ones are one."""
    try:
        values = tuple(float(part) for part in re.split(r"[,;\s]+", text.strip(" []()")))
    except ValueError as err:
        raise SettingsError(f"{name}: {text!r} is not numbers such as 123.7, 116.8, 103.9.") from err
    if channels == 1 and len(set(values)) == 1:
        values = values[:1]
    if len(values) != channels or not all(abs(value) < 1e6 for value in values):
        needed = "three numbers, one per channel" if channels == 3 else "one number, since the network takes grey"
        raise SettingsError(f"{name}: {text!r} is not {needed}, of ordinary size.")
    return values
