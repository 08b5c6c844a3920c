"""Import of models from elsewhere: they score as they did, and malicious files are refused by name."""

import json
import zipfile

import h5py
import numpy as np
import pytest
from model_folder.small import CHANNELS, INPUT, LABELS, local, write_small_model
from model_import import keras2
from model_import.importing import run, save_weights_alone

from vision_recipes.errors import ModelFolderError, SettingsError, VisionError
from vision_recipes.model_folder.labels import write_labels
from vision_recipes.model_folder.networks import rebuild
from vision_recipes.model_import.keras_files import open_keras_file

NESTED = {"sequential_1": ["convolved"], "sequential_3": ["scores"]}


@pytest.fixture
def small(tmp_path):
    return write_small_model(local(tmp_path / "small"))


def h5(tmp_path, small, config=None, groups=None, name="model.h5"):
    values = keras2.values_of(small, tmp_path)
    return keras2.write_h5(tmp_path / name, config or keras2.functional(), groups or keras2.FLAT, values)


@pytest.mark.keras
@pytest.mark.parametrize(
    ("config", "groups"),
    [(keras2.functional(), keras2.FLAT), (keras2.sequential(), keras2.FLAT), (keras2.teachable(), NESTED)],
    ids=["functional", "sequential", "teachable machine"],
)
def test_whole_models_of_keras_2_score_as_they_did(small, tmp_path, config, groups):
    path = h5(tmp_path, small, config, groups)
    (tmp_path / "labels.txt").write_text("".join(f"{i} {name}\n" for i, name in enumerate(LABELS)))
    model, facts = run(tmp_path, model_file=str(path))
    assert model.labels == LABELS
    assert model.check.difference(small.check.scores) < 1e-5
    assert model.feature_layer.name == "active"
    assert facts["Pictures"] == "20 x 16, BGR, squash"


@pytest.mark.keras
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_models_of_keras_3_score_as_they_did(small, tmp_path, ending):
    import keras

    inner = rebuild(small)
    pixels = keras.Input((INPUT.height, INPUT.width, 3))
    flipped = keras.layers.RandomFlip()(pixels)
    features = keras.Model(inner.input, inner.get_layer("pooled").output, name="backbone")(flipped)
    dense = keras.layers.Dense(5, activation="softmax", name="mine")
    outer = keras.Model(pixels, dense(keras.layers.Dropout(0.5)(features)))
    dense.set_weights(inner.get_layer("scores").get_weights())
    outer.save(tmp_path / f"model{ending}")
    model, _facts = run(tmp_path, local(tmp_path), model_file=f"model{ending}")
    assert model.check.difference(small.check.scores) < 1e-5
    assert model.labels == tuple(f"class_{number}" for number in range(5))
    assert [layer.name for layer in model.layers] == ["convolved", "active", "pooled", "dropout", "mine"]


@pytest.mark.keras
def test_one_output_becomes_two_classes_and_logits_become_probabilities(small, tmp_path):
    import keras

    inner = rebuild(small)
    logit = keras.layers.Dense(1, name="is_egg")(inner.get_layer("pooled").output)
    network = keras.Model(inner.input, logit)
    network.save(tmp_path / "egg.keras")
    (tmp_path / "egg.labels.txt").write_text("not_egg\negg\n")
    model, facts = run(tmp_path, model_file=str(tmp_path / "egg.keras"))
    from vision_recipes.preprocessing import normalise

    logits = np.asarray(network(normalise(model.check.pictures, INPUT)))[:, 0]
    np.testing.assert_allclose(model.check.scores[:, 1], 1 / (1 + np.exp(-logits)), atol=1e-5)
    np.testing.assert_allclose(model.check.scores.sum(axis=1), 1, atol=1e-6)
    assert model.labels == ("not_egg", "egg")
    assert "sigmoid was added" in facts["Notes"]
    assert model.feature_layer.name == "active"


