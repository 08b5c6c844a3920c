"""The expected number of wrong labels, and each one's suspicion, where it is known which labels are wrong."""

import numpy as np
import pytest

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.training.label_issues import find_label_issues, find_neighbours
from vision_recipes.training.label_noise import Evidence, assess, estimate_noise

CLASSES, WIDTH = 4, 24


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Small matrices are slower on several threads; the recipe limits them as well."""
    import scipy.linalg  # noqa: F401 - it has a BLAS of its own, which has to be loaded to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def points(count, seed, spread):
    """Return features of classes that overlap the more, the smaller `spread` is, and their classes."""
    draw = np.random.default_rng(seed)
    middles = draw.standard_normal((CLASSES, WIDTH)) * spread
    targets = np.arange(count) % CLASSES
    return (middles[targets] + draw.standard_normal((count, WIDTH))).astype(np.float32), targets


def swapped(targets, rate, seed, how="any"):
    """Return targets of which a fraction is wrong, and which: any other class, the next one, or 0 taken for 1."""
    draw = np.random.default_rng(seed)
    pool = np.flatnonzero(targets == 0) if how == "one way" else np.arange(len(targets))
    rows = draw.choice(pool, round(rate * len(pool)), replace=False)
    given, wrong = targets.copy(), np.zeros(len(targets), bool)
    steps = draw.integers(1, CLASSES, len(rows)) if how == "any" else 1
    given[rows] = (targets[rows] + steps) % CLASSES
    wrong[rows] = True
    return given, wrong


def issues(features, given):
    images = LabelledImages.of_features(features, given, [f"c{k}" for k in range(int(given.max()) + 1)])
    return find_label_issues(images, find_neighbours(features, 10), 0)


@pytest.mark.parametrize("spread", [0.45, 0.8, 1.6])
def test_labels_that_are_all_right_are_not_suspected(spread):
    features, targets = points(600, 1, spread)
    found = issues(features, targets)
    assert (found.suspicion >= 0.5).mean() <= 0.01
    assert found.suspicion.sum() < 12
    assert found.suspicion.max() < 0.9


@pytest.mark.parametrize("how", ["any", "next", "one way"])
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
def test_the_expected_number_of_wrong_labels_is_near_the_true_one(rate, how):
    features, targets = points(800, 2, 0.8)
    given, wrong = swapped(targets, rate, 3, how)
    found = issues(features, given)
    count = wrong.sum()
    assert count / 1.5 <= found.suspicion.sum() <= 1.5 * count
    assert found.assessment.low <= found.assessment.wrong <= found.assessment.high
    assert found.suspicion[wrong].mean() > 0.6
    assert (found.suspicion[~wrong] >= 0.5).mean() <= 0.03
    first = np.argsort(-found.suspicion, kind="stable")[:count]
    assert wrong[first].mean() > 0.75


def test_suspicions_are_probabilities():
    right, total = np.zeros(4), np.zeros(4)
    for seed in range(3):
        features, targets = points(600, seed, 0.6)
        given, wrong = swapped(targets, 0.15, seed)
        found = issues(features, given)
        bins = np.minimum((found.suspicion * 4).astype(int), 3)
        right += np.bincount(bins, wrong, 4)
        total += np.bincount(bins, minlength=4)
    rates = right / total
    assert (np.diff(rates) > 0).all()
    assert rates[0] < 0.15
    assert rates[3] > 0.75


def test_the_power_tells_a_weak_network_from_a_strong_one():
    strong, weak = (issues(*points(400, 5, spread)).assessment.power for spread in (1.6, 0.1))
    assert strong > 0.97
    assert weak < 0.5


def test_few_pictures_leave_a_wide_interval():
    features, targets = points(40, 6, 0.5)
    few = issues(features, targets).assessment
    many = issues(*points(800, 6, 0.5)).assessment
    assert (few.high - few.low) / 40 > 2 * (many.high - many.low) / 800


@pytest.mark.parametrize("count", [3, 5, 9])
def test_a_handful_of_pictures_is_no_reason_to_fail(count):
    features = np.random.default_rng(0).standard_normal((count, 6)).astype(np.float32)
    found = issues(features, np.arange(count) % 2)
    assert np.isfinite(found.suspicion).all()
    assert ((found.suspicion >= 0) & (found.suspicion <= 1)).all()


def test_without_two_classes_to_compare_nothing_is_said():
    found = issues(np.eye(3, dtype=np.float32), np.array([0, 1, 2]))
    assert found.assessment is None
    assert not found.checked.any()
    assert not found.suspicion.any()


def test_many_classes_share_one_rate():
    draw, classes, count = np.random.default_rng(0), 60, 1200
    truth = np.arange(count) % classes
    logits = draw.standard_normal((count, classes)) + 12 * np.eye(classes)[truth]
    given = truth.copy()
    rows = draw.choice(count, 60, replace=False)
    given[rows] = (truth[rows] + draw.integers(1, classes, 60)) % classes
    evidence = Evidence(logits, np.zeros_like(logits), given)
    noise = estimate_noise(evidence)
    assert not any(model.by_pair for model in noise.models)
    found = assess(evidence, noise)
    assert 50 < found.wrong < 75
    assert (found.suspicion[rows, given[rows]] > 0.9).all()
