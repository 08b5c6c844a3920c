"""The last layer fitted on cached features: the optimum, its regularisation, and the same bits twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vision_recipes.dataset.labelled_images import LabelledImages, class_weights
from vision_recipes.dataset.standardisation import scaling_of
from vision_recipes.metrics import accuracy, cross_entropy, softmax
from vision_recipes.training import linear_probe
from vision_recipes.training.design_matrix import design
from vision_recipes.training.linear_probe import fit
from vision_recipes.training.logistic_regression import Penalty, Problem, dropout_ridge, solve
from vision_recipes.training.regularisation import best_factor, choose_strength
from vision_recipes.training_settings import RetrainSettings

SETTINGS = RetrainSettings()
WIDTH, CLASSES = 30, 4
TRUTH = np.random.default_rng(7).normal(0, 0.4, (WIDTH, CLASSES))


def rows(count: int, seed: int, *, noise: float = 0.5, columns: int = 0, width: int = WIDTH) -> LabelledImages:
    draw = np.random.default_rng(seed)
    features = (draw.normal(size=(count, width)) * np.linspace(0.1, 3, width) + 5).astype(np.float32)
    logits = ((features - 5) / np.linspace(0.1, 3, width))[:, :WIDTH] @ TRUTH[:width]
    targets = (logits + draw.normal(0, noise, (count, CLASSES))).argmax(axis=1)
    extra = draw.normal(size=(count, columns)).astype(np.float32)
    return replace(LabelledImages.of_features(features, targets, "abcd"), extra=extra)


NOTHING = rows(1, 0).take(np.arange(0))


def nothing(like: LabelledImages) -> LabelledImages:
    return like.take(np.arange(0))


def test_the_solver_finds_what_scikit_learn_finds():
    from sklearn.linear_model import LogisticRegression

    train = rows(200, 1)
    scaled = scaling_of(train.features).apply(train.features)
    found = solve(Problem(scaled, train.one_hot(), train.weights), Penalty(np.full(WIDTH, 3.0)), tolerance=1e-12)
    expected = LogisticRegression(C=1 / 3, tol=1e-8, max_iter=2000).fit(scaled, train.targets)
    np.testing.assert_allclose(
        softmax(found.logits(scaled)), expected.predict_proba(scaled), atol=2e-3, err_msg="another optimum"
    )


@pytest.mark.parametrize("count", [20, 200])
def test_principal_components_have_the_same_optimum(count):
    train, penalty = rows(count, 2), 5.0
    logits = []
    for project in (False, True):
        ready = design(train, project=project)
        problem = Problem(ready.matrix, train.one_hot(), train.weights)
        found = solve(problem, Penalty(np.full(ready.matrix.shape[1], penalty)), tolerance=1e-12)
        kernel, bias = ready.fold(found.kernel, found.bias)
        logits.append(train.features @ kernel + bias)
        np.testing.assert_allclose(logits[-1], found.logits(ready.matrix), atol=1e-3)
    np.testing.assert_allclose(*(softmax(each) for each in logits), atol=5e-3)


def test_lasso_leaves_few_features_and_the_strongest_lasso_none():
    train = rows(300, 3)
    free, sparse, none = (
        np.abs(fit(train, NOTHING, replace(SETTINGS, model_l1=lasso)).kernel).max(axis=1) > 1e-5
        for lasso in (0.0, 0.1, 10.0)
    )
    assert free.sum() == WIDTH
    assert 0 < sparse.sum() < WIDTH / 2
    assert none.sum() == 0


def test_a_given_l2_is_that_of_keras_and_shrinks():
    train = rows(300, 3)
    sizes = [np.linalg.norm(fit(train, NOTHING, replace(SETTINGS, model_l2=l2)).kernel) for l2 in (1e-4, 1e-2, 1.0)]
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_dropout_acts_like_dropout():
    train = rows(150, 4)
    ready = design(train, project=False)
    plain = solve(Problem(ready.matrix, train.one_hot(), train.weights), Penalty(np.full(WIDTH, 1.0)))
    ridge = dropout_ridge(ready.matrix, plain.logits(ready.matrix), train.weights, 0.3)
    draw = np.random.default_rng(0)
    dropped = []
    for _ in range(400):
        kept = (draw.random(ready.matrix.shape) >= 0.3) / 0.7
        logits = (ready.matrix * kept) @ plain.kernel + plain.bias
        dropped.append(cross_entropy(logits, train.one_hot(), train.weights) * len(train))
    before = cross_entropy(plain.logits(ready.matrix), train.one_hot(), train.weights) * len(train)
    cost = 0.5 * float((ridge * plain.kernel**2).sum())
    assert 0.6 < cost / (np.mean(dropped) - before) < 1.7
    small, large = (
        np.linalg.norm(fit(train, NOTHING, replace(SETTINGS, model_dropout=rate)).kernel) for rate in (0.0, 0.5)
    )
    assert large != small


def test_the_regularisation_is_chosen_on_training_rows_and_is_strong_when_all_is_noise():
    clear, noisy = rows(200, 5, noise=0.1), rows(200, 5, noise=50.0)
    assert accuracy(fit(clear, NOTHING, SETTINGS).logits(clear), clear.targets) > 0.9
    sizes = [np.linalg.norm(fit(each, NOTHING, SETTINGS).kernel) for each in (clear, noisy)]
    assert sizes[0] > 2 * sizes[1]


def test_validation_rows_change_nothing():
    train = rows(120, 6)
    one, other = (fit(train, valid, SETTINGS) for valid in (NOTHING, rows(80, 7)))
    assert one.kernel.tobytes() == other.kernel.tobytes()
    assert one.epochs[-1].val_loss is None
    assert other.epochs[-1].val_loss is not None


def test_rows_of_one_group_are_left_out_together():
    """Copies of one noisy row in other folds would make a weak penalty look good."""
    single = rows(60, 8, noise=3.0)
    copies = single.take(np.repeat(np.arange(60), 6))
    parted = replace(copies, groups=np.arange(360))

    def chosen(images: LabelledImages) -> float:
        ready = design(images)
        problem = Problem(ready.matrix, images.one_hot(), images.weights / 6)
        penalty = lambda ridge: Penalty(np.full(ready.width, ridge))  # noqa: E731
        return choose_strength(problem, images.groups, penalty).ridge

    assert chosen(copies) > chosen(parted)


def test_the_factor_calibrates_underconfident_logits():
    draw = np.random.default_rng(0)
    truth = draw.normal(0, 3, (4000, CLASSES))
    targets = np.array([draw.choice(CLASSES, p=share) for share in softmax(truth)])
    targets_one_hot = np.eye(CLASSES, dtype=np.float32)[targets]
    factor, _ = best_factor((truth / 4).astype(np.float32), targets_one_hot, np.ones(4000, np.float32))
    assert 3.5 < factor < 4.5


@pytest.mark.parametrize("count", [4, 9])
def test_few_rows_are_enough(count):
    train = replace(rows(count, 9), targets=np.arange(count) % CLASSES)
    head = fit(train, NOTHING, SETTINGS)
    assert "default regularisation" in head.how
    assert accuracy(head.logits(train), train.targets) == 1


def test_class_weights_lift_rare_classes():
    train = rows(400, 10, noise=3.0)
    rare = np.flatnonzero((train.targets != 0) | (np.arange(400) % 12 == 0))
    train = train.take(rare)
    test = rows(400, 11, noise=0.5)
    found = []
    for mode in ("none", "auto"):
        weighted = replace(train, weights=class_weights(train.targets, CLASSES, mode))
        assert weighted.weights.mean() == pytest.approx(1)
        guesses = fit(weighted, NOTHING, SETTINGS).logits(test).argmax(axis=1)
        found.append((guesses[test.targets == 0] == 0).mean())
    assert found[1] > found[0]


def test_table_columns_count_beside_many_features():
    draw = np.random.default_rng(0)
    features = draw.normal(size=(160, 500)).astype(np.float32)
    targets = draw.integers(0, 2, 160)
    extra = (targets * 2.0 - 1 + draw.normal(0, 0.3, 160)).astype(np.float32)[:, None]
    images = replace(LabelledImages.of_features(features, targets, "ab"), extra=extra)
    train, test = images.take(np.arange(80)), images.take(np.arange(80, 160))
    assert accuracy(fit(train, nothing(train), SETTINGS).logits(test), test.targets) > 0.9


def test_features_that_say_nothing_are_allowed():
    constant = replace(rows(100, 12), features=np.ones((100, 3), np.float32))
    assert np.isfinite(fit(constant, nothing(constant), SETTINGS).kernel).all()


def test_smoothing_lowers_confidence():
    train = rows(300, 13, noise=0.1)
    tops = [
        softmax(fit(train, NOTHING, replace(SETTINGS, label_smoothing=spread)).logits(train)).max(axis=1).mean()
        for spread in (0.0, 0.4)
    ]
    assert tops[0] > tops[1] + 0.1


@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, model_optimizer="adam", model_dropout=0.2)])
def test_the_same_bits_twice(settings):
    one, other = (fit(rows(150, 14), rows(50, 15), settings) for _ in range(2))
    assert one.kernel.tobytes() == other.kernel.tobytes()
    assert one.bias.tobytes() == other.bias.tobytes()


@pytest.mark.slow
def test_thousands_of_classes_are_computed_in_blocks(monkeypatch):
    monkeypatch.setattr("vision_recipes.training.logistic_regression._CELLS", 3000)
    draw = np.random.default_rng(0)
    centres = draw.normal(0, 3, (1500, 40))
    targets = np.repeat(np.arange(1500), 2)
    features = (centres[targets] + draw.normal(0, 0.5, (3000, 40))).astype(np.float32)
    train = LabelledImages.of_features(features, targets, [f"class {number}" for number in range(1500)])
    monkeypatch.setattr(linear_probe, "_MOST_WORK", 1e9)
    assert accuracy(fit(train, nothing(train), SETTINGS).logits(train), targets) > 0.9


def test_too_many_features_for_the_solver_go_step_by_step(monkeypatch):
    monkeypatch.setattr(linear_probe, "_MOST_CELLS", 10)
    head = fit(rows(200, 16), rows(50, 17), SETTINGS)
    assert head.how.startswith("adam")
