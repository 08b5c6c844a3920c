"""How an imported network wants its pictures: what is known is used, a guess is said, and what is unknown is asked."""

import numpy as np
import pytest
from model_folder.small import local
from model_import.importing import run
from PIL import Image

from vision_recipes.errors import PictureFolderError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_import.scaling import recognise, scaled, scaling_by_name


def settings(**given):
    return ImportSettings.from_params({"model_file": "net.keras", "output_managed_folder": "x"} | given)


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
    found = recognise(settings(), (64, 48, 3), ["resnet50"], "the file")
    assert found.preprocessing.channels == "bgr"
    for words in ("caffe", "guess", "'resnet50'", "zero_to_one", "sample_folder"):
        assert words in found.guess


def test_a_chosen_scaling_is_no_guess():
    found = recognise(settings(preprocessing="torch"), (64, 48, 3), ["resnet50"], "the file")
    assert (found.preprocessing.channels, found.guess) == ("rgb", "")


def test_efficientnet_lite_is_not_taken_for_efficientnet():
    for name, mean in (("EfficientNet-Lite0 (int8)", 127.0), ("EfficientNetB0", 0.0)):
        assert recognise(settings(), (224, 224, 3), [name], "the file").preprocessing.mean == (mean,) * 3


def test_without_a_clue_the_user_is_asked_unless_pictures_can_show_it():
    with pytest.raises(SettingsError, match=r"the file does not say .* sample_folder"):
        recognise(settings(), (64, 48, 3), ["mine"], "the file")
    assert not recognise(settings(sample_folder="x"), (64, 48, 3), ["mine"], "the file").known


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
        ({"mean": "0.485, 0.456, 0.406", "std": "0.229, 0.224, 0.225"}, 3, "Multiply both by 255"),
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


@pytest.mark.slow
@pytest.mark.keras
def test_a_size_that_the_file_leaves_open_can_be_chosen(tmp_path):
    import keras

    layers = keras.layers
    stack = [layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    keras.Sequential([keras.Input((None, None, 3)), *stack]).save(tmp_path / "open.keras")
    path = str(tmp_path / "open.keras")
    model, facts = run(tmp_path, model_file=path, image_width=40, image_height=24)
    assert (model.preprocessing.width, model.preprocessing.height) == (40, 24)
    assert "Notes" not in facts
    _model, facts = run(tmp_path, model_file=path)
    assert "no input size, so 224 x 224" in facts["Notes"]


@pytest.mark.keras
def test_a_size_that_is_not_the_files_own_is_refused(tmp_path):
    _network, path = keras_file(tmp_path)
    with pytest.raises(SettingsError, match="takes pictures of 16 x 16, not 40 x 24"):
        run(tmp_path, model_file=path, image_width=40, image_height=24)
    with pytest.raises(SettingsError, match="give both"):
        settings(image_width=40)


def own_scaling(tmp_path, ending, **given):
    import keras

    layers = keras.layers
    stack = [layers.Rescaling(1 / 255), layers.SpatialDropout2D(0.2), layers.Flatten()]
    network = keras.Sequential([keras.Input((16, 16, 3), **given), *stack, layers.Dense(3, activation="softmax")])
    network.save(tmp_path / f"net{ending}")
    return network, str(tmp_path / f"net{ending}")


@pytest.mark.keras
@pytest.mark.parametrize(
    ("ending", "given"),
    [
        pytest.param(".h5", {}, marks=pytest.mark.slow),
        (".keras", {}),
        pytest.param(".keras", {"dtype": "uint8"}, marks=pytest.mark.slow),
    ],
)
def test_scaling_twice_is_told(tmp_path, ending, given):
    network, path = own_scaling(tmp_path, ending, **given)
    model, facts = run(tmp_path, model_file=path, preprocessing="auto")
    assert "Notes" not in facts
    assert model.check.difference(np.asarray(network(model.check.pictures))) < 1e-5
    _model, facts = run(tmp_path, model_file=path, preprocessing="zero_to_one")
    assert "scales pictures itself" in facts["Notes"]


@pytest.mark.keras
def test_options_of_onnx_files_are_refused_for_keras_files(tmp_path):
    _network, path = keras_file(tmp_path)
    with pytest.raises(SettingsError, match="output_kind: 'vector' is for ONNX files"):
        run(tmp_path, model_file=path, output_kind="vector")
