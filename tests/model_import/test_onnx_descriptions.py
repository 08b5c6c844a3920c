"""What JSON files beside an ONNX file say, in the forms that transformers and timm have written over the years."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_import.onnx_descriptions import CONFIG, PREPROCESSOR, Description, describe


def told(preprocessor: Any = None, config: Any = None) -> Description:
    files = {PREPROCESSOR: preprocessor, CONFIG: config}
    return describe({name: json.dumps(data).encode() for name, data in files.items() if data is not None}, "folder")


VIT = {"do_resize": True, "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
CLIP = {"do_resize": True, "do_center_crop": True, "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}
CONVNEXT = {"do_resize": True, "crop_pct": 0.875, "image_mean": [0.485] * 3, "image_std": [0.229] * 3}


@pytest.mark.parametrize(
    ("data", "sides", "resize", "part"),
    [
        (VIT | {"size": 224}, (224, 224), "squash", 1.0),
        (VIT | {"size": {"height": 384, "width": 320}}, (384, 320), "squash", 1.0),
        (VIT | {"size": [224, 224]}, (224, 224), "squash", 1.0),
        (
            CLIP | {"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}},
            (224, 224),
            "crop",
            0.875,
        ),
        (CLIP | {"size": 224, "crop_size": 224}, (224, 224), "crop", 1.0),
        (CONVNEXT | {"size": {"shortest_edge": 224}}, (224, 224), "crop", 0.875),
        (CONVNEXT | {"size": {"shortest_edge": 384}}, (384, 384), "squash", 1.0),
        (VIT | {"size": {"shortest_edge": 224}}, (224, 224), "crop", 1.0),
        (VIT | {"do_resize": False}, (), "squash", 1.0),
    ],
)
def test_sizes_and_fit(data: dict[str, Any], sides: tuple[int, ...], resize: str, part: float) -> None:
    found = told(data)
    assert (found.sides, found.resize, found.crop_fraction) == (sides, resize, part)


def test_scalings_are_on_the_scale_of_bytes() -> None:
    assert told(VIT | {"size": 224}).mean == pytest.approx((127.5,) * 3)
    plain = told(VIT | {"do_normalize": False})
    assert plain.mean == (0, 0, 0) and plain.std == pytest.approx((255,) * 3)
    raw = told(VIT | {"do_rescale": False, "image_mean": [120, 110, 100], "image_std": [60, 60, 60]})
    assert (raw.mean, raw.std) == ((120, 110, 100), (60, 60, 60))
    half = told(VIT | {"rescale_factor": 0.5, "image_std": [2, 2, 2]})
    assert half.std == (4, 4, 4)
    assert told({"do_flip_channel_order": True, "size": 256, "do_normalize": False}).channels == "bgr"


def test_squashed_before_the_crop_is_said() -> None:
    found = told(CLIP | {"size": {"height": 256, "width": 256}, "crop_size": 224})
    assert (found.resize, found.crop_fraction) == ("crop", 0.875) and "squashed" in found.notes[0]


def test_timm() -> None:
    config = {"architecture": "vit", "num_classes": 12, "label_names": list("abcdefghijkl"), "pretrained_cfg": {
        "input_size": [3, 384, 384], "crop_pct": 0.95, "crop_mode": "center", "mean": [0.5, 0.25, 0.0], "std": [0.2] * 3,
    }}  # fmt: skip
    found = told(config=config)
    assert (found.sides, found.resize, found.crop_fraction) == ((384, 384), "crop", 0.95)
    assert found.mean == (127.5, 63.75, 0) and found.classes == 12 and found.labels[11] == "l"
    config["pretrained_cfg"]["crop_mode"] = "squash"  # type: ignore[index]
    assert (told(config=config).resize, told(config=config).crop_fraction) == ("squash", 1.0)
    old = {"num_classes": 10, "mean": [0.5] * 3, "std": [0.5] * 3, "input_size": [3, 32, 32], "crop_pct": 1.0}
    assert told(config=old).sides == (32, 32)


def test_labels_by_number() -> None:
    assert told(config={"id2label": {"1": "b", "0": "a", "2": "c"}}).labels == ("a", "b", "c")
    assert told(config={"model_type": "vit"}) == Description()


@pytest.mark.parametrize(
    ("preprocessor", "config"),
    [
        ({"size": -3}, None),
        ({"size": {"shortest_edge": 10**9}}, None),
        ({"size": {"longest_edge": 224}}, None),
        ({"image_mean": [1, 2], "size": 224}, None),
        ({"image_mean": ["a", "b", "c"], "size": 224}, None),
        ({"rescale_factor": 0, "size": 224}, None),
        (None, {"id2label": {"0": "a", "2": "b"}}),
        (None, {"id2label": {"first": "a"}}),
        (None, {"mean": 3, "std": [0.5] * 3, "input_size": 7}),
        ([1], None),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_next_step(preprocessor: Any, config: Any) -> None:
    with pytest.raises(ModelFolderError, match="'folder'.*Correct or remove them"):
        told(preprocessor, config)
