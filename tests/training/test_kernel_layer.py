"""A kernel machine is chosen where labels stand for several kinds of pictures, and is the same as a head of layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.errors import SettingsError, TrainingError
from vision_recipes.preprocessing import ExtraColumn
from vision_recipes.training import kernel_layer
from vision_recipes.training.held_out import held_out, judged
from vision_recipes.training.kernel_layer import KernelDesign, UnitComponents, fit_kernel, held_out_kernel
from vision_recipes.training.last_layer_choice import choose_last_layer
from vision_recipes.training.linear_probe import fit
from vision_recipes.training.outcome import choices
from vision_recipes.training.regularisation import held_out_folds
from vision_recipes.training_settings import RetrainSettings

KERNEL, AUTO = RetrainSettings(last_layer="kernel"), RetrainSettings(last_layer="auto")


def exclusive_or(rows: int = 300) -> LabelledImages:
    """Return two labels that no linear layer tells apart: the product of two signs."""
    draw = np.random.default_rng(1)
    signs = draw.choice([-1.0, 1.0], (rows, 2))
    features = np.repeat(signs, 8, axis=1) + draw.normal(0, 0.7, (rows, 16))
    return LabelledImages.of_features((5 + features).astype(np.float32), (signs.prod(axis=1) > 0).astype(int), "ab")


def with_column(images: LabelledImages) -> LabelledImages:
    extra = np.random.default_rng(2).normal(size=(len(images), 1)).astype(np.float32)
    return replace(images, extra=extra, columns=(ExtraColumn("price", "number"),))


def test_the_kernel_is_chosen_where_it_is_surely_better_and_only_there():
    both = choose_last_layer(exclusive_or(), AUTO)
    assert both.chosen == "kernel" and both.accuracy_kernel > both.accuracy_linear + 0.3
    assert both.described()["accuracy_linear"] == both.accuracy_linear
    (sentence,) = choices({"last_layer": both.described()})
    assert sentence.startswith("last layer: a kernel machine (") and "with linear" in sentence
    draw = np.random.default_rng(4)
    targets = np.arange(240) % 3
    simple = draw.normal(0, 1, (240, 20)) + draw.normal(0, 0.6, (3, 20))[targets]
    linear = choose_last_layer(LabelledImages.of_features(simple.astype(np.float32), targets, "abc"), AUTO)
    assert linear.chosen == "linear" and linear.accuracy_kernel is not None


def test_it_is_not_compared_where_it_cannot_be_used_or_nothing_can_be_held_out():
    images = exclusive_or()
    for given in ({"model_l2": 0.1}, {"model_optimizer": "sgd"}, {"layer_to_retrain": "all"}, {"last_layer": "linear"}):
        choice = choose_last_layer(images, replace(AUTO, **given))
        assert (choice.chosen, choice.accuracy_kernel) == ("linear", None), given
    assert choose_last_layer(images.take(np.arange(10)), AUTO).chosen == "linear"
    assert choose_last_layer(with_column(images), AUTO).chosen == "linear"
    assert choose_last_layer(images.take(np.arange(10)), KERNEL).chosen == "kernel"


def test_held_out_rows_are_predicted_by_fits_to_the_others():
    images = exclusive_or()
    rows, folds = held_out_folds(images.targets, images.groups, 0)
    found, linear = held_out_kernel(images.take(rows), folds), held_out(images.take(rows), folds)
    assert found.logits.shape == linear.logits.shape and found.predicted.all()
    assert judged(found, images.take(rows))[1].mean() > 0.9
    shuffled = replace(images, targets=np.random.default_rng(0).permutation(images.targets))
    assert judged(held_out_kernel(shuffled, folds), shuffled)[1].mean() < 0.62


@pytest.mark.parametrize("columns", [False, True])
def test_the_layers_give_what_the_solver_found(columns: bool):
    images = with_column(exclusive_or()) if columns else exclusive_or()
    train, valid = images.take(np.arange(200)), images.take(np.arange(200, 300))
    probe = fit(train, valid, KERNEL)
    assert probe.kernel_layer is not None and probe.kernel.shape == (200 + columns, 2)
    logits = probe.logits(valid)
    assert (logits.argmax(axis=1) == valid.targets).mean() > 0.9
    ready = KernelDesign.of(UnitComponents.of(train, 1337), 0.5, train.extra)
    np.testing.assert_allclose(ready.apply(train), ready.matrix, atol=1e-4)
    kernel, bias = np.random.default_rng(0).normal(size=(ready.matrix.shape[1], 2)), np.array([0.5, -0.5])
    layer, second, second_bias = ready.fold(kernel, bias)
    folded = np.concatenate([layer.units(valid.features), valid.extra], axis=1) @ second + second_bias
    np.testing.assert_allclose(folded, ready.apply(valid) @ kernel + bias, atol=2e-3)
    assert len(probe.epochs) > 1 and "kernel of 200 landmarks" in probe.how
    np.testing.assert_array_equal(fit(train, valid, KERNEL).kernel, probe.kernel)


def test_few_or_equal_pictures_and_very_many_features(monkeypatch: pytest.MonkeyPatch):
    few = exclusive_or().take(np.arange(6))
    assert np.isfinite(fit(few, few.take(np.arange(0)), KERNEL).kernel).all()
    equal = replace(few, features=np.ones((6, 16), np.float32))
    assert np.isfinite(fit(equal, equal, KERNEL).logits(equal)).all()
    monkeypatch.setattr(kernel_layer, "_MOST_CELLS", 10)
    with pytest.raises(TrainingError, match=r"6 training pictures with 16 features.*last_layer to linear"):
        fit_kernel(few, few, KERNEL, print)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"initial_weights": "random"}, "set initial_weights to pretrained"),
        ({"model_optimizer": "sgd"}, "set model_optimizer to auto, not 'sgd'"),
        ({"model_l1": 0.5}, "takes no model_l1: set it to 0, not 0.5"),
        ({"model_dropout": 0.5}, "takes no model_dropout"),
    ],
)
def test_settings_that_do_not_fit_a_kernel_are_refused(given, message):
    with pytest.raises(SettingsError, match=message):
        RetrainSettings.from_params({"last_layer": "kernel", **given})
    RetrainSettings.from_params(given)
