"""How an imported network wants its pictures: what is known is used, a guess is said, and what is unknown is asked."""

import numpy as np
import pytest
from model_folder.small import local
from model_import.importing import run
from PIL import Image

from vision_recipes.errors import PictureFolderError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_folder.layer_graph import Graph, Node
from vision_recipes.model_import.scaling import recognise, scaled, scaling_by_name

PLAIN = Graph((Node("input", "InputLayer"), Node("conv", "Conv2D", {"filters": 2, "kernel_size": 3}, ("input",))))


def settings(**given):
    return ImportSettings.from_params({"model_file": "net.keras", "output_managed_folder": "x"} | given)


def graph(*kinds):
    nodes = [Node("input", "InputLayer")]
    for number, kind in enumerate(kinds):
        nodes.append(Node(f"layer{number}", kind, {"filters": 2} if kind == "Conv2D" else {}, (nodes[-1].name,)))
    return Graph(tuple(nodes))


@pytest.mark.parametrize(
    ("name", "scaling"),
    [
        ("resnet50", "caffe"),
        ("ResNet50V2", "tf"),
        ("my_vgg16", ""),
        ("vgg16_roses", "caffe"),
        ("squeezenet_1", "caffe"),
    ],
)
def test_a_scaling_is_found_by_the_start_of_a_name(name, scaling):
    assert scaling_by_name(["model", name]) == ((name, scaling) if scaling else ("", ""))


def test_a_guess_says_what_it_rests_on_and_how_to_choose():
    found = recognise(settings(), (64, 48, 3), PLAIN, ["resnet50"], "the file")
    assert found.preprocessing.channels == "bgr"
    for words in ("caffe", "guess", "'resnet50'", "zero_to_one", "sample_folder"):
        assert words in found.guess


@pytest.mark.parametrize("kinds", [("Rescaling", "Conv2D"), ("ZeroPadding2D", "Normalization", "Conv2D")])
def test_a_network_that_scales_its_pictures_itself_is_no_guess(kinds):
    found = recognise(settings(), (64, 48, 3), graph(*kinds), ["resnet50"], "the file")
    assert found.preprocessing.std == (1.0, 1.0, 1.0)
    assert not found.guess


def test_scaling_behind_a_layer_with_weights_is_not_that_of_the_pictures():
    assert recognise(settings(), (64, 48, 3), graph("Conv2D", "Rescaling"), ["vgg16"], "the file").guess


def test_a_chosen_scaling_is_no_guess():
    found = recognise(settings(preprocessing="torch"), (64, 48, 3), PLAIN, ["resnet50"], "the file")
    assert (found.preprocessing.channels, found.guess) == ("rgb", "")


def test_without_a_clue_the_user_is_asked_unless_pictures_can_show_it():
    with pytest.raises(SettingsError, match=r"the file does not say .* sample_folder"):
        recognise(settings(), (64, 48, 3), PLAIN, ["mine"], "the file")
    assert not recognise(settings(sample_folder="x"), (64, 48, 3), PLAIN, ["mine"], "the file").known


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"preprocessing": "zero_to_one"}, ("grey", (0.0,), (255.0,))),
        ({"preprocessing": "numbers", "mean": "33.3", "std": "78.6"}, ("grey", (33.3,), (78.6,))),
        ({"preprocessing": "numbers", "mean": "10, 10, 10", "std": "2"}, ("grey", (10.0,), (2.0,))),
    ],
)
def test_grey_networks_have_one_number(given, expected):
    found = scaled(settings(**given), "", (28, 28, 1))
    assert (found.channels, found.mean, found.std) == expected


@pytest.mark.parametrize(
    ("given", "channels", "words"),
    [
        ({"mean": "1, 2"}, 3, "three numbers"),
        ({"mean": "1, 2, 3"}, 1, "takes grey"),
        ({"std": "0"}, 1, "above 0"),
        ({"mean": "a"}, 3, "is not numbers such as"),
        ({"crop_fraction": "0.875"}, 3, "resize crop"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(given, channels, words):
    usual = {"preprocessing": "numbers", "mean": "1, 1, 1", "std": "1, 1, 1"}
    with pytest.raises(SettingsError, match=words):
        scaled(settings(**usual | given), "", (28, 28, channels))


def test_the_fit_of_pictures_is_part_of_the_import():
    found = scaled(settings(image_resize="crop", crop_fraction="0.875"), "torch", (224, 224, 3))
    assert (found.resize, found.crop_fraction) == ("crop", 0.875)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(8):
        Image.new("RGB", (40, 30), (30 * number, 99, 200 - 20 * number)).save(folder / f"{number}.png")
    (folder / "notes.txt").write_text("no picture")
    return local(folder)


def keras_file(tmp_path, channels=3, name="mine"):
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(1)
    stack = [layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(3, activation="softmax")]
    network = keras.Sequential([keras.Input((16, 16, channels)), *stack], name=name)
    network.save(tmp_path / "net.keras")
    return network, str(tmp_path / "net.keras")


@pytest.mark.keras
def test_sample_pictures_show_the_labels_under_each_scaling(tmp_path, photos):
    network, path = keras_file(tmp_path, name="resnet50")
    model, facts = run(tmp_path, samples=photos, preprocessing="auto", model_file=path, sample_folder="x")
    shown = {name: text for name, text in facts.items() if name.startswith("Labels")}
    assert list(shown)[0] == "Labels, caffe, as imported"
    assert len(shown) == 5
    pixels = np.stack([np.asarray(Image.open(photos.open(f"/{n}.png")).resize((16, 16), 2)) for n in range(6)])
    scores = np.asarray(network(pixels.astype(np.float32) / 255))
    expected = [f"{n}.png class_{row.argmax()} {row.max():.0%}" for n, row in enumerate(scores)]
    assert shown["Labels, zero_to_one"].split("; ") == expected
    assert "a guess" in facts["Scaling"]
    assert "guess" in facts["Guess"]
    assert "guess from the name" in model.store.open("/README.md").read().decode()


@pytest.mark.keras
def test_with_no_clue_the_pictures_help_to_choose_and_nothing_is_written(tmp_path, photos):
    _network, path = keras_file(tmp_path, channels=1)
    with pytest.raises(SettingsError) as caught:
        run(tmp_path, samples=photos, preprocessing="auto", model_file=path, sample_folder="x")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["tf", "zero_to_one", "raw"]
    assert local(tmp_path / "imported").paths() == []


@pytest.mark.keras
def test_a_sample_folder_without_pictures_is_said(tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.txt").write_text("text")
    _network, path = keras_file(tmp_path, name="vgg16")
    with pytest.raises(PictureFolderError, match="sample_folder"):
        run(tmp_path, samples=local(tmp_path / "none"), preprocessing="auto", model_file=path, sample_folder="x")
