"""Models as ONNX and OpenVINO files, preprocessing inside, and the script that uses them without this project."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from model_folder.small import CHANNELS, INPUT, LABELS, local
from model_import.every_layer import network_of_every_layer
from PIL import Image

from vision_recipes.dataset.column_encoding import encode
from vision_recipes.errors import ModelFolderError
from vision_recipes.images.decoding import decode
from vision_recipes.model_export import exporting, onnx_files
from vision_recipes.model_export.scripts import script
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.checks import Check
from vision_recipes.model_folder.heads import About, Head, save_with_head
from vision_recipes.model_folder.saving import save_model
from vision_recipes.preprocessing import ExtraColumn

DRAW = np.random.default_rng(6)
EXTRA = (ExtraColumn("price", "number", 10.0, 2.0), ExtraColumn("town", "category", categories=("Rome", "Oslo")))


@pytest.fixture
def with_columns(small, tmp_path):
    """The small model retrained, with a number and a category beside its features."""
    kernel = np.random.default_rng(8).normal(0, 0.3, (CHANNELS + 3, 2)).astype(np.float32)
    head = Head(kernel, np.zeros(2, np.float32), ("yes", "né"), extra=EXTRA)
    save_with_head(local(tmp_path / "mine"), small, head, About("mine"))
    return open_model(local(tmp_path / "mine"))


def exported(model, kind, workdir):
    difference = exporting.export(model, exporting.open_network(model, workdir), kind, workdir)
    return difference, workdir / kind


def scores_of(model, pictures, extra, workdir):
    """Return what the model's own IR gives."""
    import openvino as ov

    compiled = ov.Core().compile_model(model.ir(workdir), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled({"pixels": pictures.astype(np.float32), "extra": extra})["scores"]


def test_onnx_takes_pictures_as_they_are_in_batches_of_any_size(small, tmp_path):
    difference, folder = exported(small, "onnx", tmp_path)
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    (pictures,), (probabilities,) = session.get_inputs(), session.get_outputs()
    assert (pictures.name, pictures.type) == ("pictures", "tensor(uint8)")
    assert pictures.shape == ["n", INPUT.height, INPUT.width, 3]
    assert (probabilities.name, probabilities.shape) == ("probabilities", ["n", len(LABELS)])
    for count in (1, 3):
        scores = session.run(None, {"pictures": small.check.pictures[:count]})[0]
        np.testing.assert_allclose(scores, small.check.scores[:count], atol=1e-5)
    assert difference < 1e-5
    assert sorted(path.name for path in folder.iterdir()) == ["about.json", "classify.py", "model.onnx"]
    about = json.loads(session.get_modelmeta().custom_metadata_map["model"])
    assert about == json.loads((folder / "about.json").read_text("utf-8"))
    assert about["labels"] == list(LABELS)


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_extra_columns_are_an_input_of_their_own(with_columns, tmp_path, kind):
    _difference, folder = exported(with_columns, kind, tmp_path)
    pictures = with_columns.check.pictures
    extra = np.repeat(encode(EXTRA, {"price": 14, "town": "Oslo"})[None], len(pictures), 0)
    inputs = {"pictures": pictures, "extra": extra}
    if kind == "onnx":
        scores = onnxruntime.InferenceSession(folder / "model.onnx").run(None, inputs)[0]
    else:
        import openvino as ov

        compiled = ov.Core().compile_model(folder / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        scores = compiled(inputs)["probabilities"]
    expected = scores_of(with_columns, pictures, extra, tmp_path)
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert np.abs(scores - with_columns.check.scores).max() > 0.01, "the columns should matter"


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
def test_the_script_scores_as_the_model_does(with_columns, tmp_path, kind, resize):
    model = with_columns
    part = 0.8 if resize == "crop" else 1.0
    model.config = replace(model.config, input=replace(model.config.input, resize=resize, crop_fraction=part))
    _difference, folder = exported(model, kind, tmp_path)
    photo = Image.fromarray(DRAW.integers(0, 256, (50, 90, 3), np.uint8)).resize((300, 170))
    photo.save(tmp_path / "photo.png")
    done = subprocess.run(
        [sys.executable, "-I", folder / "classify.py", "photo.png", "price=11.5", "town=Rome"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    path, label, probability = done.stdout.strip().split("\t")
    pictures = decode((tmp_path / "photo.png").read_bytes(), model.preprocessing)[None]
    extra = encode(EXTRA, {"price": 11.5, "town": "Rome"})[None]
    (expected,) = scores_of(model, pictures, extra, tmp_path)
    assert (path, label) == ("photo.png", model.labels[expected.argmax()])
    assert float(probability) == pytest.approx(expected.max(), abs=2e-3)


def ran(folder, *words):
    """Run the script with a stand-in for the runtime that prints the encoded columns instead of scoring."""
    return subprocess.run(
        [sys.executable, "-I", folder / "classify.py", *words], cwd=folder.parent, capture_output=True, encoding="utf-8"
    )


@pytest.fixture
def column_script(tmp_path):
    """The script of a model with columns, made to print the encoded values; the network is not run."""
    text = script("onnx", columns=True).replace("onnxruntime", "math").replace("network = math", "network = 0 #")
    folder = tmp_path / "onnx"
    folder.mkdir()
    text = text[: text.index("if not photos:")] + "print(json.dumps([extra, photos]))\n"
    (folder / "classify.py").write_text(text, encoding="utf-8")
    columns = (
        ExtraColumn("num", "number", 10.0, 2.0),
        ExtraColumn("flag", "number", 0.5, 0.5),
        ExtraColumn("place", "category", categories=("-1", "0", "1", "2.0", "True", "007")),
    )
    about = {"resize": "squash", "columns": [vars(column) for column in columns]}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
    return folder, columns


def test_the_script_reads_values_as_the_recipes_do(column_script):
    folder, columns = column_script
    cells = ["true", "False", "nan", "NaN", "N/A", "", "inf", "1e400", "1e300", "1.0", " 1 ", "2", "2.50", "-1.0", "-0"]
    for text in [*cells, "7", "007", "abc", "TRUE"]:
        row = {"num": text, "flag": text, "place": text}
        done = ran(folder, "a.jpg", *(f"{name}={value}" for name, value in row.items()), "b.jpg")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [encode(columns, row).tolist(), ["a.jpg", "b.jpg"]], text
        assert ("place=7: no category that the model was trained with" in done.stderr) == (text == "7")


def test_the_script_refuses_other_columns_and_photos_in_a_sentence(with_columns, tmp_path):
    _difference, folder = exported(with_columns, "onnx", tmp_path)
    for words, told in [
        (["photo.png", "prise=1"], "prise=1: the model has no such column; its columns are price, town\n"),
        (["nothing.png", "price=1"], "nothing.png: no such file. Label photos: python classify.py PHOTO ..."),
        (["price=1"], "Label photos: python classify.py PHOTO ... [COLUMN=VALUE ...]"),
    ]:
        done = ran(folder, *words)
        assert (done.returncode, done.stdout) == (1, "") and done.stderr.startswith(told), done.stderr
    for name in ("one.png", "a=b.png"):
        Image.new("RGB", (50, 40), "red").save(tmp_path / name)
    done = ran(folder, "one.png", "price=11", "a=b.png")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["one.png", "a=b.png"], done.stderr


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_the_script_is_short_and_mentions_nothing_of_ours(kind):
    text = script(kind, columns=False)
    compile(text, "classify.py", "exec")
    assert len([line for line in text.splitlines() if line.strip()]) <= 22
    assert "vision_recipes" not in text + script(kind, columns=True)


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_other_scores_are_refused(small, tmp_path, kind):
    network = exporting.open_network(small, tmp_path)
    small.__dict__["check"] = Check(small.check.pictures, small.check.scores + np.float32(0.01))
    with pytest.raises(ModelFolderError, match=f"The {kind} form of 'small' does not give the scores.*differs by"):
        exporting.export(small, network, kind, tmp_path)


def test_an_operation_without_translation_is_named(tmp_path):
    import openvino as ov
    import openvino.opset13 as ops

    numbers = ops.parameter([-1, 4], np.float32)
    sums = ops.cum_sum(numbers, np.array(1))
    network = ov.Model([ops.result(sums)], [numbers])
    network.inputs[0].get_tensor().set_names({"pictures"})
    with pytest.raises(ModelFolderError, match="CumSum.*Choose the format openvino"):
        onnx_files.write_onnx(network, tmp_path / "model.onnx", {})
    assert not (tmp_path / "model.onnx").exists()


def test_the_same_model_gives_the_same_bytes(small, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        exported(small, "onnx", tmp_path / name)
    assert (tmp_path / "one/onnx/model.onnx").read_bytes() == (tmp_path / "two/onnx/model.onnx").read_bytes()


@pytest.mark.keras
@pytest.mark.slow
def test_every_layer_that_is_read_can_be_exported(tmp_path):
    save_model(local(tmp_path / "model"), *network_of_every_layer())
    model = open_model(local(tmp_path / "model"))
    difference, _folder = exported(model, "onnx", tmp_path)
    assert difference < 1e-5
    assert np.ptp(model.check.scores, axis=0).max() > 0.01, "the pictures should have different answers"