@pytest.mark.keras
@pytest.mark.parametrize("version", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_retrained_folder_of_the_predecessor_plugin_keeps_its_size(tmp_path, version):
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    base = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(64, 48, 3), pooling="max")
    network = keras.Model(base.input, keras.layers.Dense(3, activation="softmax", name="predictions")(base.output))
    old = tmp_path / "old"
    old.mkdir()
    top = {"pooling": "max", "n_classes": 3, "input_shape": [64, 48, 3]}
    config = {"architecture": "mobilenet", "trained_on": "imagenet", "retrained": True, "top_params": top}
    (old / "config.json").write_text(json.dumps(config | {"extract_layer_default_index": -2}))
    (old / "model_labels.csv").write_text("id,className\n0,007\n1,NA\n2,egg\n")
    name = {1: "mobilenet_imagenet_weights_retrained.h5", 2: "model_weights_notop.h5"}[version]
    with h5py.File(old / name, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    model, facts = run(tmp_path, local(old), preprocessing="auto")
    assert model.labels == ("007", "NA", "egg")
    assert (model.preprocessing.width, model.preprocessing.height) == (48, 64)
    pixels = model.check.pictures.astype(np.float32) / 127.5 - 1
    assert model.check.difference(np.asarray(network(pixels, training=False))) < 1e-4
    assert model.config.head.pooling == "max"
    assert "48 x 64" in facts["Notes"]


@pytest.mark.keras
def test_a_folder_of_the_predecessor_plugin_without_the_last_layer_it_tells_of_is_refused_before_it_is_built(tmp_path):
    top = {"pooling": "none", "n_classes": 50_000, "input_shape": [1024, 1024, 3]}
    config = {"architecture": "mobilenet", "trained_on": "imagenet", "retrained": True, "top_params": top}
    old = local(tmp_path / "old")
    old.write("/config.json", json.dumps(config).encode())
    old.write("/model_labels.csv", write_labels([str(number) for number in range(50_000)]))
    with h5py.File(tmp_path / "old" / "model_weights_notop.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"a"])
        file["a"] = np.zeros((3, 4))
    with pytest.raises(ModelFolderError, match=r"no array of shape \(1310720, 50000\) .*, but \[\(3, 4\)\]"):
        run(tmp_path, old, preprocessing="auto")


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("version", [1, 2])
def test_a_plain_folder_of_the_predecessor_plugin_scores_as_it_did(tmp_path, version):
    import keras

    network = keras.applications.MobileNetV2(weights=None)
    old = local(tmp_path / "old")
    old.write("/config.json", b'{"architecture": "mobilenet", "trained_on": "imagenet"}')
    old.write("/model_labels.csv", write_labels(tuple(f"label {number}" for number in range(1000))))
    name = {1: "mobilenet_imagenet_weights.h5", 2: "model_weights.h5"}[version]
    save_weights_alone(network, tmp_path / "old" / name)
    model, _facts = run(tmp_path, old, preprocessing="auto")
    pixels = model.check.pictures.astype(np.float32) / 127.5 - 1
    assert model.check.difference(np.asarray(network(pixels, training=False))) < 1e-4
    assert model.labels[999] == "label 999"


def test_a_plain_folder_of_the_predecessor_plugin_needs_its_weights(tmp_path):
    old = local(tmp_path / "old")
    old.write("/config.json", b'{"architecture": "vgg16", "trained_on": "imagenet"}')
    with pytest.raises(ModelFolderError, match="none of the weights files vgg16_imagenet_weights.h5, model_weights.h5"):
        run(tmp_path, old)
    old.write("/config.json", b'{"architecture": "../../x"}')
    with pytest.raises(SettingsError, match="no network"):
        run(tmp_path, old)


@pytest.mark.keras
def test_the_real_squeezenet(shared, tmp_path):
    model, facts = run(tmp_path, local(shared / "models" / "squeezenet_imagenet"), preprocessing="auto")
    assert model.labels[134] == model.labels[517] == "crane"
    assert (model.feature_layer.name, model.feature_layer.size) == ("fire9_concat", 512)
    assert model.preprocessing.channels == "bgr"
    assert "227 x 227" in facts["Pictures"]


def layers(config):
    return config["config"]["layers"]


def change_layer(**values):
    def change(config):
        layers(config)[2].update(values)

    return change


def to_channels_first(config):
    layers(config)[1]["config"]["data_format"] = "channels_first"


def to_two_channels(config):
    layers(config)[0]["config"]["batch_input_shape"] = [None, 28, 28, 2]


def to_two_inputs(config):
    config["config"]["input_layers"] *= 2


def to_circle(config):
    layers(config)[1]["inbound_nodes"] = [[["scores", 0, 0, {}]]]


def to_odd_activation(config):
    layers(config)[2]["config"]["activation"] = "my_package>odd"


def to_huge(config):
    layers(config)[1]["config"]["filters"] = 10**9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_layer(class_name="Lambda", config={"name": "active", "function": ["4wEAAAA=", None, None]}), "Lambda"),
        (change_layer(class_name="TFOpLambda", config={"name": "active", "function": "io.read_file"}), "io.read_file"),
        (change_layer(class_name="TFSMLayer", config={"name": "active", "filepath": "/tmp/x"}), "TFSMLayer"),
        (change_layer(registered_name="evil>Layer"), "evil>Layer"),
        (change_layer(module="os"), "comes from the module 'os'"),
        (to_odd_activation, "my_package>odd"),
        (to_channels_first, "channels first"),
        (to_two_channels, "where pictures"),
        (to_two_inputs, "2 inputs .'input', 'input'., where one"),
        (to_circle, "circle"),
        (to_huge, "not a plain value"),
        (lambda config: config.update({"class_name": "MyModel"}), "only its own code"),
        (lambda config: config.pop("config"), "not as Keras writes it"),
    ],
)
def test_what_is_no_plain_network_is_refused_by_name(small, tmp_path, change, message):
    config = keras2.functional()
    change(config)
    path = h5(tmp_path, small, config)
    with pytest.raises(ModelFolderError, match=message), open_keras_file(path, "model.h5"):
        pass


