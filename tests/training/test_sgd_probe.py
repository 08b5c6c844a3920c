"""A head trained step by step on cached features: what each setting does, and the same answer twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from vision_recipes.training.examples import Examples, accuracy

from vision_recipes.errors import SettingsError, TrainingError
from vision_recipes.settings import RetrainSettings
from vision_recipes.training.epochs import Best, Epoch
from vision_recipes.training.fitting import fit_head
from vision_recipes.training.schedules import Schedule
from vision_recipes.training.shuffling import Stream

SETTINGS = RetrainSettings(model_optimizer="adam", model_learning_rate=0.01, nb_epochs=8)
TRUTH = np.random.default_rng(9).normal(size=(24, 3))


def examples(count: int, seed: int, *, noise: float = 1.0, features: int = 24) -> Examples:
    draw = np.random.default_rng(seed)
    values = draw.normal(5, 3, (count, features)).astype(np.float32)
    targets = ((values[:, :24] - 5) @ TRUTH + draw.normal(0, noise, (count, 3))).argmax(axis=1)
    extra = np.zeros((count, 0), np.float32)
    return Examples(values, extra, targets, np.ones(count, np.float32), np.arange(count), 3)


TRAIN, VALID = examples(300, 1), examples(120, 2)
NOTHING = TRAIN.take(np.arange(0))


@pytest.mark.parametrize(
    ("optimizer", "rate"), [("adam", 0.01), ("adamw", 0.01), ("adagrad", 0.1), ("sgd", 0.1), ("rmsprop", 0.01)]
)
def test_every_optimizer_learns_and_gives_a_layer_for_raw_features(optimizer: str, rate: float) -> None:
    settings = replace(SETTINGS, model_optimizer=optimizer, model_learning_rate=rate)
    found = fit_head(TRAIN, VALID, settings)
    assert found.kernel.shape == (24, 3) and found.bias.shape == (3,)
    assert found.kernel.dtype == found.bias.dtype == np.float32
    right = accuracy(VALID.features @ found.kernel + found.bias, VALID.targets)
    assert right == pytest.approx(found.best.val_accuracy, abs=0.01) and right > 0.85


def test_the_same_seed_gives_the_same_bits() -> None:
    settings = replace(SETTINGS, model_dropout=0.3)
    first, again = fit_head(TRAIN, VALID, settings), fit_head(TRAIN, VALID, settings)
    assert first.kernel.tobytes() == again.kernel.tobytes() and first.bias.tobytes() == again.bias.tobytes()
    other = fit_head(TRAIN, VALID, replace(settings, random_seed=1))
    assert not np.array_equal(first.kernel, other.kernel)


def test_epochs_are_told_in_order_and_the_best_is_kept() -> None:
    told: list[Epoch] = []
    found = fit_head(TRAIN, VALID, replace(SETTINGS, model_learning_rate=0.2, nb_epochs=6), told.append)
    assert told == found.epochs and [epoch.number for epoch in told] == [1, 2, 3, 4, 5, 6]
    assert found.best == max(told, key=lambda epoch: epoch.rank)
    logits = VALID.features @ found.kernel + found.bias
    assert accuracy(logits, VALID.targets) == pytest.approx(found.best.val_accuracy)


def test_penalties_and_smoothing_make_weights_small() -> None:
    def size(**changes: float) -> float:
        return float(np.abs(fit_head(TRAIN, VALID, replace(SETTINGS, nb_epochs=20, **changes)).kernel).sum())

    plain = size()
    assert size(model_l2=0.1) < 0.8 * plain
    assert size(model_l1=0.02) < 0.8 * plain
    assert size(label_smoothing=0.3) < plain
    assert size(model_dropout=0.5) != plain


def test_weights_of_rows_count() -> None:
    rare = TRAIN.targets == 0
    heavy = replace(TRAIN, weights=np.where(rare, 20.0, 1.0).astype(np.float32))
    plain, moved = (fit_head(rows, NOTHING, SETTINGS) for rows in (TRAIN, heavy))

    def share(found: object) -> float:
        return float(((VALID.features @ found.kernel + found.bias).argmax(1) == 0).mean())  # type: ignore[attr-defined]

    assert share(moved) > share(plain) + 0.05


def test_extra_columns_follow_the_features() -> None:
    extra = np.eye(3, dtype=np.float32)[TRAIN.targets]
    found = fit_head(
        replace(TRAIN, features=TRAIN.features * 0 + 1, extra=extra), NOTHING, replace(SETTINGS, nb_epochs=40)
    )
    assert found.kernel.shape == (27, 3) and found.best.accuracy == 1


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adagrad"])
def test_a_wild_learning_rate_stops_with_a_message(optimizer: str) -> None:
    with pytest.raises(TrainingError, match="epoch 1.*learning rate of 1e\\+30"):
        fit_head(TRAIN, VALID, replace(SETTINGS, model_optimizer=optimizer, model_learning_rate=1e30))


def test_parameters_of_another_optimizer_are_refused() -> None:
    settings = replace(SETTINGS, model_optimizer="sgd", model_custom_params_opti=(("beta_1", "0.9"),))
    with pytest.raises(SettingsError, match="beta_1"):
        fit_head(TRAIN, VALID, settings)
    changed = replace(SETTINGS, model_optimizer="sgd", model_custom_params_opti=(("momentum", "0.9"),))
    plain = replace(changed, model_custom_params_opti=())
    assert fit_head(TRAIN, VALID, changed).epochs[0].loss != fit_head(TRAIN, VALID, plain).epochs[0].loss


def test_without_validation_epochs_are_compared_on_the_training_rows() -> None:
    found = fit_head(TRAIN, NOTHING, SETTINGS)
    assert found.best.val_loss is None and found.best.val_accuracy is None and found.best.accuracy > 0.85


def test_training_stops_when_nothing_gets_better() -> None:
    noise = replace(VALID, targets=np.zeros_like(VALID.targets))
    settings = replace(SETTINGS, nb_epochs=200, early_stopping_patience=3)
    found = fit_head(TRAIN, noise, settings)
    assert len(found.epochs) == found.best.number + 3
    assert len(fit_head(TRAIN, noise, replace(settings, early_stopping_patience=0, nb_epochs=20)).epochs) == 20


def test_validation_steps_limit_what_is_judged() -> None:
    half = replace(VALID, targets=np.where(np.arange(len(VALID)) < 40, VALID.targets, (VALID.targets + 1) % 3))
    settings = replace(SETTINGS, batch_size=20)
    assert (fit_head(TRAIN, half, settings).best.val_accuracy or 0) < 0.6
    assert (fit_head(TRAIN, half, replace(settings, nb_validation_steps=2)).best.val_accuracy or 0) > 0.8


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 9))
def test_a_pass_holds_each_example_once(count: int, batch: int, per_epoch: int) -> None:
    stream = Stream(count, batch, 7, per_epoch)
    epochs = 3 * max(1, stream.per_pass // stream.steps + 1)
    seen = [row for epoch in range(epochs) for step in range(stream.steps) for row in stream.rows(epoch, step)]
    for start in range(0, len(seen) - count + 1, count):
        assert sorted(seen[start : start + count]) == list(range(count))
    if per_epoch == 0:
        assert sum(len(stream.rows(1, step)) for step in range(stream.steps)) == count
        assert {stream.turn(2, step) for step in range(stream.steps)} == {2}


def test_passes_are_shuffled_anew() -> None:
    stream = Stream(50, 50, 7)
    assert not np.array_equal(stream.rows(0, 0), stream.rows(1, 0))
    assert not np.array_equal(stream.rows(0, 0), np.arange(50))
    assert np.array_equal(stream.rows(3, 0), Stream(50, 50, 7).rows(3, 0))
    assert not np.array_equal(stream.rows(0, 0), Stream(50, 50, 8).rows(0, 0))


def test_schedules() -> None:
    settings = replace(SETTINGS, model_learning_rate=1.0, nb_epochs=10)
    constant = Schedule.of(settings)
    assert {constant.rate(passed) for passed in (0, 3.5, 10)} == {1.0}
    cosine = Schedule.of(replace(settings, learning_rate_schedule="cosine"), lowered=0.1)
    assert [cosine.rate(passed) for passed in (0, 5, 10)] == pytest.approx([0.1, 0.05, 0.0])
    plateau = Schedule.of(replace(settings, learning_rate_schedule="plateau"))
    for better in (True, False, True, False):
        plateau.note(better=better)
    assert plateau.rate(4) == 1.0
    plateau.note(better=False)
    assert plateau.rate(5) == pytest.approx(0.3)
    for _ in range(100):
        plateau.note(better=False)
    assert plateau.rate(5) == pytest.approx(1e-3)


def test_the_schedule_is_followed() -> None:
    found = fit_head(
        TRAIN, VALID, replace(SETTINGS, learning_rate_schedule="cosine", nb_epochs=4, early_stopping_patience=0)
    )
    rates = [epoch.learning_rate for epoch in found.epochs]
    assert rates == sorted(rates, reverse=True) and rates[0] < 0.01 and rates[-1] < 1e-9


def test_accuracy_ranks_before_loss() -> None:
    best = Best(2)
    assert best.add(Epoch(1, 1, 1, 0.5, 0.8, 1, 1)) and not best.add(Epoch(2, 1, 1, 0.1, 0.7, 1, 1))
    assert not best.over and best.add(Epoch(3, 1, 1, 0.4, 0.8, 1, 1)) and best.epoch and best.epoch.number == 3
    for number in (4, 5):
        assert not best.add(Epoch(number, 1, 1, 0.4, 0.8, 1, 1))
    assert best.over
    with pytest.raises(TrainingError, match="epoch 6"):
        best.add(Epoch(6, 1, 1, float("nan"), 0.8, 1, 1))
