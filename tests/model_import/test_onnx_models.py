"""ONNX image networks come in: they score as in onnxruntime, are extracted and get new last layers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_folder.small import local
from model_import import onnx_files
from model_import.onnx_files import CLASSES, convnext, save, vision_transformer
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from vision_recipes.classify import classify
from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.explain import explain
from vision_recipes.export_model import export_model
from vision_recipes.import_model import import_model
from vision_recipes.inference.engine import FEATURES, SCORES
from vision_recipes.inference.opening import open_engine
from vision_recipes.macro_settings import ExportSettings, ImportSettings
from vision_recipes.model_folder import Model, open_model
from vision_recipes.model_folder.heads import About, Head, save_with_head
from vision_recipes.model_folder.resizing import resize
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import normalise
from vision_recipes.settings import ClassifySettings, ComputeSettings, ExplainSettings
from vision_recipes.training.starting_model import prepare_model
from vision_recipes.training_settings import RetrainSettings

EXACT = ComputeSettings(use_gpu="false", precision="float32")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


def imported(model: Any, folder: Path, **params: Any) -> Model:
    """Return the opened model folder of a ModelProto; scaled as `torch` unless the parameters say otherwise."""
    folder.mkdir(exist_ok=True)
    path = save(model, folder / "network.onnx")
    chosen = {"preprocessing": "torch", "output_kind": "scores"} | params
    settings = ImportSettings.from_params({"model_file": str(path), "output_managed_folder": "x"} | chosen)
    import_model(settings, local(folder / "made"), None, None, lambda *_: None)
    return open_model(local(folder / "made"))


def photos(model: Model, count: int = 6) -> list[Picture]:
    draw, size = np.random.default_rng(3), model.preprocessing
    pixels = draw.integers(0, 256, (count, size.height, size.width, 3), np.uint8)
    return [Picture(f"/{number}.png", values) for number, values in enumerate(pixels)]


def answers(model: Model, output: str | int = SCORES, **options: Any) -> np.ndarray:
    engine = open_engine(model, EXACT, output, **options)
    return np.stack([vector for _, vector in engine.run(photos(model)) if vector is not None])


def expected(onnx_model: Any, model: Model, *, last: bool = False, singly: bool = False) -> np.ndarray:
    """Return what onnxruntime gives for the same pictures."""
    pixels = np.stack([picture.pixels for picture in photos(model) if picture.pixels is not None])
    values = normalise(pixels, model.preprocessing)
    return onnx_files.run(onnx_model, values if last else values.transpose(0, 3, 1, 2), singly=singly)


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("batch", ["batch", 1])
@pytest.mark.parametrize("network", [vision_transformer, convnext])
def test_scores_are_those_of_onnxruntime(network: Any, batch: Any, tmp_path: Path) -> None:
    made = network(batch)
    model = imported(made, tmp_path)
    assert np.abs(answers(model, batch=4) - softmax(expected(made, model, singly=batch == 1))).max() < 1e-5
    assert model.config.openvino_only and model.config.files.weights is None
    assert model.labels == tuple(f"class_{number}" for number in range(CLASSES))


def bound_to_one_picture(axis: int) -> Any:
    """Return a ConvNeXt whose pooled values pass through sums over an axis with the batch (0), or a flat list (1)."""
    made = convnext(1)
    nodes = list(made.graph.node)
    place = next(number for number, node in enumerate(nodes) if node.op_type == "Flatten")
    flat, sizes = nodes[place].output[0], {"halves": [2, 8], "list": [16], "back": [1, -1]}
    for name, size in sizes.items():
        made.graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [len(size)], size))
    if axis == 0:
        added = [
            helper.make_node("Reshape", [flat, "halves"], ["a"]),
            helper.make_node("ReduceSum", ["a"], ["b"], keepdims=1, noop_with_empty_axes=0),
            helper.make_node("Max", [flat, "b"], ["c"]),
        ]
    else:
        added = [helper.make_node("Reshape", [flat, "list"], ["a"]), helper.make_node("Reshape", ["a", "back"], ["c"])]
    for node in nodes[place + 1 :]:
        node.input[:] = ["c" if name == flat else name for name in node.input]
    for node in reversed(added):
        made.graph.node.insert(place + 1, node)
    return made


@pytest.mark.parametrize("axis", [0, 1])
def test_a_network_bound_to_one_picture_still_scores(axis: int, tmp_path: Path) -> None:
    made = bound_to_one_picture(axis)
    model = imported(made, tmp_path)
    assert np.abs(answers(model, batch=4) - softmax(expected(made, model, singly=True))).max() < 1e-5
    assert axis or "one picture at a time" in (tmp_path / "made" / "README.md").read_text("utf-8")


def test_channels_last_is_seen_and_grey_pictures_are_scored(tmp_path: Path) -> None:
    for name, options in (("last", {"last": True}), ("grey", {"channels": 1}), ("both", {"channels": 1, "last": True})):
        made = convnext(**options)
        model = imported(made, tmp_path / name, preprocessing="zero_to_one")
        assert model.preprocessing.channels == ("grey" if "channels" in options else "rgb")
        last = bool(options.get("last"))
        assert np.abs(answers(model) - softmax(expected(made, model, last=last))).max() < 1e-5


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.FLOAT16])
def test_bytes_and_half_precision_go_in(kind: int, tmp_path: Path) -> None:
    made = convnext()
    made.graph.input[0].type.tensor_type.elem_type = kind
    made.graph.node.insert(0, helper.make_node("Cast", ["input"], ["cast"], to=TensorProto.FLOAT))
    made.graph.node[1].input[0] = "cast"
    raw = kind == TensorProto.UINT8
    model = imported(made, tmp_path, preprocessing="auto" if raw else "tf")
    pixels = np.stack([picture.pixels for picture in photos(model) if picture.pixels is not None])
    values = normalise(pixels, model.preprocessing).astype(np.uint8 if raw else np.float16).transpose(0, 3, 1, 2)
    assert np.abs(answers(model) - softmax(onnx_files.run(made, values))).max() < 2e-3
    if raw:
        with pytest.raises(SettingsError, match="takes pictures as bytes"):
            imported(made, tmp_path / "torch")


def test_one_unit_is_two_labels_and_probabilities_stay(tmp_path: Path) -> None:
    single = convnext(units=1)
    model = imported(single, tmp_path / "single")
    second = 1 / (1 + np.exp(-expected(single, model)))
    assert np.abs(answers(model) - np.hstack([1 - second, second])).max() < 1e-5
    final = vision_transformer(end="probabilities")
    model = imported(final, tmp_path / "final", output_kind="auto")
    assert np.abs(answers(model) - expected(final, model)).max() < 1e-5


def test_layers_are_extracted_channels_last(tmp_path: Path) -> None:
    """The stages' sums are as onnxruntime gives them, averaged over places, and features are what the last layer takes."""
    made = convnext()
    made.graph.output.insert(0, helper.make_tensor_value_info("/stages.0/Add", TensorProto.FLOAT, ["batch", 8, 8, 8]))
    model = imported(made, tmp_path, model_output="output")
    layer = model.config.layer_named("stages.0_Add")
    assert layer.shape == (8, 8, 8)
    assert np.abs(answers(model, layer.index) - expected(made, model).mean(axis=(2, 3))).max() < 1e-4
    flat = answers(model, layer.index, pooling="none").reshape(-1, 8, 8, 8)
    assert np.abs(flat - expected(made, model).transpose(0, 2, 3, 1)).max() < 1e-4
    assert model.feature_layer.shape == (16,)
    vectors, gemm = answers(model, FEATURES), made.graph.node[-1]
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer}
    logits = vectors @ weights[gemm.input[1]] + weights[gemm.input[2]]
    assert np.abs(softmax(logits) - answers(model)).max() < 1e-5


