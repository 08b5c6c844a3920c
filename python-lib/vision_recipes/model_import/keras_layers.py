"""The layers of Keras 2 and 3, with the settings that their files give, as nodes of a graph."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.model_folder.layer_graph import ACTIVATIONS, LAYERS
from vision_recipes.model_import.keras_calls import plain
from vision_recipes.model_import.keras_graph import GraphBuilder, Path
from vision_recipes.strict_json import require

_RANDOM = (
    "Brightness ColorDegeneration ColorJitter Contrast ElasticTransform Erasing Flip GaussianBlur Grayscale Height Hue "
    "Invert Perspective Posterization Rotation Saturation Sharpness Shear Translation Width Zoom"
)
PASSED_THROUGH = (
    *("Identity", "ActivityRegularization", "AlphaDropout", "SpatialDropout1D", "StochasticDepth"),
    *("AugMix", "CutMix", "MixUp", "RandAugment", "Solarization", "MaxNumBoundingBoxes"),
    *(f"Random{kind}" for kind in _RANDOM.split()),
)
"""Layers that do nothing when pictures are scored."""

AS_IN_TRAINING = (
    *("BatchNormalization", "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"),
    *(kind for kind in PASSED_THROUGH if kind not in ("Identity", "ActivityRegularization")),
)
"""Layers that do something else when they are called with training=True."""

RENAMED = {
    **{"BatchNormalizationV1": "BatchNormalization", "MaxPool2D": "MaxPooling2D", "AvgPool2D": "AveragePooling2D"},
    **{"GlobalAvgPool2D": "GlobalAveragePooling2D", "GlobalMaxPool2D": "GlobalMaxPooling2D"},
    **{
        "Convolution2D": "Conv2D",
        "SeparableConvolution2D": "SeparableConv2D",
        "SyncBatchNormalization": "BatchNormalization",
    },
    **{
        "Convolution2DTranspose": "Conv2DTranspose",
        "Model": "Functional",
        "Custom>CustomScaleLayer": "CustomScaleLayer",
    },
}
"""Other names of Keras's layers, and their present ones."""

OF_APPLICATIONS = {"LayerScale": "convnext", "CustomScaleLayer": "inception_resnet_v2", "StochasticDepth": "convnext"}
"""Layers that keras.applications defines for itself, and the module that does."""

FIXED_SETTINGS: dict[str, Any] = {"rms_scaling": False, "renorm": False, "input_mean": None, "ragged": False}
"""Settings that are not read, and the value at which they change nothing."""

RENAMED_SETTINGS = {("LeakyReLU", "alpha"): "negative_slope", ("Dropout", "p"): "rate"}
LEARNED = (
    *("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose", "Dense", "BatchNormalization"),
    *("LayerNormalization", "GroupNormalization", "PReLU"),
)
"""Kinds of nodes with weights that were learned."""

MAX_USES = 16
"""How often a layer with weights may be used: every use has a copy of them in the graph."""


@dataclass(frozen=True)
class Layer:
    """A layer of the file that is called: its kind by Keras's present name, its config, its path and its inputs."""

    kind: str
    config: dict[str, Any]
    path: Path
    inputs: list[str]
    keras: int = 3

    @property
    def where(self) -> str:
        """The layer in messages."""
        return f"its layer {self.path[-1][:60]!r}"


def kind_of(layer: dict[str, Any]) -> str:
    """Return the kind of a layer in a description, by its name in Keras 3."""
    return RENAMED.get(layer["class_name"], layer["class_name"])


