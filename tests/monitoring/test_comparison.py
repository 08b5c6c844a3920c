"""One alarm from several tests, and its reasons."""

from dataclasses import replace

import numpy as np
import pytest

from vision_recipes.dataset.splits import TRAIN, VALID
from vision_recipes.monitoring import comparison
from vision_recipes.monitoring.comparison import References, Rules, compare
from vision_recipes.monitoring.kept_pictures import _in_the_mix
from vision_recipes.monitoring.moved import most_moved
from vision_recipes.monitoring.sample import Sample
from vision_recipes.monitoring.scoring import ScoredPictures
from vision_recipes.monitoring.words import headline, only_the_mix, summary

RULES = Rules(0.01, False, 0)
LABELS = ("cat", "dog", "<b>")
WIDTH = 40


def sample(seed, count, weights=(0.4, 0.4, 0.2), shift=0.0, flagged=0.05):
    draw = np.random.default_rng(seed)
    labels = draw.choice(3, count, p=weights)
    features = draw.normal(0, 1, (count, WIDTH)) + 4 * np.eye(WIDTH)[labels] + shift * np.eye(WIDTH)[5]
    verdicts = np.where(draw.uniform(size=count) < flagged, "unknown", "known")
    probabilities = draw.uniform(0.4, 1, count).astype(np.float32)
    right = (draw.uniform(size=count) < probabilities).astype(float)
    names = tuple(f"/{seed}-{number}.jpg" for number in range(count))
    return Sample(names, features.astype(np.float32), labels, probabilities, verdicts, right)


OLD = sample(1, 200)
REFERENCES = References(OLD, OLD, OLD)


def told(found, new, unreadable=()):
    return summary(found, REFERENCES, ScoredPictures(new, dict.fromkeys(unreadable, "corrupt"), len(new)), LABELS)


def test_no_alarm_where_nothing_has_changed():
    new = sample(2, 120)
    found = compare(REFERENCES, new, 0, 3, RULES)
    assert not found.alarm and found.p_value > 0.01 and found.tested == (200, 120)
    assert found.accuracy.low < new.right.mean() < found.accuracy.high
    assert told(found, new).startswith("No sign of a change. 120 new pictures look like")


def test_other_looks():
    new = sample(2, 60, shift=3)
    found = compare(REFERENCES, new, 0, 3, RULES)
    assert found.reasons == ("looks",) and found.p_value <= 0.004 and not only_the_mix(found)
    assert "tells a new picture from a reference picture" in told(found, new)
    assert most_moved(found.scores, new, OLD, 5)[0].score == found.scores.max()


def test_more_unknown_pictures():
    new = sample(2, 200, flagged=0.25)
    found = compare(REFERENCES, new, 0, 3, RULES)
    assert found.reasons == ("unknown",) and "unknown or unsure" in told(found, new)


def test_another_mix_of_labels_is_not_necessarily_bad():
    new = sample(2, 120, (0.85, 0.1, 0.05))
    found = compare(REFERENCES, new, 0, 3, RULES)
    assert set(found.reasons) == {"looks", "label_mix"} and only_the_mix(found)
    assert headline(found) == "The mix of labels has changed" and "not necessarily bad" in told(found, new)
    assert not compare(REFERENCES, new, 0, 3, Rules(0.01, True, 0)).alarm
    shifted = sample(2, 120, (0.85, 0.1, 0.05), shift=3)
    assert compare(REFERENCES, shifted, 0, 3, Rules(0.01, True, 0)).reasons == ("looks",)


def test_pictures_that_repeat_one():
    one = sample(2, 1)
    new = Sample(
        *(value * 30 if isinstance(value, tuple) else np.repeat(value, 30, axis=0) for value in vars(one).values())
    )
    found = compare(REFERENCES, new, 0, 3, RULES)
    assert "repeated" in found.reasons and found.tested[1] == 1
    assert "repeat another one" in told(found, new)


def test_copies_of_a_few_do_not_count_as_many():
    few = sample(2, 12)
    rows = np.repeat(np.arange(12), 10)
    found = compare(REFERENCES, few.take(rows), 0, 3, RULES)
    assert found.tested[1] == 12 and found.p_values["looks"] > 0.01


def test_pictures_that_cannot_be_read():
    new = sample(2, 5)
    found = compare(REFERENCES, new.take(np.arange(0)), 7, 3, RULES)
    assert found.alarm and found.reasons == ("unreadable",) and found.p_value is None
    assert told(found, new.take(np.arange(0)), "abcdefg").startswith(
        "None of the new pictures can be read. 7 of 7 files"
    )
    assert compare(REFERENCES, new, 6, 3, RULES).reasons == ("unreadable",)
    assert not compare(REFERENCES, new, 5, 3, RULES).alarm


def test_a_model_without_labels_or_detector():
    plain = Sample(OLD.names, OLD.features, np.full(200, -1), np.full(200, np.nan), np.full(200, ""), OLD.right)
    new = plain.take(np.arange(100))
    found = compare(References(plain, plain, plain.take(np.arange(0))), new, 0, 2, RULES)
    assert found.label_mix is None and found.accuracy is None and set(found.p_values) == {"looks"}


def test_every_new_picture_has_a_score(monkeypatch):
    monkeypatch.setattr(comparison, "MAX_TESTED", 80)
    count = 130
    new = sample(2, count, shift=3)
    found = compare(replace(REFERENCES, most_new=80), new, 0, 3, RULES)
    assert found.tested == (80, 80) and found.scores.shape == (count,) and found.alarm


@pytest.mark.parametrize("sizes", [(900, 100, 0), (0, 0, 0)])
def test_kept_pictures_are_mixed_as_the_training_pictures(sizes):
    labels = np.repeat([0, 1], 200)
    sides = np.tile([TRAIN, VALID], 200)
    rows = np.flatnonzero(sides == VALID)
    counts = np.bincount(labels[_in_the_mix(labels, rows, np.array(sizes), 0)])
    assert counts.tolist() == ([100, 11] if any(sizes) else [100, 100])