def test_tokens_are_layers_too(tmp_path: Path) -> None:
    for end in ("logits", "mean"):
        model = imported(vision_transformer(end=end), tmp_path / end)
        assert model.feature_layer.shape == (16,)
        block = model.config.layer_named("blocks.0_Add")
        assert block.shape == (17, 16) and answers(model, block.index).shape == (6, 16)
        assert sum(layer.parameters for layer in model.layers) > 4000


@pytest.mark.parametrize("network", [vision_transformer, convnext])
def test_a_new_last_layer_without_keras(network: Any, tmp_path: Path) -> None:
    """A head on the features gives what its numbers say; so does a second one on the model with the first."""
    model = imported(network(), tmp_path)
    draw = np.random.default_rng(5)
    for round_ in ("first", "second"):
        vectors = answers(model, FEATURES)
        kernel, bias = draw.normal(0, 1, (16, 3)).astype(np.float32), np.zeros(3, np.float32)
        save_with_head(local(tmp_path / round_), model, Head(kernel, bias, ("a", "b", "c")), About(round_))
        model = open_model(local(tmp_path / round_))
        assert np.abs(answers(model) - softmax(vectors @ kernel)).max() < 1e-5
        assert model.config.openvino_only


def test_a_vector_is_extracted_and_retrained_but_not_classified(tmp_path: Path) -> None:
    made = vision_transformer(end="tokens")
    model = imported(made, tmp_path, output_kind="vector")
    assert model.config.ends_in_features
    assert np.abs(answers(model, FEATURES) - expected(made, model).mean(axis=1)).max() < 1e-5
    with pytest.raises(ModelFolderError, match="vision-retrain"):
        classify(local(tmp_path), model.store, ClassifySettings())
    head = Head(np.eye(16, 2, dtype=np.float32), np.zeros(2, np.float32), ("a", "b"))
    save_with_head(local(tmp_path / "new"), model, head, About("new"))
    retrained = open_model(local(tmp_path / "new"))
    assert np.abs(answers(retrained) - softmax(answers(model, FEATURES)[:, :2])).max() < 1e-5