def check_origin(layer: dict[str, Any], kind: str, where: str) -> None:
    """Raise ValueError unless an entry of a description is a layer of Keras's own that is read here."""
    registered, module = layer.get("registered_name"), str(layer.get("module") or "keras.layers")
    known = kind in LAYERS or kind in PASSED_THROUGH or kind in OF_APPLICATIONS or kind == "RandomCrop"
    own = registered in (None, kind, layer["class_name"]) or RENAMED.get(str(registered)) == kind
    require(known and own, f"{where} is {_unread(str(registered or kind))}")
    packages: tuple[str, ...] = ("keras.layers.", "keras.src.layers.", "tf_keras.src.layers.", "tf_keras.layers.")
    if kind in OF_APPLICATIONS:
        packages += tuple(f"{keras}.src.applications.{OF_APPLICATIONS[kind]}." for keras in ("keras", "tf_keras"))
    require(f"{module}.".startswith(packages), f"{where} comes from the module {module[:60]!r}, which is not Keras's")
    require(not registered or kind in OF_APPLICATIONS, f"{where} is {_unread(str(registered))}")


def add_layer(builder: GraphBuilder, layer: Layer) -> str:
    """Add the nodes that do what a layer does when pictures are scored, and return the name of the last one."""
    require(layer.inputs, f"{layer.where} takes no other layer's output")
    special = SPECIAL.get(layer.kind)
    if special is not None:
        return special(builder, layer)
    if layer.kind in PASSED_THROUGH:
        return layer.inputs[0]
    settings = settings_of(layer)
    following = _split_activation(layer, settings)
    copied = builder.uses[layer.path] < MAX_USES or layer.kind not in LEARNED
    require(copied, f"{layer.where} is used more than {MAX_USES} times")
    name = builder.add(layer.path, layer.kind, settings, layer.inputs)
    for kind, given in following:
        name = builder.add((), kind, given, [name])
    return name


def settings_of(layer: Layer) -> dict[str, Any]:
    """Return those settings of a layer that a graph has; ValueError for settings that would change what it does."""
    config, where = layer.config, layer.where
    first = config.get("data_format") == "channels_first"
    require(not first, f"{where} takes channels first, which only some GPUs compute")
    check_precision(config.get("dtype"), where)
    for key, usual in FIXED_SETTINGS.items():
        require(config.get(key, usual) in (usual, None), f"{where} has the setting {key}, which is not read")
    given = {RENAMED_SETTINGS.get((layer.kind, key), key): plain(value) for key, value in config.items()}
    settings = {key: given[key] for key in LAYERS[layer.kind] if key in given}
    if isinstance(settings.get("axis"), list) and len(settings["axis"]) == 1:
        settings["axis"] = settings["axis"][0]
    return {key: value for key, value in settings.items() if value is not None or key == "max_value"}


def check_precision(policy: Any, where: str) -> None:
    """Raise ValueError for a dtype, or a policy as an object, of quantised weights."""
    inside = policy.get("config") if isinstance(policy, dict) else None
    name = str(policy if inside is None else inside.get("name") or inside.get("mode") or "")
    quantised = "Quantized" in str(policy.get("class_name")) if isinstance(policy, dict) else False
    require(
        not quantised and not re.match("u?int|float8|gptq|awq", name),
        f"{where} is quantised ({name[:40]}). Save the network before it is quantised",
    )


