"""Heads that join columns with features in each way: the same in numpy, OpenVINO, Keras and ONNX."""

import json
from dataclasses import replace

import numpy as np
import pytest
from model_folder.formula_heads import EXTRA, FORMULAS, head_of
from model_folder.small import CHANNELS, local

from vision_recipes.errors import ModelFolderError
from vision_recipes.inference.opening import open_engine
from vision_recipes.metrics import softmax
from vision_recipes.model_export import exporting
from vision_recipes.model_folder import checks, head_formulas, open_model
from vision_recipes.model_folder.config import MAX_PRODUCTS, HeadConfig
from vision_recipes.model_folder.heads import About, Head, attach_head, save_with_head, spec_with_head
from vision_recipes.model_folder.networks import rebuild, require_fit
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import spec_of
from vision_recipes.preprocessing import normalise
from vision_recipes.settings import ComputeSettings

WIDTH = 3
JOINING = FORMULAS[1:]


@pytest.fixture(params=JOINING)
def head(request):
    return head_of(request.param, CHANNELS)


@pytest.fixture
def mine(small, tmp_path, head):
    save_with_head(local(tmp_path / "mine"), small, head, About("mine"))
    return open_model(local(tmp_path / "mine"))


def scores(model, pictures, extra, workdir):
    """Return the scores and pooled features that the model's IR gives."""
    import openvino as ov

    compiled = ov.Core().compile_model(model.ir(workdir), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled({"pixels": pictures.astype(np.float32), "extra": extra})
    return found["scores"], found[model.layers[-2].output]


def by_hand(head, features, extra):
    if head.kernel_layer is not None:
        layer = head.kernel_layer
        projected = features @ layer.projection + layer.projection_bias
        unit = projected / np.sqrt((projected**2).sum(axis=1, keepdims=True))
        features = np.exp(unit @ layer.landmarks + layer.landmarks_bias)
    joined = np.concatenate([features, extra], axis=1)
    if head.hidden is not None:
        joined = np.tanh(joined @ head.hidden.kernel + head.hidden.bias)
    if head.columns == "interactions":
        joined = np.concatenate([joined, *(features * extra[:, [place]] for place in range(extra.shape[1]))], axis=1)
    return joined @ head.kernel + head.bias


def test_the_scores_are_those_of_the_formula(mine, head, tmp_path):
    extra = np.random.default_rng(1).normal(size=(4, WIDTH)).astype(np.float32)
    extra[1, 1] = 0
    found, features = scores(mine, mine.check.pictures, extra, tmp_path)
    expected = by_hand(head, features, extra)
    np.testing.assert_allclose(found, softmax(expected), atol=1e-5)
    weights = (head.kernel, head.bias)
    logits = head_formulas.logits(features, extra, weights, head.hidden, head.kernel_layer)
    np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize("formula", FORMULAS)
def test_config_says_what_the_head_is(small, tmp_path, formula):
    head = head_of(formula, CHANNELS)
    save_with_head(local(tmp_path / "mine"), small, head, About("mine"))
    mine = open_model(local(tmp_path / "mine"))
    sizes = {"hidden": {"columns": "hidden", "hidden": 5}, "kernel": {"components": 4, "landmarks": 5}}
    expected = HeadConfig(CHANNELS, extra=EXTRA, **sizes.get(formula, {"columns": formula}))
    assert mine.config.head == head.config == expected
    assert [layer.name for layer in mine.layers[-2:]] == ["head_pooling", "head_scores"]
    assert mine.layers[-1].parameters == head.size
    shapes = {name: [part.shape for part in layer] for name, layer in head.weights.items()}
    assert shapes == head_formulas.variable_shapes(head.config, 3)


def test_check_pictures_have_columns_so_that_a_check_notices_each_weight(mine, head, tmp_path, small):
    differences = []
    for sign in (-1, 1):
        changed = replace(head, kernel=head.kernel.copy())
        row = 0 if head.kernel_layer else -1  # added columns are 0 in a check
        changed.kernel[row, mine.check.scores[0].argmin()] += sign * 100.0
        save_with_head(local(tmp_path / "other"), small, changed, About("other"))
        differences.append(open_model(local(tmp_path / "other")).check.difference(mine.check.scores))
    assert max(differences) > 1e-2
    assert not checks.check_columns(head_of("additive", CHANNELS).config).any()


@pytest.mark.keras
def test_both_engines_give_the_same(mine, head, tmp_path):
    extra = np.random.default_rng(2).normal(size=(4, WIDTH)).astype(np.float32)
    expected, _ = scores(mine, mine.check.pictures, extra, tmp_path)
    pixels = normalise(mine.check.pictures, mine.preprocessing)
    np.testing.assert_allclose(np.asarray(rebuild(mine)([pixels, extra], training=False)), expected, atol=1e-5)
    np.testing.assert_allclose(
        np.asarray(attach_head(mine, head)([pixels, extra], training=False)), expected, atol=1e-5
    )
    for engine in ("openvino", "keras"):
        open_engine(mine, ComputeSettings(engine=engine, use_gpu="false", precision="float32"))


@pytest.mark.keras
def test_a_network_of_keras_with_such_a_head_is_saved_whole(mine, head, tmp_path):
    network = attach_head(mine, head)
    save_model(local(tmp_path / "tuned"), network, spec_with_head(mine, head, About("tuned")))
    saved = open_model(local(tmp_path / "tuned"))
    assert saved.check.difference(mine.check.scores) < 1e-5
    assert [layer.name for layer in saved.layers] == [layer.name for layer in mine.layers]
    assert saved.config.head == mine.config.head
    again = head_of("additive", CHANNELS, 2, ())
    save_with_head(local(tmp_path / "again"), saved, again, About("again"))
    assert open_model(local(tmp_path / "again")).labels == ("a", "b")


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_exports_give_the_same(mine, tmp_path, kind):
    network = exporting.open_network(mine, tmp_path)
    assert exporting.export(mine, network, kind, tmp_path) < 1e-4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": "products"}, "columns 'products' is not one of"),
        ({"columns": "interactions", "extra": ()}, "extra has no columns"),
        ({"columns": "interactions", "features": MAX_PRODUCTS}, "products of features and columns"),
        ({"columns": "hidden"}, "hidden must be from 1 to 4096"),
        ({"columns": "hidden", "hidden": 5000}, "hidden must be from 1 to 4096"),
        ({"hidden": 8}, "else 0, not 8"),
        ({"landmarks": 8}, "components 0, landmarks 8: must be from 1 to 4096 and 4096, or both 0"),
        ({"components": -1, "landmarks": 8}, "components -1"),
        ({"components": 4, "landmarks": 5000}, "landmarks 5000"),
        ({"components": 4, "landmarks": 8, "columns": "interactions"}, "columns must be additive"),
    ],
)
def test_a_head_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        HeadConfig(**{"features": 8, "extra": EXTRA, **changes})


def test_weights_of_another_formula_are_refused(mine, tmp_path):
    spec = spec_of(mine)
    other = replace(spec, head=replace(spec.head, columns="additive", hidden=0, components=0, landmarks=0))
    with pytest.raises(ModelFolderError, match="head_scores"):
        require_fit(other, mine.weights(tmp_path), "Retrain it.")


def test_an_old_head_reads_as_additive(small, tmp_path):
    save_with_head(local(tmp_path / "mine"), small, head_of("additive", CHANNELS), About("mine"))
    path = tmp_path / "mine" / "config.json"
    data = json.loads(path.read_text("utf-8"))
    for name in ("columns", "hidden", "components", "landmarks"):
        del data["head"][name]
    path.write_text(json.dumps(data), "utf-8")
    head = open_model(local(tmp_path / "mine")).config.head
    assert (head.columns, head.hidden, head.extra) == ("additive", 0, EXTRA)


def test_numbers_of_a_hidden_layer_must_be_finite_too(small, tmp_path):
    head: Head = head_of("hidden", CHANNELS)
    head.hidden.kernel[0, 0] = np.inf
    with pytest.raises(Exception, match="not finite"):
        save_with_head(local(tmp_path / "mine"), small, head, About("mine"))
