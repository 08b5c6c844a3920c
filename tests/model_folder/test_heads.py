"""A new last layer on a known network: without Keras, and giving what Keras gives."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from model_folder.small import CHANNELS, GRAPH, INPUT, LABELS, local

from vision_recipes.dataset.column_encoding import encode
from vision_recipes.errors import TrainingError
from vision_recipes.model_folder import Network, layer_graph, open_model
from vision_recipes.model_folder.checks import score_ir
from vision_recipes.model_folder.heads import About, Head, attach_head, save_with_head, spec_with_head
from vision_recipes.model_folder.layer_graph import Graph, Node
from vision_recipes.model_folder.networks import rebuild
from vision_recipes.model_folder.resizing import resize
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import ExtraColumn, normalise

DRAW = np.random.default_rng(5)
EXTRA = (ExtraColumn("price", "number", 10.0, 2.0), ExtraColumn("town", "category", categories=("Rome", "Oslo")))
SIZES = {"avg": CHANNELS, "max": CHANNELS, "none": CHANNELS * 7 * 9}


def a_head(pooling="avg", extra=(), classes=3, probabilities="softmax"):
    width = SIZES[pooling] + sum(column.width for column in extra)
    kernel = DRAW.normal(0, 0.3, (width, classes)).astype(np.float32)
    bias = DRAW.normal(0, 0.1, classes).astype(np.float32)
    return Head(kernel, bias, tuple("abcdefgh"[:classes]), pooling, 0.2, extra, probabilities)


def by_hand(small, head, tmp_path, extra):
    """Return the scores from the base's own features, computed with numpy."""
    import openvino as ov

    compiled = ov.Core().compile_model(
        ov.Core().read_model(small.ir(tmp_path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    features = compiled({"pixels": small.check.pictures.astype(np.float32)})["layer:2"]
    pooled = {
        "avg": lambda: features.mean((1, 2)),
        "max": lambda: features.max((1, 2)),
        "none": lambda: features.reshape(len(features), -1),
    }[head.pooling]()
    logits = np.concatenate([pooled, np.repeat(extra[None], len(pooled), 0)], 1) @ head.kernel + head.bias
    if head.probabilities == "sigmoid":
        return 1 / (1 + np.exp(-logits))
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


@pytest.mark.parametrize("pooling", ["avg", "max", "none"])
@pytest.mark.parametrize("extra", [(), EXTRA], ids=["pictures", "columns"])
@pytest.mark.parametrize("probabilities", ["softmax", "sigmoid"])
def test_scores_are_those_of_the_features_and_the_layer(small, tmp_path, pooling, extra, probabilities):
    head = a_head(pooling, extra, probabilities=probabilities)
    save_with_head(local(tmp_path / "mine"), small, head, About("mine"))
    mine = open_model(local(tmp_path / "mine"))
    expected = by_hand(small, head, tmp_path, encode(extra, {}) * 0)
    np.testing.assert_allclose(mine.check.scores, expected, atol=1e-5)
    assert mine.labels == ("a", "b", "c")
    assert [layer.name for layer in mine.layers[-2:]] == ["head_pooling", "head_scores"]
    assert mine.feature_layer == small.feature_layer
    assert mine.config.head == head.config


@pytest.mark.parametrize("extra", [(), EXTRA], ids=["pictures", "columns"])
def test_a_head_on_a_head_replaces_it(small, tmp_path, extra):
    save_with_head(local(tmp_path / "one"), small, a_head(extra=extra), About("one"))
    one, head = open_model(local(tmp_path / "one")), a_head("max")
    save_with_head(local(tmp_path / "two"), one, head, About("two"))
    two = open_model(local(tmp_path / "two"))
    np.testing.assert_allclose(two.check.scores, by_hand(small, head, tmp_path, np.zeros(0, np.float32)), atol=1e-5)


@pytest.mark.keras
def test_dropout_inside_the_network_may_share_the_result_of_the_layer_before_it(tmp_path):
    convolved, active, *rest = GRAPH.nodes[1:]
    nodes = (GRAPH.nodes[0], convolved, Node("dropped", "Dropout", {"rate": 0.3}, ("convolved",)))
    graph = Graph((*nodes, replace(active, inputs=("dropped",)), *rest))
    network = layer_graph.build(graph, INPUT.input_shape)
    spec = ModelSpec("dropping", Network("dropping", classes=len(LABELS)), INPUT, LABELS, "active", graph=graph)
    save_model(local(tmp_path / "net"), network, spec)
    save_with_head(local(tmp_path / "mine"), open_model(local(tmp_path / "net")), a_head(), About("mine"))
    mine = open_model(local(tmp_path / "mine"))
    assert {"convolved", "dropped", "active"} <= {layer.name for layer in mine.layers}
    assert score_ir(mine.ir(tmp_path), mine.check.pictures) == pytest.approx(mine.check.scores, abs=1e-5)


def test_a_model_can_be_retrained_into_its_own_folder(small, folder):
    save_with_head(local(folder), small, a_head(), About("mine"))
    first = open_model(local(folder))
    save_with_head(local(folder), first, a_head(classes=2), About("mine"))
    assert open_model(local(folder)).labels == ("a", "b")
    entries = {entry.name for entry in open_model(local(folder)).config.files.entries()}
    assert {path.name for path in folder.iterdir()} == entries | {"config.json", "README.md"}


def test_saving_a_head_imports_neither_keras_nor_tensorflow(folder, tmp_path):
    code = (
        "import sys, numpy as np; from vision_recipes.model_folder import open_model;"
        "from vision_recipes.model_folder.heads import *; from vision_recipes.stores import LocalStore;"
        f"head = Head(np.ones(({CHANNELS}, 2), 'f4'), np.zeros(2, 'f4'), ('a', 'b'));"
        f"save_with_head(LocalStore({str(tmp_path / 'mine')!r}), open_model(LocalStore({str(folder)!r})), head, About('x'));"
        "print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_numbers_that_are_not_finite_are_never_saved(small, tmp_path):
    head = a_head()
    head.kernel[0, 0] = np.nan
    with pytest.raises(TrainingError, match="not finite"):
        save_with_head(local(tmp_path / "mine"), small, head, About("mine"))
    assert local(tmp_path / "mine").paths() == []


def test_reports_are_written_beside_the_model(small, tmp_path):
    save_with_head(
        local(tmp_path / "mine"), small, a_head(), About("mine", "200 photos", "Notes."), {"history.csv": b"epoch\n"}
    )
    save_with_head(local(tmp_path / "mine"), small, a_head(), About("mine", "200 photos"))
    assert (tmp_path / "mine" / "history.csv").read_bytes() == b"epoch\n"
    assert "200 photos" in (tmp_path / "mine" / "README.md").read_text()


@pytest.mark.keras
def test_keras_gives_the_same_with_a_head(small, tmp_path):
    head = a_head(extra=EXTRA)
    save_with_head(local(tmp_path / "mine"), small, head, About("mine"))
    mine = open_model(local(tmp_path / "mine"))
    pixels = normalise(mine.check.pictures, mine.preprocessing)
    none = np.zeros((len(pixels), 3), np.float32)
    assert mine.check.difference(np.asarray(rebuild(mine)([pixels, none], training=False))) < 1e-5
    tuned = attach_head(mine, head)
    assert mine.check.difference(np.asarray(tuned([pixels, none], training=False))) < 1e-5
    random = attach_head(mine, head, pretrained=False)
    assert mine.check.difference(np.asarray(random([pixels, none], training=False))) > 1e-3
    save_model(local(tmp_path / "tuned"), tuned, spec_with_head(mine, head, About("tuned")))
    saved = open_model(local(tmp_path / "tuned"))
    assert saved.check.difference(mine.check.scores) < 1e-5
    assert [layer.name for layer in saved.layers] == [layer.name for layer in mine.layers]
    assert saved.config.head == mine.config.head


@pytest.mark.keras
def test_a_resized_model_gives_features_and_takes_a_head(small, tmp_path):
    larger = resize(small, tmp_path, 33, 29)
    assert (larger.preprocessing.width, larger.preprocessing.height) == (33, 29)
    assert larger.check.scores.shape == (4, CHANNELS)
    assert larger.feature_layer.shape == (14, 16, CHANNELS)
    network = rebuild(larger)
    assert larger.check.difference(np.asarray(network(normalise(larger.check.pictures, larger.preprocessing)))) < 1e-4
    head = a_head()
    save_with_head(local(tmp_path / "mine"), larger, head, About("mine"))
    mine = open_model(local(tmp_path / "mine"))
    logits = larger.check.scores @ head.kernel + head.bias
    np.testing.assert_allclose(
        score_ir(mine.ir(tmp_path), mine.check.pictures),
        np.exp(logits) / np.exp(logits).sum(1, keepdims=True),
        atol=1e-5,
    )
