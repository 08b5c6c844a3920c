"""What an ONNX network takes: layout and size of its pictures, and how they are scaled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from vision_recipes.errors import SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_import.onnx_descriptions import Description
from vision_recipes.model_import.scaling import scaled
from vision_recipes.preprocessing import Preprocessing, check_preprocessing


@dataclass(frozen=True)
class PixelInput:
    """The input of a network: `layout` is "NCHW" or "NHWC", `raw` that it takes bytes."""

    height: int
    width: int
    channels: int
    layout: str
    raw: bool = False
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> list[int]:
        """The shape without the batch."""
        sides = [self.height, self.width]
        return [self.channels, *sides] if self.layout == "NCHW" else [*sides, self.channels]


def find_input(value: Any, settings: ImportSettings, description: Description, where: str) -> PixelInput:
    """Return what an input of the file takes; raises SettingsError for what the file leaves open."""
    import onnx

    tensor = value.type.tensor_type
    sizes = [side.dim_value if side.HasField("dim_value") and side.dim_value > 0 else 0 for side in tensor.shape.dim]
    layout = _layout(sizes[1:], settings.input_layout, where)
    channels = sizes[1] if layout == "NCHW" else sizes[3]
    fixed = sizes[2:] if layout == "NCHW" else sizes[1:3]
    asked = (settings.image_height, settings.image_width)
    chosen = asked if any(asked) else description.sides
    if any(asked) and any(side and side != wish for side, wish in zip(fixed, asked, strict=True)):
        raise SettingsError(
            f"image_width, image_height: {where} takes pictures of {fixed[1] or 'any'} x {fixed[0] or 'any'} only. "
            "Leave both 0, or export it for another size."
        )
    sides = [side or wish for side, wish in zip(fixed, chosen or (0, 0), strict=True)]
    if not all(sides):
        raise SettingsError(
            f"image_width, image_height: {where} takes pictures of any size, and no preprocessor_config.json beside it "
            "tells one. Give the size that the network was trained with."
        )
    notes: tuple[str, ...] = ()
    if description.sides and not any(asked) and tuple(sides) != tuple(description.sides):
        height, width = description.sides
        notes = (f"pictures are {sides[1]} x {sides[0]}, as the file takes them, where {description.source} has "
                 f"{width} x {height}",)  # fmt: skip
    return PixelInput(sides[0], sides[1], channels or 3, layout, tensor.elem_type == onnx.TensorProto.UINT8, notes)


def _layout(sides: list[int], wish: str, where: str) -> str:
    """Return the layout of an input, from its sizes without the batch (0 = any)."""
    first, last = sides[0] in (1, 3), sides[2] in (1, 3)
    found = {"nchw": "NCHW", "nhwc": "NHWC"}.get(wish) or ("NCHW" if first else "NHWC")
    channels = sides[0] if found == "NCHW" else sides[2]
    shape = " x ".join(str(side) if side else "?" for side in sides)
    if wish == "auto" and (first == last):
        raise SettingsError(
            f"input_layout: {where} takes {shape}, which does not tell where its channels are (1 or 3 are possible). "
            "Set input_layout to nchw (channels first, as PyTorch) or nhwc (channels last, as TensorFlow)."
        )
    if channels not in (0, 1, 3):
        raise SettingsError(
            f"input_layout: {where} takes {shape}, with {channels} channels as {found}; 1 and 3 are possible. Set "
            "input_layout to the other one, or export the network for colour pictures."
        )
    return found


def preprocessing(found: PixelInput, settings: ImportSettings, description: Description, where: str) -> Preprocessing:
    """Return the preprocessing that the settings choose, or that the files beside the model tell; else ask."""
    shape = found.height, found.width, found.channels
    if settings.preprocessing == "auto" and (found.raw or not description.mean):
        if not found.raw:
            raise SettingsError(
                f"preprocessing: {where} does not say how its pictures are scaled, and there is no "
                "preprocessor_config.json beside it. Choose torch, tf (-1 to 1), zero_to_one, caffe or raw, as the "
                "network was trained with, or give numbers. With a folder of pictures as sample_folder you see the "
                "labels under each."
            )
        made = scaled(settings, "raw", shape, _resize(description))
    elif settings.preprocessing == "auto":
        mean, std, order = description.mean, description.std, description.channels
        if found.channels == 1:
            mean, std, order = (sum(mean) / len(mean),), (sum(std) / len(std),), "grey"
        elif len(mean) == 1:
            mean, std = mean * 3, std * 3
        made = Preprocessing(found.width, found.height, order, mean, std)
        made = replace(made, resize=_resize(description) if settings.image_resize == "auto" else settings.image_resize)
        made = replace(made, crop_fraction=settings.crop_fraction)
    else:
        made = scaled(settings, "", shape, _resize(description))
    if settings.image_resize == "auto" and settings.crop_fraction == 1:
        made = replace(made, crop_fraction=description.crop_fraction if description.source else 1.0)
    if found.raw and (any(made.mean) or set(made.std) != {1.0}):
        raise SettingsError(f"preprocessing: {where} takes pictures as bytes. Set preprocessing to auto or raw.")
    try:
        check_preprocessing(made)
    except ValueError as err:
        raise SettingsError(f"preprocessing: {err}. Set preprocessing, image_resize and crop_fraction to fit.") from err
    return made


def _resize(description: Description) -> str:
    return description.resize if description.source else "squash"
