"""The last layer trained step by step on cached features: what each setting does, and the same answer twice."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.errors import SettingsError, TrainingError
from vision_recipes.metrics import accuracy
from vision_recipes.settings import ComputeSettings
from vision_recipes.training.batches import BatchOrder
from vision_recipes.training.design_matrix import LinearProbe
from vision_recipes.training.epochs import Epoch, require_finite
from vision_recipes.training.sgd_probe import fit_sgd
from vision_recipes.training_settings import RetrainSettings

pytestmark = pytest.mark.keras

SETTINGS = RetrainSettings(
    model_optimizer="adam", model_learning_rate=0.01, nb_epochs=8, compute=ComputeSettings(use_gpu="false")
)
TRUTH = np.random.default_rng(9).normal(size=(24, 3))


def examples(count: int, seed: int) -> LabelledImages:
    draw = np.random.default_rng(seed)
    values = draw.normal(5, 3, (count, 24)).astype(np.float32)
    targets = ((values - 5) @ TRUTH + draw.normal(0, 1, (count, 3))).argmax(axis=1)
    return LabelledImages.of_features(values, targets, ("a", "b", "c"))


TRAIN, VALID = examples(300, 1), examples(120, 2)
NOTHING = TRAIN.take(np.arange(0))


def best(found: LinearProbe) -> Epoch:
    (number,) = [int(word) for word in re.findall(r"the best is (\d+)$", found.how)]
    return found.epochs[number - 1]


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("adam", 0.01), ("adamw", 0.01), ("adagrad", 0.1), ("sgd", 0.1), ("rmsprop", 0.01)]
)
def test_every_optimizer_learns_and_gives_a_layer_for_raw_features(optimizer: str, rate: float) -> None:
    settings = replace(SETTINGS, model_optimizer=optimizer, model_learning_rate=rate)
    found = fit_sgd(TRAIN, VALID, settings)
    assert found.kernel.shape == (24, 3) and found.bias.shape == (3,)
    assert found.kernel.dtype == found.bias.dtype == np.float32
    right = accuracy(VALID.features @ found.kernel + found.bias, VALID.targets)
    assert right == pytest.approx(best(found).val_accuracy, abs=0.01) and right > 0.85


def test_the_same_seed_gives_the_same_bits() -> None:
    settings = replace(SETTINGS, model_dropout=0.3)
    first, again = fit_sgd(TRAIN, VALID, settings), fit_sgd(TRAIN, VALID, settings)
    assert first.kernel.tobytes() == again.kernel.tobytes() and first.bias.tobytes() == again.bias.tobytes()
    other = fit_sgd(TRAIN, VALID, replace(settings, random_seed=1))
    assert not np.array_equal(first.kernel, other.kernel)


def test_epochs_are_reported_in_order_and_the_best_is_kept() -> None:
    reported: list[Epoch] = []
    found = fit_sgd(TRAIN, VALID, replace(SETTINGS, model_learning_rate=0.2, nb_epochs=6), reported.append)
    assert reported == found.epochs and [epoch.number for epoch in reported] == [1, 2, 3, 4, 5, 6]
    assert best(found) == max(reported, key=lambda epoch: epoch.rank)
    logits = VALID.features @ found.kernel + found.bias
    assert accuracy(logits, VALID.targets) == pytest.approx(best(found).val_accuracy)


@pytest.mark.slow
def test_penalties_and_smoothing_make_weights_small() -> None:
    def size(**changes: float) -> float:
        return float(
            np.abs(fit_sgd(TRAIN, VALID, replace(SETTINGS, nb_epochs=20, batch_size=60, **changes)).kernel).sum()
        )

    plain = size()
    assert size(model_l2=0.1) < 0.8 * plain
    assert size(model_l1=0.02) < 0.8 * plain
    assert size(label_smoothing=0.3) < plain
    assert size(model_dropout=0.5) != plain


def test_weights_of_rows_count() -> None:
    rare = TRAIN.targets == 0
    heavy = replace(TRAIN, weights=np.where(rare, 20.0, 1.0).astype(np.float32))
    plain, moved = (fit_sgd(rows, NOTHING, SETTINGS) for rows in (TRAIN, heavy))

    def fraction(found: LinearProbe) -> float:
        return float(((VALID.features @ found.kernel + found.bias).argmax(1) == 0).mean())

    assert fraction(moved) > fraction(plain) + 0.05


def test_extra_columns_follow_the_features() -> None:
    extra = np.eye(3, dtype=np.float32)[TRAIN.targets]
    found = fit_sgd(
        replace(TRAIN, features=TRAIN.features * 0 + 1, extra=extra), NOTHING, replace(SETTINGS, nb_epochs=40)
    )
    assert found.kernel.shape == (27, 3) and best(found).accuracy == 1


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adagrad"])
def test_a_wild_learning_rate_stops_with_a_message(optimizer: str) -> None:
    with pytest.raises(TrainingError, match="epoch 1.*learning rate of 1e\\+30"):
        fit_sgd(TRAIN, VALID, replace(SETTINGS, model_optimizer=optimizer, model_learning_rate=1e30))


def test_parameters_of_another_optimizer_are_refused() -> None:
    settings = replace(SETTINGS, model_optimizer="sgd", model_custom_params_opti=(("beta_1", "0.9"),))
    with pytest.raises(SettingsError, match="beta_1"):
        fit_sgd(TRAIN, VALID, settings)
    changed = replace(SETTINGS, model_optimizer="sgd", model_custom_params_opti=(("momentum", "0.9"),))
    plain = replace(changed, model_custom_params_opti=())
    assert fit_sgd(TRAIN, VALID, changed).epochs[0].loss != fit_sgd(TRAIN, VALID, plain).epochs[0].loss


def test_without_validation_epochs_are_compared_on_the_training_rows() -> None:
    found = fit_sgd(TRAIN, NOTHING, SETTINGS)
    assert best(found).val_loss is None and best(found).val_accuracy is None and best(found).accuracy > 0.85


def test_training_stops_when_nothing_gets_better() -> None:
    noise = replace(VALID, targets=np.zeros_like(VALID.targets))
    settings = replace(SETTINGS, nb_epochs=200, early_stopping_patience=3, batch_size=100)
    found = fit_sgd(TRAIN, noise, settings)
    assert len(found.epochs) == best(found).number + 3
    assert len(fit_sgd(TRAIN, noise, replace(settings, early_stopping_patience=0, nb_epochs=20)).epochs) == 20


@pytest.mark.slow
def test_validation_steps_limit_what_is_evaluated() -> None:
    half = replace(VALID, targets=np.where(np.arange(len(VALID)) < 40, VALID.targets, (VALID.targets + 1) % 3))
    settings = replace(SETTINGS, batch_size=20)
    assert (best(fit_sgd(TRAIN, half, settings)).val_accuracy or 0) < 0.6
    assert (best(fit_sgd(TRAIN, half, replace(settings, nb_validation_steps=2))).val_accuracy or 0) > 0.8


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 9))
def test_a_pass_holds_each_row_once(count: int, batch_size: int, steps: int) -> None:
    order = BatchOrder(count, batch_size, 7, steps)
    found = [order.batch(number) for number in range(3 * order.steps_per_pass)]
    seen = [row for rows, _ in found for row in rows]
    for start in range(0, len(seen), count):
        assert sorted(seen[start : start + count]) == list(range(count))
    assert [number for _, number in found] == [number for number in range(3) for _ in range(order.steps_per_pass)]
    assert order.steps == (steps or order.steps_per_pass)
    assert max(len(rows) for rows, _ in found) <= batch_size


def test_passes_are_shuffled_anew() -> None:
    order = BatchOrder(50, 50, 7)
    first, second = order.batch(0)[0], order.batch(1)[0]
    assert not np.array_equal(first, second) and not np.array_equal(first, np.arange(50))
    assert np.array_equal(second, BatchOrder(50, 50, 7).batch(1)[0])
    assert not np.array_equal(first, BatchOrder(50, 50, 8).batch(0)[0])
    assert np.array_equal(BatchOrder(50, 20, None).batch(5)[0], np.arange(40, 50))


def test_the_plateau_schedule_lowers_the_rate_after_two_epochs_that_are_not_better() -> None:
    noise = replace(VALID, targets=np.zeros_like(VALID.targets))
    settings = replace(
        SETTINGS, learning_rate_schedule="plateau", nb_epochs=18, early_stopping_patience=0, batch_size=300
    )
    epochs = fit_sgd(TRAIN, noise, settings).epochs
    best, waited, rate = -1.0, 0, 0.01
    for epoch in epochs:
        assert epoch.learning_rate == pytest.approx(rate)
        waited = 0 if epoch.rank > best else waited + 1
        best = max(best, epoch.rank)
        if waited == 2:
            waited, rate = 0, max(rate * 0.3, 1e-5)
    assert rate < 1e-3


def test_the_rate_is_constant_unless_a_schedule_is_chosen() -> None:
    assert {epoch.learning_rate for epoch in fit_sgd(TRAIN, VALID, SETTINGS).epochs} == {0.01}


def test_the_schedule_is_followed() -> None:
    found = fit_sgd(
        TRAIN, VALID, replace(SETTINGS, learning_rate_schedule="cosine", nb_epochs=4, early_stopping_patience=0)
    )
    rates = [epoch.learning_rate for epoch in found.epochs]
    assert rates == sorted(rates, reverse=True) and rates[0] < 0.01 and rates[-1] < 1e-9


def test_accuracy_ranks_before_loss() -> None:
    worse, better = Epoch(1, 1, 1, 0.1, 0.7, 1, 1), Epoch(2, 1, 1, 0.5, 0.8, 1, 1)
    assert better.rank > worse.rank
    assert replace(better, val_loss=0.4).rank > better.rank
    assert replace(better, val_loss=1e-5).rank > replace(better, val_loss=1.1e-5).rank
    assert replace(better, val_loss=1e19).rank > replace(worse, val_loss=0.0).rank
    assert replace(better, val_accuracy=0.8 + 1e-7, val_loss=1e19).rank > replace(better, val_loss=0.0).rank
    assert Epoch(1, 0.1, 0.9, None, None, 1, 1).rank > Epoch(1, 0.2, 0.9, None, None, 1, 1).rank


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 1e30])
def test_a_loss_that_is_not_finite_stops_training(loss: float) -> None:
    with pytest.raises(TrainingError, match="epoch 6.*learning rate of 0.5"):
        require_finite(loss, 6, 0.5)