def test_what_a_network_is_for_is_asked_not_guessed(tmp_path: Path) -> None:
    for params, words in (
        ({"output_kind": "auto"}, "output_kind: .* gives 5 numbers"),
        ({"preprocessing": "auto"}, "preprocessing: .* does not say how its pictures are scaled"),
        ({"image_width": 64, "image_height": 64}, "takes pictures of 32 x 32 only"),
        ({"model_output": "other"}, "has no output 'other'. Choose one of: logits"),
        ({"input_layout": "nhwc"}, "with 32 channels as NHWC"),
    ):
        with pytest.raises(SettingsError, match=words):
            imported(vision_transformer(), tmp_path, **params)
    for made, params, words in (
        (convnext(sides=("height", "width")), {}, "takes pictures of any size"),
        (convnext(sides=(3, 3)), {}, "does not tell where its channels are"),
    ):
        with pytest.raises(SettingsError, match=words):
            imported(made, tmp_path, **params)
    model = imported(convnext(sides=("height", "width")), tmp_path, image_width=48, image_height=32)
    assert model.preprocessing.input_shape == (32, 48, 3)


def test_sample_pictures_show_the_labels_under_each_scaling(tmp_path: Path) -> None:
    made, folder = vision_transformer(), tmp_path / "photos"
    folder.mkdir()
    for number, picture in enumerate(photos(imported(made, tmp_path))):
        assert picture.pixels is not None
        Image.fromarray(picture.pixels).save(folder / f"{number}.png")
    chosen = {"model_file": str(tmp_path / "network.onnx"), "output_managed_folder": "x", "output_kind": "scores"}
    settings = ImportSettings.from_params(chosen | {"sample_folder": "x"})
    with pytest.raises(SettingsError, match="the right labels|labels are right") as caught:
        import_model(settings, local(tmp_path / "asked"), None, local(folder), lambda *_: None)
    assert local(tmp_path / "asked").paths() == []
    for name in ("caffe", "zero_to_one"):
        model = imported(made, tmp_path, preprocessing=name)
        best = softmax(expected(made, model))
        words = [f"{n}.png class_{row.argmax()} {row.max():.0%}" for n, row in enumerate(best)]
        assert f"  {name}: {'; '.join(words)}" in str(caught.value).splitlines()
        known = ImportSettings.from_params(chosen | {"sample_folder": "x", "preprocessing": name})
        facts = import_model(known, local(tmp_path / "known"), None, local(folder), lambda *_: None)
        assert facts[f"Labels, {name}, as imported"] == "; ".join(words)


