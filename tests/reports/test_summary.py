"""What the summary says, each sentence against pictures made for it."""

import numpy as np
import pytest

from vision_recipes.metrics import accuracy_interval, expected_right
from vision_recipes.reports.advice import advise
from vision_recipes.reports.confusion import confusion_matrix
from vision_recipes.reports.metric_rows import metric_rows
from vision_recipes.reports.predictions import LabelledPredictions, Prediction
from vision_recipes.reports.summary import summarise
from vision_recipes.wording import percent


def drawn(*groups, confidence=0.7):
    """Return predictions; a group is a true label, a guess and a count."""
    found = []
    for truth, guess, count in groups:
        for _ in range(count):
            rest = {truth: 1 - confidence} if truth != guess else {"other": 1 - confidence}
            found.append(Prediction(f"/{len(found)}.png", guess, confidence, {guess: confidence, **rest}, truth))
    return found


def summary_of(pictures, **left_out):
    counts = {"rejected": 0, "without_truth": 0} | left_out
    evaluated = LabelledPredictions(pictures, counts["rejected"], counts["without_truth"], 0, 0, 0, 0)
    overall = {row["metric"]: row["value"] for row in metric_rows(evaluated) if not row["class"]}
    return summarise(evaluated, overall, confusion_matrix(pictures))


def test_the_result_and_what_to_expect_are_two_things():
    found = summary_of(drawn(("egg", "egg", 60), ("egg", "stone", 15), ("stone", "stone", 25)))
    low, high = accuracy_interval(85, 100)
    assert found.result == "85 of 100 pictures get the right label (accuracy)."
    assert (
        f"the accuracy is between {percent(low)} and {percent(high)} (95 % confidence interval, from 100 pictures)"
        in found.outlook
    )
    few, many = expected_right(85, 100, 100)
    assert f"Of the next 100, expect {few} to {many} to be right (95 % prediction interval)." in found.outlook
    assert few < 100 * low < 100 * high < many, "a prediction is less certain than the accuracy itself"


@pytest.mark.parametrize("accuracy", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("count", [20, 100, 5000])
def test_a_prediction_interval_holds_what_comes_in_95_of_100_cases(accuracy, count):
    rng = np.random.default_rng(5)
    before, after = rng.binomial(count, accuracy, 2000), rng.binomial(100, accuracy, 2000)
    intervals = {right: expected_right(right, count, 100) for right in set(before.tolist())}
    held = [
        intervals[right][0] <= new <= intervals[right][1] for right, new in zip(before.tolist(), after, strict=True)
    ]
    assert 0.935 <= np.mean(held) <= 0.995


@pytest.mark.parametrize("count", [1, 2, 7, 36, 145, 1000, 10**6])
@pytest.mark.parametrize("new", [1, 100])
def test_a_prediction_interval_always_holds_the_interval_of_the_accuracy(count, new):
    for right in {0, 1, count // 2, count * 35 // 36, count - 1, count}:
        (low, high), (few, many) = accuracy_interval(right, count), expected_right(right, count, new)
        assert few <= new * low + 1e-9, (right, count)
        assert new * high - 1e-9 <= many, (right, count)


def test_a_single_mistake_is_called_that():
    pictures = drawn(("a", "a", 9), ("a", "b", 1), ("b", "b", 10))
    first = next(advise(pictures, confusion_matrix(pictures), {}))
    assert first == (
        "Perhaps add pictures of “a”: 9 of 10 are recognised. This rests on one mistake only, taken for “b”, and may be "
        "chance."
    )


@pytest.mark.parametrize(("count", "sure"), [(2, False), (29, False), (30, True)])
def test_few_pictures_say_nothing_about_the_confidence(count, sure):
    notes = " ".join(summary_of(drawn(("a", "a", count - 1), ("b", "b", 1), confidence=0.98)).notes)
    assert ("taken at its word" in notes) == sure
    assert ("too few to tell" in notes) != sure


@pytest.mark.parametrize(("right", "count"), [(0, 1), (1, 1), (0, 40), (40, 40), (10**7, 10**7 + 3)])
def test_a_prediction_interval_at_the_ends(right, count):
    low, high = expected_right(right, count, 100)
    assert 0 <= low <= high <= 100


def test_the_most_frequent_confusions_come_first():
    found = summary_of(drawn(("a", "a", 5), ("a", "b", 3), ("b", "b", 9), ("b", "c", 1), ("c", "a", 2), ("c", "c", 8)))
    assert [(pair.truth, pair.predicted, pair.count, pair.support) for pair in found.confusions] == [
        ("a", "b", 3, 8),
        ("c", "a", 2, 10),
        ("b", "c", 1, 10),
    ]
    assert not summary_of(drawn(("a", "a", 5), ("b", "b", 5))).confusions


def test_weak_and_small_classes_are_named_with_numbers():
    pictures = drawn(("a", "a", 5), ("a", "b", 5), ("b", "b", 10), ("c", "c", 10))
    first, second, *rest = advise(pictures, confusion_matrix(pictures), {"a": 12, "b": 50, "c": 60, "d": 3})
    assert first == (
        "Add pictures of “a”: 5 of 10 are recognised, and it has only 12 to train on, where classes usually have 31. "
        "The most useful are ones that look like “b”."
    )
    assert second == "Few pictures to train on: “d” (3). Aim for at least 20 of each class, better 100."
    assert "To know the accuracy more closely, evaluate more pictures" in rest[-1]
    unknown = next(advise(pictures, confusion_matrix(pictures), {}))
    assert unknown == "Add pictures of “a”: 5 of 10 are recognised. The most useful are ones that look like “b”."


def test_a_model_without_mistakes_gets_harder_pictures():
    pictures = drawn(("a", "a", 500), ("b", "b", 500))
    assert list(advise(pictures, confusion_matrix(pictures), {})) == [
        "Look for harder pictures, such as other places, light or angles: these are all recognised."
    ]


@pytest.mark.parametrize("count", [8, 800])
def test_labels_are_suspected_by_a_good_model_only(count):
    bad = drawn(("a", "a", count), ("a", "b", count), ("b", "b", count), ("b", "a", count), confidence=0.9)
    assert not [said for said in advise(bad, confusion_matrix(bad), {}) if "Check the labels" in said]
    good = drawn(("a", "a", 9 * count), ("b", "b", 9 * count), ("b", "a", 1), confidence=0.9)
    assert "Check the labels of 1 picture under “Data quality”: they may be wrong." in list(
        advise(good, confusion_matrix(good), {})
    )


def test_a_bias_of_the_confidence_must_be_more_than_chance():
    few = summary_of(drawn(("a", "a", 18), ("a", "b", 10), ("b", "b", 6), confidence=0.8)).notes
    assert any(
        "can be taken at its word: 80.0 % on average, where 70.6 % are right; chance explains" in note for note in few
    )
    many = summary_of(drawn(("a", "a", 600), ("a", "b", 400), ("b", "b", 200), confidence=0.8)).notes
    assert "Its confidence is too high: 80.0 % on average, where 66.7 % are right." in many


def test_pictures_left_out_are_counted():
    notes = summary_of(drawn(("a", "a", 3), ("b", "b", 2)), rejected=1, without_truth=2).notes
    assert "1 picture could not be scored; the reasons are listed under “Unreadable files”." in notes
    assert "2 pictures without a true label were left out of all metrics." in notes
    assert "For comparison: always answering “a” would be right for 60.0 % of the pictures." in notes