def test_graphs_with_code_never_reach_keras(small, tmp_path):
    config = keras2.functional()
    layers(config)[2].update(class_name="Lambda")
    with pytest.raises(VisionError, match="a Lambda, whose code is never run. Save the network without it"):
        run(tmp_path, model_file=str(h5(tmp_path, small, config)))
    assert local(tmp_path / "imported").paths() == []


@pytest.mark.keras
def test_weights_that_do_not_fit_are_refused(small, tmp_path):
    config = keras2.functional()
    layers(config)[1]["config"]["filters"] = CHANNELS + 1
    with pytest.raises(ModelFolderError, match="layer 'convolved' needs .*7.* and has shapes .*6"):
        run(tmp_path, model_file=str(h5(tmp_path, small, config)))
    assert local(tmp_path / "imported").paths() == []


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


CONFIG = json.dumps(keras2.functional())


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("config.json", CONFIG)], "are expected, each once"),
        ([("config.json", CONFIG), ("config.json", "{}"), ("model.weights.h5", b"")], "each once"),
        ([("config.json", CONFIG), ("model.weights.h5", b""), ("../../evil.py", b"")], "evil.py"),
        ([("config.json", CONFIG), ("model.weights.h5", b"\0" * 60_000_000)], "unpacks to more than"),
        ([("config.json", b" " * 40_000_000), ("model.weights.h5", b"")], "unpacks to more than"),
        ([("config.json", CONFIG), ("model.weights.h5", b"<html>")], "cut off or is not an HDF5"),
        ([("config.json", "["), ("model.weights.h5", b"")], "not valid JSON"),
    ],
    ids=["no weights", "two configs", "a path", "a bomb", "a long config", "html", "json"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_odd_archives_are_refused(tmp_path, members, message):
    path = zipped(tmp_path / "model.keras", members)
    with pytest.raises(ModelFolderError, match=message), open_keras_file(path, "model.keras"):
        pass


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_archive_is_told(tmp_path, method):
    """Other methods than deflate may unpack a megabyte to gigabytes at once, so they are refused unread."""
    with zipfile.ZipFile(tmp_path / "model.keras", "w", method) as archive:
        for name in ("config.json", "model.weights.h5"):
            archive.writestr(name, CONFIG)
    content = (tmp_path / "model.keras").read_bytes()
    start = content.index(b"model.weights.h5") + len(b"model.weights.h5")
    (tmp_path / "model.keras").write_bytes(content[:start] + b"\xff" * 20 + content[start + 20 :])
    with pytest.raises(ModelFolderError, match="damaged"), open_keras_file(tmp_path / "model.keras", "model.keras"):
        pass


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model_file": "nowhere.keras"}, "no file 'nowhere.keras'"),
        ({"model_file": "photo.h5"}, "is a picture, not a model"),
        ({"model_file": "model.h5", "labels_file": "nowhere.txt"}, "labels_file: there is no file"),
    ],
)
def test_errors_of_the_user_are_explained(small, tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    h5(tmp_path, small)
    (tmp_path / "photo.h5").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(VisionError, match=message):
        run(tmp_path, **given)


def test_a_folder_with_several_models_asks_which(small, tmp_path):
    for name in ("a.h5", "b.keras"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SettingsError, match="has 2 models of the kinds that are read .*a.h5, b.keras"):
        run(tmp_path, local(tmp_path))


@pytest.mark.keras
def test_unknown_preprocessing_is_asked_for(small, tmp_path):
    with pytest.raises(SettingsError, match="preprocessing: .*Choose caffe, tf"):
        run(tmp_path, model_file=str(h5(tmp_path, small)), preprocessing="auto")
    with pytest.raises(SettingsError, match="mean: '1, 2' is not three numbers"):
        run(tmp_path, model_file=str(h5(tmp_path, small)), mean="1, 2")