def test_files_beside_the_model_tell_scaling_size_and_labels(tmp_path: Path) -> None:
    processor = {"do_resize": True, "size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": 32}
    processor |= {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.1], "rescale_factor": 1 / 255}
    names = {str(number): f"name {number}, twice" for number in range(CLASSES)}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "convnext", "id2label": names}))
    made = convnext(sides=("height", "width"))
    model = imported(made, tmp_path, preprocessing="auto", output_kind="auto")
    size = model.preprocessing
    assert (size.width, size.resize, size.crop_fraction) == (32, "crop", 0.8)
    assert np.allclose(size.mean, (127.5, 102, 76.5)) and np.allclose(size.std, (51, 51, 25.5))
    assert model.labels == tuple(names.values())
    assert np.abs(answers(model) - softmax(expected(made, model))).max() < 1e-5
    folder = ImportSettings.from_params({"model_source_folder": "x", "output_managed_folder": "x"})
    import_model(folder, local(tmp_path / "again"), local(tmp_path), None, lambda *_: None)
    assert open_model(local(tmp_path / "again")).labels == model.labels


def test_what_needs_keras_says_so(tmp_path: Path) -> None:
    model = imported(convnext(), tmp_path)
    settings = RetrainSettings.from_params(
        {"label_source": "folder_names", "layer_to_retrain": "all", "compute": {"use_gpu": "false"}}
    )
    for call in (
        lambda: prepare_model(model, settings, tmp_path),
        lambda: resize(model, tmp_path, 64, 64),
        lambda: open_engine(model, ComputeSettings(engine="keras", use_gpu="false")),
        lambda: explain(local(tmp_path), model.store, ExplainSettings()),
    ):
        with pytest.raises(ModelFolderError, match="came as an ONNX file.*is not possible"):
            call()


def test_exports_are_checked_or_refused_by_name(tmp_path: Path) -> None:
    for name, network in (("convnext", convnext), ("vit", vision_transformer)):
        model = imported(network(), tmp_path / name)
        for kind in ("onnx", "openvino"):
            settings = ExportSettings.from_params(
                {"model_folder": "x", "export_format": kind, "output_managed_folder": "x"}
            )
            try:
                export_model(settings, model.store, local(tmp_path / name / kind), lambda *_: None)
            except ModelFolderError as err:
                assert kind == "onnx" and "Choose the format openvino" in str(err)


def test_neither_keras_nor_tensorflow_is_loaded(tmp_path: Path) -> None:
    path = save(convnext(), tmp_path / "network.onnx")
    code = """
import sys
from vision_recipes.import_model import import_model
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.stores import LocalStore
given = {"model_file": sys.argv[1], "preprocessing": "tf", "output_kind": "scores", "output_managed_folder": "x"}
import_model(ImportSettings.from_params(given), LocalStore(sys.argv[2]), None, None, lambda *_: None)
print(sorted({"keras", "tensorflow", "onnx", "torch"} & set(sys.modules)))
"""
    (tmp_path / "made").mkdir()
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "made")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
