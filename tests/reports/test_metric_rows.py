"""Metrics against scikit-learn on random tables, and by hand where scikit-learn has none."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as sk

from vision_recipes.metrics import accuracy_interval, calibration_error
from vision_recipes.reports.metric_rows import metric_rows
from vision_recipes.reports.predictions import LabelledPredictions, Prediction

NAMES = ("egg", "NA", "007", "not egg", "crane (134)", "日本")


def evaluated(pictures):
    return LabelledPredictions(list(pictures), 0, 0, 0, 0, 0, 0)


def overall(pictures):
    rows = list(metric_rows(evaluated(pictures)))
    return {row["metric"]: row["value"] for row in rows if not row["class"]}


def picture(truth, probabilities, label=None):
    probabilities = dict(sorted(probabilities.items(), key=lambda item: -item[1]))
    best = label or next(iter(probabilities))
    return Prediction("/p.jpg", best, probabilities.get(best), probabilities, truth)


@st.composite
def tables(draw):
    """Random predictions over two to six labels, all of them listed, as classify writes them: six digits."""
    labels = NAMES[: draw(st.integers(2, len(NAMES)))]
    count = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = rng.dirichlet(np.full(len(labels), draw(st.sampled_from([0.05, 0.5, 5.0]))), count)
    scores = np.array([[float(f"{score:.6g}") for score in row] for row in scores])
    truths = rng.choice(labels, count)
    return labels, scores, truths


@given(tables())
@settings(max_examples=80, deadline=None)
def test_metrics_are_those_of_scikit_learn(table):
    labels, scores, truths = table
    found = overall(
        [picture(truth, dict(zip(labels, row, strict=True))) for truth, row in zip(truths, scores, strict=True)]
    )
    predicted = [labels[place] for place in scores.argmax(1)]
    present = sorted(set(truths))
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truths, predicted))
    assert found["balanced_accuracy"] == pytest.approx(
        sk.recall_score(truths, predicted, average="macro", labels=present, zero_division=0)
    )
    assert found["macro_f1"] == pytest.approx(sk.f1_score(truths, predicted, average="macro", zero_division=0))
    indices = [labels.index(truth) for truth in truths]
    clipped = np.clip(scores[np.arange(len(truths)), indices], np.finfo(float).eps, 1 - np.finfo(float).eps)
    assert found["log_loss"] == pytest.approx(-np.log(clipped).mean(), abs=1e-9)
    if len(labels) > 3 and all(len(set(row)) == len(row) for row in scores):  # ties may be ordered either way
        assert found["top3_accuracy"] == pytest.approx(
            sk.top_k_accuracy_score(indices, scores, k=3, labels=range(len(labels)))
        )
    elif len(labels) <= 3:
        assert found["top3_accuracy"] == 1.0


@given(tables())
@settings(max_examples=60, deadline=None)
def test_classes_and_confusion_are_those_of_scikit_learn(table):
    labels, scores, truths = table
    pictures = [picture(truth, dict(zip(labels, row, strict=True))) for truth, row in zip(truths, scores, strict=True)]
    rows = list(metric_rows(evaluated(pictures)))
    predicted = [labels[place] for place in scores.argmax(1)]
    every = sorted({*truths, *predicted})
    expected = sk.precision_recall_fscore_support(truths, predicted, labels=every, zero_division=0)
    for metric, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        found = {row["class"]: row["value"] for row in rows if row["metric"] == metric}
        assert found == pytest.approx(dict(zip(every, map(float, values), strict=True))), metric
    matrix = np.zeros((len(every), len(every)))
    for row in rows:
        if row["metric"] == "confusion":
            matrix[every.index(row["class"]), every.index(row["predicted"])] = row["value"]
    assert (matrix == sk.confusion_matrix(truths, predicted, labels=every)).all()


@given(tables(), st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_what_is_not_listed_is_unknown_but_bounded(table, most):
    labels, scores, truths = table
    full = [picture(truth, dict(zip(labels, row, strict=True))) for truth, row in zip(truths, scores, strict=True)]
    short = [picture(p.truth, dict(list(p.probabilities.items())[:most]), p.label) for p in full]
    complete, found = overall(full), overall(short)
    for metric in ("accuracy", "balanced_accuracy", "macro_f1", "calibration_error"):
        assert found[metric] == complete[metric]
    if found["log_loss"] is None:
        assert found["log_loss_at_least"] <= complete["log_loss"] + 1e-9
    elif all(p.truth in p.probabilities for p in short):
        assert found["log_loss"] == pytest.approx(complete["log_loss"])
    assert found.get("top3_accuracy_at_least", 0) <= complete["top3_accuracy"]


def test_a_label_that_the_model_does_not_have_has_probability_0():
    found = overall([picture("swan", {"egg": 0.9, "stone": 0.1}), picture("egg", {"egg": 0.9, "stone": 0.1})])
    expected = -(math.log(np.finfo(float).eps) + math.log(0.9)) / 2
    assert found["log_loss"] == pytest.approx(expected)
    assert found["top3_accuracy"] == 0.5


def test_probabilities_that_do_not_add_up_leave_no_rest_to_go_by():
    found = overall([picture("dog", {"egg": 0.9, "stone": 0.8}), picture("egg", {"egg": 0.9, "stone": 0.8})])
    assert found["log_loss"] is None
    assert found["log_loss_at_least"] == pytest.approx(-(math.log(0.8) + math.log(0.9)) / 2)
    assert found["top3_accuracy"] is None


def test_without_probabilities_what_needs_them_is_none():
    rows = {
        row["metric"]: row
        for row in metric_rows(evaluated([Prediction("/a", "egg", None, {}, "egg")]))
        if not row["class"]
    }
    assert rows["accuracy"]["value"] == 1.0
    assert rows["top3_accuracy"]["value"] == 1.0
    assert rows["calibration_error"]["value"] is None
    assert rows["log_loss"]["value"] is None
    assert rows["log_loss_at_least"]["value"] == pytest.approx(0, abs=1e-12)


def test_the_interval_is_wilsons():
    for right, count in ((0, 5), (5, 5), (8, 10), (1, 1), (999, 1000), (3, 70000)):
        expected = binomtest(right, count).proportion_ci(0.95, method="wilson")
        assert accuracy_interval(right, count) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_calibration_error_by_hand():
    probabilities = np.array([0.61, 0.62, 0.95, 1.0, 0.0])
    right = np.array([1, 0, 1, 1, 0])
    expected = (abs(1 - 1.23) + abs(2 - 1.95) + 0) / 5
    assert calibration_error(probabilities, right) == pytest.approx(expected)


def test_rows_of_classes_tell_what_they_are_computed_from():
    pictures = [picture("a", {"a": 1.0}), picture("a", {"b": 1.0}), picture("b", {"b": 1.0})]
    rows = {
        (row["metric"], row["class"], row["predicted"]): (row["value"], row["support"])
        for row in metric_rows(evaluated(pictures))
    }
    assert rows["precision", "b", ""] == (0.5, 2)
    assert rows["recall", "a", ""] == (0.5, 2)
    assert rows["support", "a", ""] == (2.0, 2)
    assert rows["confusion", "a", "b"] == (1.0, 2)
    assert ("confusion", "b", "a") not in rows
