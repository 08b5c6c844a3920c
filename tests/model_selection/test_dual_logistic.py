"""The dual solver predicts what the solver of the training does, linear and with a kernel, with weights and groups."""

from __future__ import annotations

import numpy as np
import pytest

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import group_folds
from vision_recipes.dataset.standardisation import scaling_of
from vision_recipes.metrics import softmax
from vision_recipes.model_selection.dual_logistic import (
    HeldOutFits,
    gaussian_similarities,
    inner_products,
    linear_similarities,
)
from vision_recipes.model_selection.held_out_predictions import judge, scaled_products
from vision_recipes.model_selection.sampling import Sample
from vision_recipes.training.kernel_layer import KERNEL, held_out_kernel
from vision_recipes.training.logistic_regression import Penalty, Problem, solve


@pytest.fixture
def rings():
    """Two classes around each other, which no linear layer can tell apart, and their folds."""
    draw = np.random.default_rng(0)
    targets = np.repeat([0, 1], 60)
    directions = draw.normal(size=(120, 3))
    features = np.concatenate([directions * [1, 0.2, 0.2], np.zeros((120, 2))], axis=1)
    features[targets == 1, :3] = directions[60:] * [0.2, 1, 0.2]
    return features.astype(np.float32), targets, group_folds(targets, np.arange(120), 5, 0)


def test_it_predicts_what_the_solver_of_the_training_does():
    draw = np.random.default_rng(1)
    features = draw.normal(size=(90, 12)).astype(np.float32)
    targets = np.repeat([0, 1, 2], 30)
    features[np.arange(90), targets] += 1.5
    folds, one_hot = group_folds(targets, np.arange(90), 5, 0), np.eye(3, dtype=np.float32)[targets]
    weights = np.where(np.arange(90) % 3 == 0, 2.0, 0.5).astype(np.float32)
    scaled = scaling_of(features).apply(features)
    similarity = linear_similarities(inner_products(scaled))
    found = HeldOutFits(similarity, one_hot, [folds], weights).predict(0.1)[0]
    ridge = 0.1 * float(inner_products(scaled).trace()) / 90
    for fold in range(5):
        kept, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        problem = Problem(scaled[kept], one_hot[kept], weights[kept])
        expected = solve(problem, Penalty(np.full(12, ridge * len(kept) / 90))).logits(scaled[left])
        assert np.abs(softmax(found[left]) - softmax(expected)).mean() < 0.02


def test_weakly_penalised_fits_reach_the_optimum_too():
    """Fits that stop early predict better than the last layer that is trained: by two points on small photographs."""
    draw = np.random.default_rng(4)
    targets = np.repeat(np.arange(5), 40)
    features = draw.normal(size=(200, 400)).astype(np.float32)
    features[:, :5] += 2.5 * np.eye(5, dtype=np.float32)[targets]
    folds, one_hot = [group_folds(targets, np.arange(200), 5, seed) for seed in range(3)], np.eye(5, dtype=np.float32)
    similarity = linear_similarities(inner_products(features))
    fits = HeldOutFits(similarity, one_hot[targets], folds, np.ones(200, np.float32))
    unit = float(inner_products(features).trace()) / 200
    for ridge in (0.6, 0.2, 0.02):
        for repeat, found in enumerate(fits.predict(ridge)):
            kept = folds[repeat] != 0
            problem = Problem(features[kept], one_hot[targets[kept]], np.ones(kept.sum(), np.float32))
            expected = solve(problem, Penalty(np.full(400, ridge * unit * kept.mean()))).logits(features[~kept])
            assert np.abs(softmax(found[~kept]) - softmax(expected)).mean() < 0.01


def test_a_kernel_tells_apart_what_a_linear_layer_cannot(rings):
    features, targets, folds = rings
    one_hot, weights, right = np.eye(2, dtype=np.float32)[targets], np.ones(120, np.float32), {}
    for similar in (linear_similarities, gaussian_similarities):
        scaled = scaling_of(features).apply(features)
        logits = HeldOutFits(similar(inner_products(scaled)), one_hot, [folds], weights).predict(0.03)[0]
        right[similar] = (logits.argmax(axis=1) == targets).mean()
    assert right[linear_similarities] < 0.65
    assert right[gaussian_similarities] > 0.85


def test_copies_train_but_do_not_judge():
    """Each picture with a copy of half the weight is the picture itself; a copy is never a held-out row's neighbour."""
    draw = np.random.default_rng(2)
    features, targets = draw.normal(size=(60, 8)).astype(np.float32), np.repeat([0, 1], 30)
    folds, one_hot = group_folds(targets, np.arange(60), 5, 0), np.eye(2, dtype=np.float32)[targets]
    similarity = linear_similarities(inner_products(features))
    alone = HeldOutFits(similarity, one_hot, [folds], np.ones(60, np.float32)).predict(0.1)[0]
    rows, half = np.repeat(np.arange(60), 2), np.full(120, 0.5, np.float32)
    similarity = linear_similarities(inner_products(features[rows]))
    copied = HeldOutFits(similarity, one_hot[rows], [folds[rows]], half, each=2).predict(0.1 / 2)[0]
    assert np.abs(softmax(alone) - softmax(copied)).max() < 0.02


def test_a_kernel_machine_is_judged_as_the_training_judges_it(rings):
    """What a comparison ranks first must be first when it is trained: the same held-out rows are right in both."""
    features, targets, folds = rings
    classes = ("wide", "high")
    expected = held_out_kernel(LabelledImages.of_features(features, targets, classes), folds)
    assert expected.predicted.all()
    sample = Sample([str(row) for row in range(120)], classes, targets, np.arange(120), [folds])
    right = judge(scaled_products(features), sample, KERNEL).right
    assert (right == (expected.logits.argmax(axis=1) == targets)).mean() > 0.97
