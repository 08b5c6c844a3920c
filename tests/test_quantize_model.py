"""A small network in int8, from pictures to a folder that is scored, retrained and refused by name where it must be."""

import json

import numpy as np
import pytest
from model_folder.small import INPUT, change_config, local, write_small_model
from PIL import Image

from vision_recipes.classify import classify
from vision_recipes.errors import ModelFolderError, PictureFolderError, SettingsError
from vision_recipes.explain import explain
from vision_recipes.export_model import export_model
from vision_recipes.extract import extract
from vision_recipes.macro_settings import ExportSettings, QuantizeSettings
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.spec import spec_of
from vision_recipes.quantisation.comparison import compare
from vision_recipes.quantisation.int8_model import Int8Model
from vision_recipes.quantize_model import quantize_model
from vision_recipes.retrain import retrain
from vision_recipes.settings import ClassifySettings, ComputeSettings, ExplainSettings
from vision_recipes.training_settings import ExtractSettings, RetrainSettings

pytest.importorskip("nncf", reason="the extra quantize is not installed")
FILES = ("xml", "bin", "check")
LABELS = ("egg", "NA", "007")


def settings(**given):
    return QuantizeSettings.from_params({"image_folder": "p", "output_managed_folder": "o", **given})


def quiet(done, total):
    assert 0 <= done <= total


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISION_RECIPES_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Forty pictures in folders by label, one of them not a picture, one hidden, one twice."""
    folder, draw = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for number in range(42):
        label = number % 3
        pixels = draw.integers(0, 90, (INPUT.height, INPUT.width, 3), np.uint8)
        pixels[:, :, label] += 160
        place = folder / LABELS[label]
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number:02}.png")
    (folder / "egg" / "99.png").write_bytes(b"no picture")
    (folder / "egg" / ".hidden").write_bytes(b"")
    (folder / "egg" / "copy.png").write_bytes((folder / "egg" / "00.png").read_bytes())
    return local(folder)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_small_model(local(tmp_path_factory.mktemp("base")))


@pytest.fixture(scope="module")
def made(base, pictures, tmp_path_factory):
    """The model in int8, and what the macro says of it."""
    output = local(tmp_path_factory.mktemp("int8"))
    given = settings(minimum_agreement=0.5, label_source="folder_names")
    return output, quantize_model(given, (base.store, pictures, output), None, quiet)


def scored(pictures, model, **compute):
    given = ClassifySettings(compute=ComputeSettings(use_gpu="false", **compute))
    return [row["label"] for row in classify(pictures, model, given)]


def test_the_folder_is_in_int8_and_says_so(base, pictures, made):
    output, facts = made
    model = open_model(output)
    told = model.config.quantisation
    assert (told.base, told.base_hash) == ("small", base.folder_hash)
    assert told.calibrated_on + told.compared_on <= 42
    assert 0.5 <= told.agreement <= 1 and told.labelled == told.compared_on
    assert model.config.openvino_only and model.folder_hash != base.folder_hash
    assert "FakeQuantize" in (output.root / "model.xml").read_text(encoding="utf-8")
    assert [layer.output for layer in model.layers] == [layer.output for layer in base.layers]
    assert [layer.parameters for layer in model.layers] == [layer.parameters for layer in base.layers]
    card = (output.root / "README.md").read_text(encoding="utf-8")
    assert "int8" in card and "accuracy on" in facts["Compared"] and "Accuracy on" in card
    assert base.config.quantisation is None and b"quantisation" not in base.config.to_json()


@pytest.mark.slow
def test_the_same_pictures_give_the_same_bytes(base, pictures, made, tmp_path):
    given = settings(minimum_agreement=0.5, label_source="folder_names")
    quantize_model(given, (base.store, pictures, local(tmp_path)), None, quiet)
    for name in ("model.xml", "model.bin", "check.npz"):
        assert (tmp_path / name).read_bytes() == (made[0].root / name).read_bytes()


def test_weights_take_half_the_range(made):
    import openvino as ov

    network = ov.Core().read_model(made[0].root / "model.xml")
    weights = [node.get_data() for node in network.get_ops() if node.get_type_name() == "Constant"]
    int8 = [values for values in weights if values.dtype == np.int8]
    assert len(int8) == 2 and 60 <= max(np.abs(values.astype(int)).max() for values in int8) <= 64


def test_int8_is_scored_and_its_features_are_its_own(base, pictures, made):
    assert scored(pictures, made[0]) == scored(pictures, made[0], precision="int8")
    given = ExtractSettings(compute=ComputeSettings(use_gpu="false"))
    vectors = [[row["prediction"] for row in extract(pictures, store, given)] for store in (base.store, made[0])]
    assert vectors[0] != vectors[1]
    float32, int8 = (np.array([one for one in found if one is not None]) for found in vectors)
    assert len(int8) == 43 and np.abs(float32 - int8).max() < 0.15 * np.abs(float32).max()


def test_a_last_layer_fitted_to_int8_is_scored_in_int8(pictures, made, tmp_path):
    retrain(pictures, made[0], local(tmp_path), RetrainSettings(compute=ComputeSettings(use_gpu="false")))
    model = open_model(local(tmp_path))
    assert model.config.quantisation == open_model(made[0]).config.quantisation.without_comparison()
    assert "in int8, quantised from small" in (tmp_path / "README.md").read_text(encoding="utf-8")
    found = scored(pictures, local(tmp_path))
    truth = [path.split("/")[1] for path in pictures.paths()]
    right = [label == true for label, true in zip(found, truth, strict=True) if label is not None]
    assert np.mean(right) > 0.9
    with pytest.raises(ModelFolderError, match="quantised to int8 already"):
        quantize_model(settings(), (local(tmp_path), pictures, local(tmp_path / "again")), None, quiet)


def test_a_retrained_model_keeps_its_head_and_detector_but_not_its_pictures(base, pictures, tmp_path):
    mine, output = local(tmp_path / "mine"), local(tmp_path / "int8")
    retrain(pictures, base.store, mine, RetrainSettings(compute=ComputeSettings(use_gpu="false")))
    quantize_model(settings(minimum_agreement=0.0), (mine, pictures, output), None, quiet)
    before, after = open_model(mine), open_model(output)
    assert after.config.files.head.sha256 == before.config.files.head.sha256
    assert (after.ood_detector is None) == (before.ood_detector is None)
    assert before.reference_pictures is not None and after.reference_pictures is None
    assert len(scored(pictures, output)) == 45


def test_what_int8_cannot_do_is_refused_by_name(base, pictures, made, tmp_path):
    for precision in ("float32", "bfloat16"):
        with pytest.raises(ModelFolderError, match=f"'{precision}', but model 'small int8' is quantised"):
            scored(pictures, made[0], precision=precision)
    with pytest.raises(ModelFolderError, match="not quantised. Run the macro vision-quantize"):
        scored(pictures, base.store, precision="int8")
    with pytest.raises(ModelFolderError, match="scoring with Keras.*'small'"):
        scored(pictures, made[0], engine="keras")
    with pytest.raises(ModelFolderError, match="a saliency map is not possible"):
        list(explain(pictures, made[0], local(tmp_path), ExplainSettings()))
    for given in ({"layer_to_retrain": "all"}, {"image_width": 32, "image_height": 32}):
        with pytest.raises(ModelFolderError, match="is not possible"):
            retrain(pictures, made[0], local(tmp_path), RetrainSettings.from_params(given))
    export = ExportSettings.from_params({"model_folder": "m", "output_managed_folder": "o", "export_format": "onnx"})
    with pytest.raises(ModelFolderError, match="exported for OpenVINO only"):
        export_model(export, made[0], local(tmp_path), quiet)
    assert local(tmp_path).paths() == []


def test_it_is_exported_for_openvino_as_it_is(made, tmp_path):
    given = {"model_folder": "m", "output_managed_folder": "o", "export_format": "openvino"}
    facts = export_model(ExportSettings.from_params(given), made[0], local(tmp_path), quiet)
    assert facts["Checked"].endswith("at most 0")
    assert "FakeQuantize" in (tmp_path / "openvino/model.xml").read_text(encoding="utf-8")


def test_too_little_agreement_writes_nothing(base, pictures, made, tmp_path, monkeypatch):
    int8 = open_model(made[0])
    files = {
        role: made[0].root / f"{role}.npz" if role == "check" else made[0].root / f"model.{role}" for role in FILES
    }
    monkeypatch.setattr(
        "vision_recipes.quantize_model.make_int8", lambda *given: Int8Model(spec_of(int8), int8.layers, files)
    )
    monkeypatch.setattr("vision_recipes.quantize_model.compare", lambda *found: compare({"/a": "b"}, {"/a": "c"}, {}))
    with pytest.raises(ModelFolderError, match=r"for 0 % of 1 picture .* minimum_agreement \(90.0 %\)"):
        quantize_model(settings(), (base.store, pictures, local(tmp_path)), None, quiet)
    assert local(tmp_path).paths() == []


def test_few_pictures_are_refused_before_any_work(base, pictures, tmp_path):
    for number in range(24):
        (tmp_path / f"{number}.png").write_bytes(b"")
    with pytest.raises(PictureFolderError, match="has 24 pictures; at least 25"):
        quantize_model(settings(), (base.store, local(tmp_path), local(tmp_path)), None, quiet)
    (tmp_path / "24.png").write_bytes(b"")
    with pytest.raises(PictureFolderError, match="only 0 can be read"):
        quantize_model(settings(), (base.store, local(tmp_path), local(tmp_path)), None, quiet)


def test_without_nncf_the_message_names_the_extra(base, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelFolderError, match=r"pip install nncf .*extra quantize.*code environment"):
        quantize_model(settings(), (base.store, pictures, local(tmp_path)), None, quiet)


def test_a_config_that_says_other_than_the_network_does_is_refused(made, base, pictures, tmp_path):
    import shutil

    folder = shutil.copytree(made[0].root, tmp_path / "m")
    change_config(folder, lambda data: data.pop("quantisation"))
    with pytest.raises(ModelFolderError, match="is in int8, which is not what config.json says"):
        scored(pictures, local(folder))


def test_mistakes_in_the_parameters_are_all_named():
    with pytest.raises(SettingsError, match=r"image_folder: .*; label_dataset: .*; output_managed_folder: "):
        QuantizeSettings.from_params({"label_source": "dataset"})
    assert json.dumps(settings().labelled) == "false"


def test_answers_differ_by_label_or_by_verdict():
    first = {"/a": ("x", "known"), "/b": ("x", "known"), "/c": ("y", "known")}
    found = compare(first, {"/a": ("x", "known"), "/b": ("x", "unsure"), "/c": ("x", "known")}, {"/c": "y", "/z": "x"})
    assert (found.pictures, found.same_label, found.same) == (3, 2, 1)
    assert (found.labelled, found.right, found.base_right) == (1, 0, 1)
    assert len(list(found.sentences())) == 3
    assert compare(first, {"/a": ("x", "known")}, {"/b": "x"}).pictures == 1  # of a storage that was too slow once
