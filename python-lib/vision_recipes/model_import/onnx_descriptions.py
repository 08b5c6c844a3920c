"""What JSON files beside an ONNX file tell of it: preprocessor_config.json and config.json of Hugging Face and timm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError

PREPROCESSOR, CONFIG = "preprocessor_config.json", "config.json"
RESIZES = {"center": "crop", "squash": "squash", "border": "pad"}
"""timm's words for the fit of pictures, and ours."""


@dataclass(frozen=True)
class Description:
    """How pictures are prepared, in units of 0..255, and the labels; what is not told is empty.

    `sides` is (height, width), `source` the file that tells the scaling.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    channels: str = "rgb"
    sides: tuple[int, ...] = ()
    resize: str = "squash"
    crop_fraction: float = 1.0
    labels: tuple[str, ...] = ()
    classes: int = 0
    source: str = ""
    notes: tuple[str, ...] = ()


def describe(files: Mapping[str, bytes], folder: str) -> Description:
    """Return what the files (by name: PREPROCESSOR, CONFIG) tell. Raises ModelFolderError for what makes no sense."""
    found: dict[str, Any] = {}
    try:
        if CONFIG in files:
            found |= _read_config(_parse(files[CONFIG], CONFIG, folder))
        if PREPROCESSOR in files:
            found |= _read_preprocessor(_parse(files[PREPROCESSOR], PREPROCESSOR, folder))
        return Description(**found)
    except (ValueError, TypeError, KeyError, ZeroDivisionError) as err:
        raise ModelFolderError(
            f"The JSON files beside the model in {folder!r} ({', '.join(files)}) are not as transformers and timm "
            f"write them ({str(err)[:200]}). Correct or remove them, and give preprocessing as a parameter."
        ) from err


def _parse(content: bytes, name: str, folder: str) -> dict[str, Any]:
    try:
        return strict_json.parse(content, f"{name} in {folder!r}", 8 << 20)
    except ModelFolderError as err:
        raise ValueError(str(err)) from err


def _read_preprocessor(data: dict[str, Any]) -> dict[str, Any]:
    """Return what an image processor of transformers does to pictures: resize, crop, rescale, normalise."""
    factor = _number(data.get("rescale_factor", 1 / 255), 1e-6, 1.0) if data.get("do_rescale", True) else 1.0
    mean, std = _triple(data.get("image_mean", 0.5)), _triple(data.get("image_std", 0.5))
    if not data.get("do_normalize", "image_mean" in data):
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    found: dict[str, Any] = {
        "mean": tuple(value / factor for value in mean),
        "std": tuple(value / factor for value in std),
        "channels": "bgr" if data.get("do_flip_channel_order") else "rgb",
        "source": PREPROCESSOR,
    }
    size = _sides(data.get("size")) if data.get("do_resize", True) else ()
    cut = _sides(data.get("crop_size")) if data.get("do_center_crop") else ()
    if cut:
        found |= {"sides": cut, "resize": "crop"}
        if size and cut[0] <= size[0]:
            found["crop_fraction"] = max(0.1, cut[0] / size[0])
        if isinstance(data.get("size"), dict) and "height" in data["size"] and size != cut:
            found["notes"] = (
                "pictures keep their aspect before the centre is cut out; they were squashed in training",
            )
    elif size:
        found |= {"sides": size, "resize": "squash"}
        if "crop_pct" in data and size[0] < 384:  # ConvNeXt: a centre below 384 pixels, squashed from there on
            found |= {"resize": "crop", "crop_fraction": _number(data["crop_pct"], 0.1, 1.0)}
        elif isinstance(data.get("size"), dict) and "shortest_edge" in data["size"] and "crop_pct" not in data:
            found |= {"resize": "crop"}
    return found


def _read_config(data: dict[str, Any]) -> dict[str, Any]:
    """Return the labels of a config.json of transformers, or all that one of timm tells."""
    found: dict[str, Any] = {}
    if isinstance(data.get("id2label"), dict):
        by_number = {int(number): str(name) for number, name in data["id2label"].items()}
        if sorted(by_number) != list(range(len(by_number))):
            raise ValueError("id2label does not number the labels from 0")
        found["labels"] = tuple(by_number[number] for number in range(len(by_number)))
    timm = data.get("pretrained_cfg", data)
    if not isinstance(timm, dict) or "mean" not in timm or "std" not in timm:
        return found
    sides = timm.get("input_size", [3, 0, 0])[1:]
    resize = RESIZES.get(timm.get("crop_mode") or "center", "crop")
    part = _number(timm.get("crop_pct") or 1.0, 0.1, 1.0)
    found |= {
        "mean": tuple(255 * value for value in _triple(timm["mean"])),
        "std": tuple(255 * value for value in _triple(timm["std"])),
        "sides": tuple(_side(side) for side in sides) if all(sides) else (),
        "resize": resize,
        "crop_fraction": part if resize == "crop" else 1.0,
        "classes": int(data.get("num_classes") or timm.get("num_classes") or 0),
        "source": CONFIG,
    }
    names = data.get("label_names")
    if isinstance(names, list) and names:
        found["labels"] = tuple(str(name) for name in names)
    return found


def _sides(given: Any) -> tuple[int, ...]:
    """Return (height, width) of a size as transformers writes it: a number, or an object."""
    if isinstance(given, dict):
        edge = given.get("shortest_edge")
        return tuple(_side(given.get(name, edge)) for name in ("height", "width"))
    if isinstance(given, list):
        return tuple(_side(side) for side in (given * 2)[:2])
    return () if given is None else (_side(given), _side(given))


def _side(given: Any) -> int:
    if type(given) is not int or not 1 <= given <= 4096:
        raise ValueError(f"a side of {str(given)[:40]} pixels")
    return given


def _triple(given: Any) -> tuple[float, ...]:
    values = given if isinstance(given, list) else [given] * 3
    if len(values) not in (1, 3):
        raise ValueError(f"{len(values)} numbers for the channels")
    return tuple(_number(value, -1e4, 1e4) for value in values)


def _number(given: Any, low: float, high: float) -> float:
    if type(given) not in (int, float) or not low <= given <= high:
        raise ValueError(f"{str(given)[:40]} where a number from {low:g} to {high:g} is expected")
    return float(given)
