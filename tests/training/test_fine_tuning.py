"""Fine-tuning with Keras: what is trained and what stays, kept weights, memory, checkpoints, the same answer twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_folder.formula_heads import head_of
from training.residual import CHANNELS, GRAPH, INPUT, SIDE, stripes, write_residual_model

from vision_recipes.dataset.splits import TRAIN, VALID
from vision_recipes.errors import SettingsError, TrainingError
from vision_recipes.model_folder import Model, open_model
from vision_recipes.model_folder.heads import About, Head, attach_head, spec_with_head
from vision_recipes.model_folder.saving import save_model
from vision_recipes.preprocessing import ExtraColumn, normalise
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training import batches, fine_tuning, frozen_layers
from vision_recipes.training.batches import features_and_scores, image_samples
from vision_recipes.training.checkpoints import Checkpoints
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.fine_tuning import FineTuned, fine_tune
from vision_recipes.training.frozen_layers import split_network
from vision_recipes.training.training_device import TrainingDevice
from vision_recipes.training_settings import RetrainSettings

pytestmark = pytest.mark.keras

IMAGES = stripes(64, 32)
TRAINING, VALIDATION = IMAGES.subset(TRAIN), IMAGES.subset(VALID)
SETTINGS = RetrainSettings(
    layer_to_retrain="n_last", model_learning_rate=0.2, nb_epochs=4, compute=ComputeSettings(use_gpu="false")
)
PLAIN = replace(SETTINGS, nb_epochs=2, model_l2=1e-3)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_residual_model(tmp_path_factory.mktemp("residual"))


def a_head(extra: tuple[ExtraColumn, ...] = (), dropout: float = 0.0) -> Head:
    inputs = CHANNELS + sum(column.width for column in extra)
    draw = np.random.default_rng(0)
    kernel = draw.normal(0, 0.1, (inputs, 2)).astype(np.float32)
    return Head(kernel, np.zeros(2, np.float32), ("rising", "falling"), dropout=dropout, extra=extra)


def weights_of(network: Any) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in network.layers if layer.weights}


def changed(tuned: FineTuned, base: Model, head: Head) -> set[str]:
    before, after = weights_of(attach_head(base, head)), weights_of(tuned.network)
    assert set(before) == set(after)
    return {
        name
        for name, values in before.items()
        if any(not np.array_equal(a, b) for a, b in zip(values, after[name], strict=True))
    }


@pytest.fixture(scope="module")
def tuned_once(base: Model) -> FineTuned:
    """Two epochs of the settings that most tests look at."""
    return fine_tune(base, a_head(dropout=0.3), IMAGES, PLAIN)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ({"layer_to_retrain_n": 1}, ["third"]),
        ({"layer_to_retrain_n": 2}, ["second", "third"]),
        ({"layer_to_retrain_n": 99}, ["first", "second", "third"]),
        ({"layer_to_retrain": "all"}, ["first", "second", "third"]),
        (
            {"layer_to_retrain": "all", "initial_weights": "random"},
            ["first", "first_bn", "second", "second_bn", "third"],
        ),
    ],
)
def test_which_layers_are_trained(base: Model, layers: dict[str, Any], expected: list[str]) -> None:
    network = attach_head(base, a_head())
    found = split_network(network, replace(SETTINGS, **layers))
    assert [layer.name for layer in found.trained_layers] == [*expected, "head_scores"]
    assert {layer.name for layer in network.layers if layer.trainable_weights} == {*expected, "head_scores"}


def test_the_split_follows_branches(base: Model) -> None:
    network = attach_head(base, a_head())
    found = split_network(network, replace(SETTINGS, layer_to_retrain_n=1))
    assert found.frozen is not None
    assert [tuple(output.shape[1:]) for output in found.frozen.outputs] == [(11, 11, CHANNELS)] * 2
    values = normalise(VALIDATION.pixels[:3], base.preprocessing)
    assert np.allclose(found.trainable(found.frozen(values)), network(values), atol=1e-6)
    assert found.parameters == 9 * CHANNELS**2 + CHANNELS + 2 * CHANNELS + 2
    assert split_network(network, replace(SETTINGS, layer_to_retrain="all")).frozen is None


@pytest.mark.parametrize(
    "formula", [pytest.param(name, marks=pytest.mark.slow) for name in ("interactions", "hidden", "kernel")]
)
def test_a_head_that_multiplies_columns_or_hides_a_layer_is_trained_whole(
    base: Model, tmp_path: Path, formula: str
) -> None:
    head = head_of(formula, CHANNELS, 2)
    extra = np.random.default_rng(1).normal(size=(len(IMAGES), head.config.extra_width)).astype(np.float32)
    images = replace(IMAGES, extra=extra)
    network = attach_head(base, head)
    found = split_network(network, replace(SETTINGS, layer_to_retrain_n=1))
    below = {"hidden": ["head_hidden"], "kernel": ["head_projection", "head_landmarks"]}
    own = [*below.get(formula, []), "head_scores"]
    assert [layer.name for layer in found.trained_layers] == ["third", *own]
    assert found.frozen is not None
    values = normalise(images.pixels[:3], base.preprocessing)
    outputs = [*map(np.asarray, found.frozen(values)), extra[:3]]
    assert np.allclose(found.trainable(outputs), network([values, extra[:3]]), atol=1e-6)
    tuned = fine_tune(base, head, images, replace(PLAIN, layer_to_retrain_n=1))
    assert changed(tuned, base, head) == {"third", *own}
    save_model(LocalStore(tmp_path), tuned.network, spec_with_head(base, head, About("tuned")))
    assert open_model(LocalStore(tmp_path)).config.head == head.config


def test_only_the_trained_layers_change(base: Model, tuned_once: FineTuned) -> None:
    assert changed(tuned_once, base, a_head()) == {"second", "third", "head_scores"}


def test_the_start_is_the_head_that_was_given(base: Model, tuned_once: FineTuned) -> None:
    _, scores = features_and_scores(attach_head(base, a_head()), VALIDATION, base.preprocessing)
    truth = VALIDATION.targets
    assert tuned_once.start is not None and tuned_once.start.number == 0
    assert tuned_once.start.val_accuracy == pytest.approx((scores.argmax(1) == truth).mean())
    assert tuned_once.start.val_loss == pytest.approx(-np.log(scores[np.arange(len(truth)), truth]).mean(), abs=1e-5)
    assert tuned_once.best.learning_rate == pytest.approx(0.1 * SETTINGS.model_learning_rate)


def test_the_frozen_part_changes_nothing_but_the_time(
    base: Model, tuned_once: FineTuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fine_tuning, "fit_on_disk", lambda *arguments: False)
    anew = fine_tune(base, a_head(dropout=0.3), IMAGES, PLAIN)
    for name, values in weights_of(tuned_once.network).items():
        for a, b in zip(values, weights_of(anew.network)[name], strict=True):
            assert np.allclose(a, b, atol=1e-4), name


def test_the_same_seed_gives_the_same_bits(base: Model, tuned_once: FineTuned) -> None:
    again = fine_tune(base, a_head(dropout=0.3), IMAGES, PLAIN)
    bits = [values.tobytes() for values in tuned_once.network.get_weights()]
    assert bits == [values.tobytes() for values in again.network.get_weights()]
    other = fine_tune(base, a_head(dropout=0.3), IMAGES, replace(PLAIN, random_seed=1))
    assert bits != [values.tobytes() for values in other.network.get_weights()]


def compiled(base: Model, **changes: Any) -> Any:
    settings = replace(SETTINGS, **changes)
    network = attach_head(base, a_head())
    found = split_network(network, settings)
    fine_tuning._compile(found.trainable, found, settings, TrainingDevice("CPU"))
    return found.trainable


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("adam", {"beta_1": 0.8, "amsgrad": True}),
        ("adamw", {"weight_decay": 0.02}),
        ("adagrad", {"initial_accumulator_value": 0.3}),
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        ("rmsprop", {"rho": 0.8, "centered": True, "clipnorm": 1.0}),
    ],
)
def test_every_optimizer_with_its_own_parameters(base: Model, name: str, pairs: dict[str, Any]) -> None:
    written = tuple((key, str(value)) for key, value in pairs.items())
    optimizer = compiled(base, model_optimizer=name, model_custom_params_opti=written).optimizer
    assert type(optimizer).__name__.lower() == name
    assert {key: getattr(optimizer, key) for key in pairs} == pairs
    with pytest.raises(SettingsError, match="model_custom_params_opti"):
        compiled(base, model_optimizer=name, model_custom_params_opti=(("tempo", "1"),))


def test_penalties_are_on_the_kernel_of_the_head(base: Model) -> None:
    weight = a_head().kernel
    assert compiled(base).losses == []
    (penalty,) = compiled(base, model_l1=0.5, model_l2=2.0, label_smoothing=0.25).losses
    assert float(penalty) == pytest.approx(0.5 * np.abs(weight).sum() + 2 * (weight**2).sum(), rel=1e-4)
    assert compiled(base, label_smoothing=0.25).loss.label_smoothing == 0.25


@pytest.mark.parametrize("layers", [pytest.param("n_last", marks=pytest.mark.slow), "all"])
def test_extra_columns_come_in(base: Model, layers: str) -> None:
    extra = (ExtraColumn("order", "number"), ExtraColumn("town", "category", categories=("Oslo", "Rome")))
    values = np.stack([IMAGES.targets, 0 * IMAGES.targets, 0 * IMAGES.targets + 1], axis=1).astype(np.float32)
    settings = replace(SETTINGS, nb_epochs=12, model_learning_rate=1.0, layer_to_retrain=layers)
    tuned = fine_tune(base, a_head(extra), replace(IMAGES, extra=values, columns=extra), settings)
    assert tuned.best.val_accuracy == 1 and len(tuned.network.inputs) == 2


@pytest.mark.slow
def test_fine_tuning_beats_a_head_that_is_not_enough(base: Model, tmp_path: Path) -> None:
    told: list[Epoch] = []
    tuned = fine_tune(
        base, a_head(), IMAGES, replace(SETTINGS, nb_epochs=8, layer_to_retrain="all"), on_epoch=told.append
    )
    assert tuned.start is not None and (tuned.start.val_accuracy or 1) < 0.75 < 0.9 < (tuned.best.val_accuracy or 0)
    assert tuned.beats_start and tuned.epochs == told and tuned.best in told
    assert tuned.best == max(told, key=lambda epoch: epoch.rank)
    _, scores = features_and_scores(tuned.network, VALIDATION, base.preprocessing)
    right = (scores.argmax(1) == VALIDATION.targets).mean()
    assert right == pytest.approx(tuned.best.val_accuracy)
    store = LocalStore(tmp_path / "tuned")
    save_model(store, tuned.network, spec_with_head(base, a_head(), About("tuned")))
    assert open_model(store).labels == ("rising", "falling")


@pytest.mark.slow
def test_random_weights_train_all_layers_with_their_normalisation(base: Model) -> None:
    head = a_head()
    settings = replace(
        SETTINGS, layer_to_retrain="all", initial_weights="random", model_learning_rate=0.03, nb_epochs=6
    )
    tuned = fine_tune(base, head, IMAGES, settings)
    names = {node.name for node in GRAPH.nodes if node.kind in ("Conv2D", "BatchNormalization")}
    assert changed(tuned, base, head) == names | {"head_scores"}
    assert tuned.start is None and tuned.beats_start and (tuned.best.val_accuracy or 0) > 0.9
    assert tuned.best.learning_rate == 0.03


def test_weights_of_pictures_count(base: Model) -> None:
    heavy = np.where(IMAGES.sides == VALID, 1, np.where(IMAGES.targets == 1, 9, 0.1)).astype(np.float32)
    tuned = fine_tune(base, a_head(), replace(IMAGES, weights=heavy), replace(SETTINGS, early_stopping_patience=0))
    _, scores = features_and_scores(tuned.network, VALIDATION, base.preprocessing)
    assert (scores.argmax(1) == 1).mean() > 0.8


@pytest.mark.parametrize("layers", ["n_last", "all"])
def test_copies_join_the_unchanged_pictures(base: Model, monkeypatch: pytest.MonkeyPatch, layers: str) -> None:
    seen: set[str] = set()
    whole = batches.augment

    def noted(pixels: np.ndarray, count: int, plan: Any, material: str) -> list[np.ndarray]:
        seen.add(material)
        return whole(pixels, count, plan, material)

    monkeypatch.setattr(batches, "augment", noted)
    settings = replace(SETTINGS, layer_to_retrain=layers, nb_epochs=2, data_augmentation=True, n_augmentation=2)
    with steps_watched(monkeypatch) as sizes:
        fine_tune(base, a_head(), IMAGES, settings)
    assert sum(sizes) == 2 * 3 * len(TRAINING)
    expected = {f"1337:{digest}:{number}:{copy}" for digest in TRAINING.digests for number in (0, 1) for copy in (1, 2)}
    first = {material for material in expected if material.split(":")[2] == "0"}
    if layers == "n_last":
        assert seen == first
    else:
        assert expected <= seen and not any("1-" in material.split(":")[1][:2] for material in seen)


def test_each_picture_is_shown_unchanged_and_in_augmented_copies() -> None:
    settings = replace(SETTINGS, data_augmentation=True, n_augmentation=3)
    plain = replace(INPUT, channels="rgb", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    samples = image_samples(TRAINING.take(np.arange(2)), plain, settings)
    assert len(samples) == 8
    (pixels,), (again,), (later,) = (samples.inputs(np.arange(8), number) for number in (0, 0, 1))
    for number in (0, 1):
        assert np.array_equal(pixels[4 * number], TRAINING.pixels[number])
        for place in range(4 * number + 1, 4 * number + 4):
            assert not np.array_equal(pixels[place], pixels[4 * number])
            assert not np.array_equal(pixels[place], later[place])
    assert np.array_equal(pixels, again)
    assert samples.targets.tolist() == [0] * 4 + [1] * 4
    assert len(image_samples(VALIDATION, plain)) == len(VALIDATION)


def test_outputs_and_pooled_features_of_pictures(base: Model) -> None:
    extra = np.random.default_rng(1).normal(size=(len(IMAGES), 1)).astype(np.float32)
    head = a_head((ExtraColumn("order", "number"),))
    network, images = attach_head(base, head), replace(IMAGES, extra=extra)
    features, outputs = features_and_scores(network, images, base.preprocessing)
    assert outputs.dtype == features.dtype == np.float32
    expected = network([normalise(IMAGES.pixels[:], base.preprocessing), extra], training=False)
    np.testing.assert_allclose(outputs, np.asarray(expected), atol=1e-5)
    logits = np.concatenate([features, extra], axis=1) @ head.kernel + head.bias
    np.testing.assert_allclose(np.log(outputs[:, 1] / outputs[:, 0]), logits[:, 1] - logits[:, 0], atol=1e-4)


@contextmanager
def steps_watched(monkeypatch: pytest.MonkeyPatch, check: Any = lambda size: None) -> Iterator[list[int]]:
    """Give the sizes of the batches trained on, in order; `check` is called with each size before the step."""
    import keras

    sizes: list[int] = []
    whole = keras.Model.make_train_function

    def make_train_function(self: Any, force: bool = False) -> None:
        whole(self, force)
        step = self.train_function

        def watched(iterator: Any) -> Any:
            batch = next(iterator)
            size = len(batch[1])
            sizes.append(size)
            check(size)
            return step(iter([batch]))

        self.train_function = watched if step.__name__ != "watched" else step

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "make_train_function", make_train_function)
        yield sizes


def test_a_wild_learning_rate_stops_with_a_message(base: Model) -> None:
    with pytest.raises(TrainingError, match="learning rate of 1e\\+29"):
        fine_tune(base, a_head(), IMAGES, replace(SETTINGS, model_learning_rate=1e30))


@pytest.mark.slow
def test_memory_that_runs_out_halves_the_batch(base: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    def small_machine(size: int) -> None:
        if size > limit:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    limit = 5
    with steps_watched(monkeypatch, small_machine) as sizes:
        tuned = fine_tune(base, a_head(), IMAGES, replace(SETTINGS, nb_epochs=2))
    assert tuned.batch_size == 4 and sizes[:3] == [16, 8, 4]
    assert sum(sizes[2:]) == 2 * len(TRAINING) and len(tuned.epochs) == 2
    limit = 0
    with steps_watched(monkeypatch, small_machine), pytest.raises(TrainingError, match="single picture"):
        fine_tune(base, a_head(), IMAGES, SETTINGS)


def test_an_epoch_that_memory_cut_short_starts_again_from_its_first_weights(
    base: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, nb_epochs=6, learning_rate_schedule="plateau", early_stopping_patience=0)
    small = fine_tune(base, a_head(), IMAGES, replace(settings, batch_size=4, model_optimizer="sgd"))
    failures = [6]

    def once(size: int) -> None:
        failures[0] -= 1
        if failures[0] == 0:
            raise MemoryError

    with steps_watched(monkeypatch, once) as sizes:
        tuned = fine_tune(base, a_head(), IMAGES, replace(settings, batch_size=8, model_optimizer="sgd"))
    assert sizes[:6] == [8] * 6 and sizes[6:] == [4] * 6 * 16 and len(tuned.epochs) == 6
    assert [epoch.number for epoch in tuned.epochs] == [epoch.number for epoch in small.epochs]
    assert tuned.epochs[0] == replace(small.epochs[0], seconds=tuned.epochs[0].seconds)


def test_other_failures_are_not_taken_for_memory(base: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(size: int) -> None:
        raise ZeroDivisionError("a bug")

    with steps_watched(monkeypatch, broken), pytest.raises(ZeroDivisionError):
        fine_tune(base, a_head(), IMAGES, SETTINGS)


def test_steps_and_validation_steps(base: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(SETTINGS, nb_epochs=2, batch_size=10, nb_steps_per_epoch=3, nb_validation_steps=1)
    with steps_watched(monkeypatch) as sizes:
        tuned = fine_tune(base, a_head(), IMAGES, settings)
    assert sizes == [10] * 6
    assert (10 * (tuned.epochs[0].val_accuracy or 0)) % 1 == pytest.approx(0, abs=1e-6)


def test_without_validation_training_pictures_judge(base: Model) -> None:
    tuned = fine_tune(base, a_head(), TRAINING, replace(SETTINGS, nb_epochs=6))
    assert tuned.start is not None and tuned.start.val_accuracy is None
    assert tuned.best.accuracy > tuned.start.accuracy and tuned.beats_start


def test_a_killed_training_goes_on_from_its_best_epoch(base: Model, tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    settings = replace(SETTINGS, nb_epochs=6, early_stopping_patience=0)

    def killed(epoch: Epoch) -> None:
        if epoch.number == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fine_tune(base, a_head(), IMAGES, settings, on_epoch=killed, checkpoints=Checkpoints(store, "key"))
    (path,) = store.paths()
    assert path.startswith("/training/")
    told: list[Epoch] = []
    tuned = fine_tune(base, a_head(), IMAGES, settings, on_epoch=told.append, checkpoints=Checkpoints(store, "key"))
    assert 1 < told[0].number <= 4 and [epoch.number for epoch in tuned.epochs] == [1, 2, 3, 4, 5, 6]
    assert tuned.best == max(tuned.epochs, key=lambda epoch: epoch.rank)
    assert store.paths() == []


def test_checkpoints_that_do_not_fit_are_left_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = Checkpoints(LocalStore(tmp_path), "../../key")
    epoch = Epoch(1, 1.0, 0.5, 0.9, 0.6, 0.1, 2.0)
    weights = [np.ones((2, 3), np.float32), np.zeros(3, np.float32)]
    assert kept.load(weights) is None and not caplog.text
    kept.save([epoch], weights)
    epochs, found = kept.load(weights) or ([], [])
    assert epochs == [epoch] and all(np.array_equal(a, b) for a, b in zip(found, weights, strict=True))
    assert kept.load([np.ones((2, 4), np.float32), weights[1]]) is None
    kept.save([epoch], [weights[0] * np.nan, weights[1]])
    assert kept.load(weights) is None
    (file,) = tmp_path.rglob("*.npz")
    for content in (b"", b"not a zip", file.read_bytes()[:-40]):
        file.write_bytes(content)
        assert kept.load(weights) is None
    assert "starts anew" in caplog.text
    kept.clear()
    assert kept.load(weights) is None
    assert Checkpoints(kept.store, "other").path != kept.path


def test_results_of_the_frozen_part_must_fit_on_the_disk(
    base: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = split_network(attach_head(base, a_head()), SETTINGS)
    assert frozen_layers.fit_on_disk(found.frozen, len(TRAINING), tmp_path)
    monkeypatch.setattr(frozen_layers.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    assert not frozen_layers.fit_on_disk(found.frozen, len(TRAINING), tmp_path)


@pytest.mark.slow
def test_several_devices_share_the_batches(base: Model) -> None:
    """Two halves of the processor stand for two GPUs, in a process of their own."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from training.test_fine_tuning import *
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
TrainingDevice.claim = classmethod(lambda cls, compute: cls("2 x CPU", "float32", True, strategy))
base = open_model(LocalStore({str(base.store.name)!r}))
tuned = fine_tune(base, a_head(), IMAGES, replace(SETTINGS, nb_epochs=3))
assert changed(tuned, base, a_head()) == {{"second", "third", "head_scores"}}
assert tuned.epochs[-1].loss < tuned.epochs[0].loss and len(tuned.epochs) == 3
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
def test_lower_precision_ends_in_float32(base: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    device = TrainingDevice("CPU", "mixed_bfloat16")
    monkeypatch.setattr(TrainingDevice, "claim", classmethod(lambda cls, compute: device))
    tuned = fine_tune(base, a_head(), IMAGES, replace(SETTINGS, nb_epochs=2))
    assert {layer.dtype_policy.name for layer in tuned.network.layers} == {"float32"}
    assert changed(tuned, base, a_head()) == {"second", "third", "head_scores"}
    spec = spec_with_head(base, a_head(), About("tuned"))
    assert spec.input.width == SIDE
