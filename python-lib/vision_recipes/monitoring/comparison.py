"""New pictures against reference pictures: several tests, and one alarm at a controlled level."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from vision_recipes.dataset.duplicates import find_duplicates
from vision_recipes.dataset.splits import merge_groups
from vision_recipes.monitoring.expected_accuracy import ExpectedAccuracy, expect_accuracy
from vision_recipes.monitoring.sample import Sample
from vision_recipes.monitoring.share_tests import LabelMix, compare_labels, more_flagged
from vision_recipes.monitoring.two_sample_test import TwoSampleTest, compare_samples

LOOKS, UNKNOWN_SHARE, LABEL_MIX, REPEATED, UNREADABLE = "looks", "unknown", "label_mix", "repeated", "unreadable"
"""The reasons of an alarm."""

ANOTHER_MIX = 0.05
"""The p-value up to which a change of the mix of labels is worth a sentence, beside an alarm."""

MAX_TESTED = 2000
"""How many pictures of a side the test of looks takes at most; more would only find what is too small to matter."""

_LEVEL_OF = {LOOKS: 0.9, UNKNOWN_SHARE: 0.05, LABEL_MIX: 0.05}
"""The parts of the alarm's level that the tests have (Bonferroni): the first finds nearly all that there is."""

_REPEATED, _USUAL, _LEAST = 0.5, 0.1, 10
"""A camera that stands still: this fraction of at least so many pictures repeats another, where few usually do."""


@dataclass(frozen=True)
class References:
    """What new pictures are compared with; samples may be the same.

    `looks`: pictures whose features are as new as those of the new pictures. `predictions`: pictures that the model
    did not see in its training, so that its labels and verdicts for them are as good as for new ones; `answers`:
    those with true labels. The last two may be empty. Looks are tested on at most `most_new` new pictures.
    """

    looks: Sample
    predictions: Sample
    answers: Sample
    most_new: int = MAX_TESTED


@dataclass(frozen=True)
class Comparison:
    """What the tests found; what could not be tested is None. `p_value` is that of the alarm, for all tests together.

    `reasons` are those of the alarm, the strongest first, empty without one. `within_labels` is the p-value of looks
    among pictures with the same predicted label, tested when an alarm may come from the mix of labels. `tested` are the
    numbers of reference and new pictures that the test of looks took. `scores` (n,) say how much each new picture looks
    like a new one (see TwoSampleTest.answers).
    """

    alarm: bool
    reasons: tuple[str, ...]
    p_value: float | None
    p_values: dict[str, float] = field(default_factory=dict)
    separability: float | None = None
    within_labels: float | None = None
    label_mix: LabelMix | None = None
    accuracy: ExpectedAccuracy | None = None
    repeated: tuple[float, float] = (0.0, 0.0)
    tested: tuple[int, int] = (0, 0)
    scores: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))


@dataclass(frozen=True)
class Rules:
    """How an alarm is decided: its level, whether the mix of labels may change, and the seed of all that is drawn."""

    level: float
    mix_may_change: bool
    seed: int


def compare(references: References, new: Sample, unreadable: int, classes: int, rules: Rules) -> Comparison:
    """Return the comparison of new pictures, of which `unreadable` more could not be read, with the references."""
    if not len(new):
        return Comparison(True, (UNREADABLE,), None)
    expected, most = references.predictions, (MAX_TESTED, references.most_new)
    has_labels = new.has_labels and expected.has_labels
    within = rules.mix_may_change and has_labels
    looks, rows = _compare_looks(expected if within else references.looks, new, most, rules.seed, within=within)
    p_values = {LOOKS: looks.p_value}
    if new.has_verdicts and expected.has_verdicts:
        p_values[UNKNOWN_SHARE] = more_flagged(expected.flagged, new.flagged)
    mix = compare_labels(expected.labels, new.labels, classes, rules.seed) if has_labels else None
    if mix is not None and not rules.mix_may_change:
        p_values[LABEL_MIX] = mix.p_value
    weighed = {reason: min(1.0, p / _LEVEL_OF[reason]) for reason, p in p_values.items()}
    reasons = sorted((reason for reason, p in weighed.items() if p <= rules.level), key=lambda reason: weighed[reason])
    repeated = _repeated(references.looks), _repeated(new)
    if len(new) >= _LEAST and repeated[1] > _REPEATED and repeated[0] < _USUAL:
        reasons.append(REPEATED)
    if unreadable > len(new):
        reasons.append(UNREADABLE)
    another_mix = mix is not None and mix.p_value <= ANOTHER_MIX
    alike = _compare_looks(expected, new, most, rules.seed, within=True)[0].p_value if reasons and another_mix else None
    answers = references.answers
    return Comparison(
        alarm=bool(reasons),
        reasons=tuple(reasons),
        p_value=min(weighed.values()),
        p_values=p_values,
        separability=looks.separability,
        within_labels=alike,
        label_mix=mix,
        accuracy=expect_accuracy(answers.probabilities, answers.right, new.probabilities, rules.seed)
        if new.has_labels
        else None,
        repeated=repeated,
        tested=rows,
        scores=looks.answers,
    )


def _compare_looks(
    reference: Sample, new: Sample, most: tuple[int, int], seed: int, *, within: bool
) -> tuple[TwoSampleTest, tuple[int, int]]:
    """Return the test on at most so many pictures of each side, without near-duplicates, and how many it took.

    Its answers are for all new pictures: those that took no part get the answer of the most similar one that did.
    """
    draw = np.random.default_rng(seed)
    old_rows, new_rows = (
        np.sort(draw.permutation(len(side))[:count]) for side, count in zip((reference, new), most, strict=True)
    )
    features = np.concatenate([reference.features[old_rows], new.features[new_rows]])
    sides = np.repeat([0, 1], [len(old_rows), len(new_rows)])
    kept = _distinct(features, sides, seed)
    labels = np.concatenate([reference.labels[old_rows], new.labels[new_rows]])
    count = int((sides[kept] == 0).sum())
    test = compare_samples(features[kept[:count]], features[kept[count:]], seed, labels[kept] if within else None)
    answers = _spread(test.answers, new.features[new_rows[kept[count:] - len(old_rows)]], new.features)
    return TwoSampleTest(test.p_value, test.separability, answers), (count, len(kept) - count)


def _distinct(features: np.ndarray, sides: np.ndarray, seed: int) -> np.ndarray:
    """Return the rows of pictures of which none on the same side is a near-duplicate of an earlier one."""
    pairs = [
        (pair.one, pair.other)
        for pair in find_duplicates(features, _digests(features), seed)
        if sides[pair.one] == sides[pair.other]
    ]
    return np.sort(np.unique(merge_groups(len(features), pairs), return_index=True)[1])


def _digests(features: np.ndarray) -> list[str]:
    """Return what is the same for pictures with the same features, to within half precision."""
    return [hashlib.sha256(row.tobytes()).hexdigest() for row in features.astype(np.float16)]


def _repeated(sample: Sample) -> float:
    """Return the fraction of pictures whose features are those of an earlier one."""
    return 1 - len(set(_digests(sample.features))) / max(len(sample), 1)


def _spread(answers: np.ndarray, tested: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return the answer (n,) of the most similar tested picture for each row of features (n, d)."""
    if len(tested) == len(features):
        return answers
    units = tested / np.maximum(np.linalg.norm(tested, axis=1, keepdims=True), 1e-12)
    blocks = (features[start : start + 1024] for start in range(0, len(features), 1024))
    return np.concatenate([answers[np.argmax(block @ units.T, axis=1)] for block in blocks])