def _split_activation(layer: Layer, settings: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Leave only a plain name in settings["activation"]; return the layers that must follow for another activation."""
    if "activation" not in settings:
        return []
    value, kind = settings["activation"], None
    if isinstance(value, dict) and value.get("class_name") != "function":
        kind = str(value.get("class_name"))
        inside = value.get("config")
        if RENAMED.get(kind, kind) in LAYERS and isinstance(inside, dict):
            require(kind not in ("PReLU",), f"{layer.where} has weights in its activation {kind}, which are not read")
            settings["activation"] = "linear"
            nested = Layer(kind, inside, (*layer.path, kind), layer.inputs, layer.keras)
            given = settings_of(nested)
            return [(kind, given), *_split_activation(nested, given)]
    name = _plain_activation(value)
    if name == "hard_sigmoid" and layer.keras == 2:
        settings["activation"] = "linear"
        return [("Rescaling", {"scale": 0.2, "offset": 0.5}), ("ReLU", {"max_value": 1.0})]
    settings["activation"] = name
    return []


def _plain_activation(value: Any) -> Any:
    """Return the name of an activation, which may be written as an object or be that of TensorFlow's function."""
    if isinstance(value, dict):
        inside = value.get("config")
        value = inside if isinstance(inside, str) else value.get("class_name")
        value = re.sub("(?<=[a-z0-9])([A-Z])", r"_\1", str(value)).lower()
    name = "linear" if value is None else str(value)
    short = {"re_lu": "relu", "relu_6": "relu6", "si_lu": "silu", "identity": "linear"}.get(
        name, name.removesuffix("_v2")
    )
    return short if short in ACTIVATIONS else name


def _unread(kind: str) -> str:
    what = f"of the kind {kind[:60]!r}, which is not among the layers that are read here"
    if kind == "Lambda":
        return (
            "a Lambda, whose code is never run. Save the network without it: where it scales pictures, leave it out "
            "and give its scaling as preprocessing (zero_to_one for x / 255, tf for x / 127.5 - 1); elsewhere, replace "
            "it by a layer"
        )
    return f"{what}. Replace it by others, or export the network to ONNX and import that"


def _layer_scale(builder: GraphBuilder, layer: Layer) -> str:
    """Add a product with one factor per channel; its weights (channels) are reshaped to a kernel when they are read."""
    kernel = {"kernel_size": 1, "use_bias": False, "depth_multiplier": 1}
    return builder.add(layer.path, "DepthwiseConv2D", kernel, layer.inputs)


def _custom_scale(builder: GraphBuilder, layer: Layer) -> str:
    require(len(layer.inputs) == 2, f"{layer.where} does not take two inputs")
    scaled = builder.add((), "Rescaling", {"scale": layer.config["scale"]}, layer.inputs[1:])
    return builder.add(layer.path, "Add", {}, [layer.inputs[0], scaled])


def _random_crop(builder: GraphBuilder, layer: Layer) -> str:
    """Keras 3 leaves pictures as they are when it scores; Keras 2 resized them and cut the centre."""
    if layer.keras != 2:
        return layer.inputs[0]
    given = {key: layer.config[key] for key in ("height", "width")} | {"crop_to_aspect_ratio": True}
    return builder.add(layer.path, "Resizing", given, layer.inputs)


def _resizing(builder: GraphBuilder, layer: Layer) -> str:
    """Add a resizing that every engine computes alike; one to the size that pictures have already is left out."""
    settings, before = settings_of(layer), builder.shapes[layer.inputs[0]][:-1]
    after = (settings["height"], settings["width"])
    if before == after:
        return layer.inputs[0]
    first = before == (None, None) and len(builder.nodes) == 1  # pictures will be given in this size
    larger = None not in before and all(old <= new for old, new in zip(before, after, strict=True) if old)
    method, smooth = settings.get("interpolation", "bilinear"), settings.pop("antialias", False) and not larger
    alike = first or (method in ("bilinear", "nearest") and not smooth)
    how = f"{method} {'with antialias' if smooth else ''}".strip()
    require(
        alike, f"{layer.where} resizes pictures in a way that only Keras computes ({how}), where bilinear can be read"
    )
    return builder.add(
        layer.path, "Resizing", settings | ({"interpolation": "bilinear"} if first else {}), layer.inputs
    )


def _normalisation(builder: GraphBuilder, layer: Layer) -> str:
    return builder.add(layer.path, layer.kind, settings_of(layer) | _statistics(layer), layer.inputs)


def _statistics(layer: Layer) -> dict[str, Any]:
    given = {key: layer.config.get(key) for key in ("mean", "variance")}
    flat = {
        key: np.ravel(np.asarray(plain(value), float)).tolist() for key, value in given.items() if value is not None
    }
    return {key: values[0] if len(values) == 1 else values for key, values in flat.items()}


SPECIAL: dict[str, Callable[[GraphBuilder, Layer], str]] = {
    "LayerScale": _layer_scale,
    "CustomScaleLayer": _custom_scale,
    "RandomCrop": _random_crop,
    "Resizing": _resizing,
    "Normalization": _normalisation,
}
"""Layers that are not one node with their own settings."""
