"""Out-of-distribution detection: known, unsure, unknown, on points whose classes are known."""

from typing import NamedTuple

import numpy as np
import pytest

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.config import OodConfig
from vision_recipes.model_folder.ood import KNOWN, MAX_BYTES, MAX_CLASSES, UNKNOWN, UNSURE, read_ood, write_ood
from vision_recipes.training.ood import MAX_FLAGGED, fit_ood

WIDE = 40


class Scored(NamedTuple):
    """Pictures with the logits that a network gives them."""

    images: LabelledImages
    logits: np.ndarray

    @property
    def features(self):
        return self.images.features

    @property
    def targets(self):
        return self.images.targets


def scored(features, targets, logits):
    classes = [str(number) for number in range(logits.shape[1])]
    return Scored(LabelledImages.of_features(features, targets, classes), logits)


def draw(count, seed, spread=6.0, classes=3):
    """Points of classes along the first axes, and logits that separate them."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, count)
    middles = np.eye(classes, WIDE) * spread
    features = (middles[targets] + rng.standard_normal((count, WIDE))).astype(np.float32)
    return scored(features, targets, (features[:, :classes] * spread / 3).astype(np.float32))


def fit(train, valid, precision=0.0):
    return fit_ood(train.images, valid.images, valid.logits, precision)


def verdicts(detector, rows):
    return [detector.assess(*pair)[0] for pair in zip(rows.logits, rows.features, strict=True)]


@pytest.mark.parametrize("count", [120, 1000])
def test_another_class_is_unknown_and_the_others_stay_known(count):
    train, valid, more = draw(count, 0), draw(200, 1), draw(500, 2)
    detector = fit(train, valid)
    assert verdicts(detector, valid).count(KNOWN) >= (1 - MAX_FLAGGED) * 200
    assert verdicts(detector, more).count(KNOWN) >= 0.85 * 500
    far = draw(200, 3)
    far.features[:, 20] += 9
    words = verdicts(detector, far)
    assert words.count(UNKNOWN) >= 180
    assert detector.config.known == pytest.approx(verdicts(detector, valid).count(KNOWN) / 200)


def test_between_two_classes_it_is_unsure():
    detector, between = fit(draw(400, 0), draw(200, 1)), draw(100, 6)
    between.features[:, :3] += [3.0, 3.0, 0.0] - 6 * np.eye(3)[between.targets]
    evidence = detector.evidence(between.features)
    assert evidence[:, :2].mean(axis=0) == pytest.approx([0.4, 0.4], abs=0.15)
    assert abs(evidence[:, 2].mean()) < 0.1
    words = verdicts(detector, between)
    assert words.count(UNSURE) > words.count(UNKNOWN)
    assert words.count(KNOWN) < 20


def test_the_evidence_of_a_known_picture_is_for_its_class_and_of_a_far_one_for_none():
    detector, more = fit(draw(400, 0), draw(200, 1)), draw(100, 5)
    evidence = detector.evidence(more.features)
    assert (evidence.argmax(axis=1) == more.targets).mean() > 0.98
    assert np.median(evidence.max(axis=1)) > 0.7
    assert np.abs(detector.evidence(more.features + 100)).max() < 1e-3


def test_a_label_without_evidence_has_a_higher_score():
    detector, more = fit(draw(400, 0), draw(200, 1)), draw(100, 5)
    right = [detector.assess(*pair)[1] for pair in zip(more.logits, more.features, strict=True)]
    wrong = [detector.assess(*pair)[1] for pair in zip(-more.logits, more.features, strict=True)]
    assert np.subtract(wrong, right).min() > 0
    assert np.median(np.subtract(wrong, right)) > 0.2


def test_a_class_without_training_pictures_has_no_evidence():
    train, valid = draw(100, 0), draw(60, 1)
    wider = scored(valid.features, valid.targets, np.pad(valid.logits, ((0, 0), (0, 1))))
    assert (fit(train, wider).evidence(valid.features)[:, 3] == 0).all()


@pytest.mark.parametrize("wide", [8, 100])
def test_identical_pictures_are_known(wide):
    same = scored(np.ones((40, wide), np.float32), np.zeros(40, int), np.ones((40, 2), np.float32))
    detector = fit(same, same)
    assert detector.assess(same.logits[0], same.features[0])[0] == KNOWN
    assert np.isfinite(detector.evidence(same.features + 1)).all()


@pytest.mark.parametrize("seed", range(4))
def test_copies_of_one_picture_give_finite_numbers(seed):
    rows = draw(100, seed)
    rows.features[:90] = rows.features[0]
    detector = fit(rows, draw(50, 9))
    assert np.isfinite(detector.references).all()
    assert np.isfinite(detector.evidence(rows.features)).all()


def test_a_precision_flags_as_many_as_it_takes():
    train, valid = draw(400, 0, spread=1.5), draw(400, 1, spread=1.5)
    usual, strict = fit(train, valid), fit(train, valid, precision=0.9)
    assert usual.config.precision < 0.9 <= strict.config.precision
    assert strict.config.known < usual.config.known
    assert fit(train, valid, precision=0.01).config.known == 1.0


def test_too_few_pictures_and_too_many_classes_give_no_detector():
    train, valid = draw(100, 0), draw(20, 1)
    assert fit(train, draw(9, 1)) is None
    assert fit(draw(19, 0), valid) is None
    assert fit(train, scored(valid.features, valid.targets, np.zeros((20, MAX_CLASSES + 1)))) is None


@pytest.mark.slow
def test_the_file_of_very_long_vectors_can_be_read():
    wide = 200_000
    rows = [
        scored(
            np.random.default_rng(i).random((100, wide), np.float32), np.arange(100) % 2, np.eye(2)[np.arange(100) % 2]
        )
        for i in (1, 2)
    ]
    detector = fit(*rows)
    content = write_ood(detector)
    assert len(content) < MAX_BYTES
    assert read_ood(content, "known.npz", detector.config, wide, 2).projection.shape == (wide, 41)


def test_a_detector_survives_its_file():
    detector = fit(draw(100, 0), draw(50, 1))
    content = write_ood(detector)
    assert content == write_ood(detector)
    read = read_ood(content, "known.npz", detector.config, WIDE, 3)
    rows = draw(20, 4)
    assert (read.evidence(rows.features) == detector.evidence(rows.features)).all()
    alone = np.concatenate([read.evidence(vector[None]) for vector in rows.features])
    assert alone == pytest.approx(read.evidence(rows.features), abs=1e-4)


@pytest.mark.parametrize("spoil", [lambda c: c[:100], lambda c: b"", lambda c: c.replace(b"turn", b"tarn")])
def test_an_untrusted_file_is_refused(spoil):
    content = write_ood(fit(draw(100, 0), draw(50, 1)))
    with pytest.raises(ModelFolderError, match=r"known\.npz"):
        read_ood(spoil(content), "known.npz", OodConfig(), WIDE, 3)
    with pytest.raises(ModelFolderError, match=r"known\.npz"):
        read_ood(content, "known.npz", OodConfig(), WIDE - 1, 3)
    with pytest.raises(ModelFolderError, match=r"known\.npz"):
        read_ood(content, "known.npz", OodConfig(), WIDE, 4)


def test_pictures_like_those_trained_on_are_known_where_classes_are_easy():
    """Few directions tell such classes apart, and unseen pictures may get more evidence than those trained on."""
    rng = np.random.default_rng(4)
    targets = np.arange(90) % 2
    features = rng.standard_normal((90, 400)) * np.geomspace(1, 0.01, 400) + np.outer(2 * targets - 1, np.ones(400))
    logits = np.stack([-features.mean(axis=1), features.mean(axis=1)], axis=1).astype(np.float32) * 9
    images = LabelledImages.of_features(features.astype(np.float32), targets, ("a", "b"))
    train, valid = np.arange(72), np.arange(72, 90)
    detector = fit_ood(images.take(train), images.take(valid), logits[valid])
    assert detector.config.limit > 0
    words = [detector.assess(*pair)[0] for pair in zip(logits, features.astype(np.float32), strict=True)]
    assert words.count(KNOWN) >= (1 - 2 * MAX_FLAGGED) * 90 - 1


def test_the_part_of_the_features_that_tells_classes_apart_is_used_alone():
    rng = np.random.default_rng(2)
    targets = np.arange(300) % 5
    telling, noise = np.eye(5, 20)[targets] * 5 + rng.standard_normal((300, 20)), rng.standard_normal((300, 300)) * 1.0
    features = np.concatenate([noise, telling], axis=1).astype(np.float32)
    images = LabelledImages.of_features(features, targets, "abcde")
    logits = np.eye(5, dtype=np.float32)[targets] * 5
    train, valid = np.arange(240), np.arange(240, 300)
    parts = (slice(0, 300), slice(300, 320))
    detector = fit_ood(images.take(train), images.take(valid), logits[valid], parts=parts)
    assert not detector.projection[:300].any() and detector.projection[300:].any()
    unused = features[valid].copy()
    unused[:, :300] = 99.0
    np.testing.assert_allclose(detector.evidence(unused), detector.evidence(features[valid]), atol=1e-5)
