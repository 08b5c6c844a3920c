"""Known, unsure, unknown: thresholds on points whose classes are known; honest probabilities."""

import numpy as np
import pytest

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.config import OodConfig
from vision_recipes.model_folder.ood import KNOWN, MAX_BYTES, MAX_CLASSES, UNKNOWN, UNSURE, read_ood, write_ood
from vision_recipes.training.examples import probabilities
from vision_recipes.training.ood import SET_ASIDE, Seen, calibrate, calibration_error, find_verdict

WIDE = 40


def seen(count, seed, spread=6.0, classes=3):
    """Points of classes along the first axes, and logits that tell them apart."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, count)
    middles = np.eye(classes, WIDE) * spread
    features = (middles[targets] + rng.standard_normal((count, WIDE))).astype(np.float32)
    return Seen(features, targets, (features[:, :classes] * spread / 3).astype(np.float32))


def judge(verdict, rows):
    return [verdict.assess(*pair)[0] for pair in zip(rows.logits, rows.features, strict=True)]


@pytest.mark.parametrize("count", [120, 1000])
def test_another_class_is_unknown_and_the_others_stay_known(count):
    train, valid, more = seen(count, 0), seen(200, 1), seen(500, 2)
    verdict = find_verdict(train, valid)
    assert judge(verdict, valid).count(KNOWN) >= (1 - SET_ASIDE) * 200
    assert judge(verdict, more).count(KNOWN) >= 0.85 * 500
    far = seen(200, 3)
    far.features[:, 20] += 9
    words = judge(verdict, far)
    assert words.count(UNKNOWN) >= 180
    assert verdict.config.known == pytest.approx(judge(verdict, valid).count(KNOWN) / 200)


def test_between_two_classes_it_is_unsure():
    verdict, between = find_verdict(seen(400, 0), seen(200, 1)), seen(100, 6)
    between.features[:, :3] += [3.0, 3.0, 0.0] - 6 * np.eye(3)[between.targets]
    evidence = verdict.evidence(between.features)
    assert evidence[:, :2].mean(axis=0) == pytest.approx([0.4, 0.4], abs=0.15)
    assert abs(evidence[:, 2].mean()) < 0.1
    words = judge(verdict, between)
    assert words.count(UNSURE) > words.count(UNKNOWN)
    assert words.count(KNOWN) < 20


def test_the_evidence_of_a_known_picture_is_for_its_class_and_of_a_far_one_for_none():
    verdict, more = find_verdict(seen(400, 0), seen(200, 1)), seen(100, 5)
    evidence = verdict.evidence(more.features)
    assert (evidence.argmax(axis=1) == more.targets).mean() > 0.98
    assert np.median(evidence.max(axis=1)) > 0.7
    assert np.abs(verdict.evidence(more.features + 100)).max() < 1e-3


def test_a_label_that_the_examples_do_not_speak_for_is_odder():
    verdict, more = find_verdict(seen(400, 0), seen(200, 1)), seen(100, 5)
    right = [verdict.assess(*pair)[1] for pair in zip(more.logits, more.features, strict=True)]
    wrong = [verdict.assess(*pair)[1] for pair in zip(-more.logits, more.features, strict=True)]
    assert np.subtract(wrong, right).min() > 0
    assert np.median(np.subtract(wrong, right)) > 0.2


def test_a_class_without_training_pictures_has_no_evidence():
    train, valid = seen(100, 0), seen(60, 1)
    wider = Seen(valid.features, valid.targets, np.pad(valid.logits, ((0, 0), (0, 1))))
    assert (find_verdict(train, wider).evidence(valid.features)[:, 3] == 0).all()


@pytest.mark.parametrize("wide", [8, 100])
def test_pictures_that_are_all_alike_give_a_verdict_that_knows_them(wide):
    alike = Seen(np.ones((40, wide), np.float32), np.zeros(40, int), np.ones((40, 2), np.float32))
    verdict = find_verdict(alike, alike)
    assert verdict.assess(alike.logits[0], alike.features[0])[0] == KNOWN
    assert np.isfinite(verdict.evidence(alike.features + 1)).all()


@pytest.mark.parametrize("seed", range(4))
def test_copies_of_one_picture_give_finite_numbers(seed):
    rows = seen(100, seed)
    rows.features[:90] = rows.features[0]
    verdict = find_verdict(rows, seen(50, 9))
    assert np.isfinite(verdict.references).all()
    assert np.isfinite(verdict.evidence(rows.features)).all()


def test_a_precision_sets_aside_as_many_as_it_takes():
    train, valid = seen(400, 0, spread=1.5), seen(400, 1, spread=1.5)
    usual, strict = find_verdict(train, valid), find_verdict(train, valid, precision=0.9)
    assert usual.config.precision < 0.9 <= strict.config.precision
    assert strict.config.known < usual.config.known
    assert find_verdict(train, valid, precision=0.01).config.known == 1.0


def test_too_few_pictures_and_too_many_classes_give_no_verdict():
    train, valid = seen(100, 0), seen(20, 1)
    assert find_verdict(train, seen(9, 1)) is None
    assert find_verdict(seen(19, 0), valid) is None
    assert find_verdict(train, Seen(valid.features, valid.targets, np.zeros((20, MAX_CLASSES + 1)))) is None


def test_the_file_of_very_long_vectors_can_be_read():
    wide = 200_000
    rows = [
        Seen(
            np.random.default_rng(i).random((100, wide), np.float32), np.arange(100) % 2, np.eye(2)[np.arange(100) % 2]
        )
        for i in (1, 2)
    ]
    verdict = find_verdict(*rows)
    content = write_ood(verdict)
    assert len(content) < MAX_BYTES
    assert read_ood(content, "known.npz", verdict.config, wide, 2).projection.shape == (wide, 41)


def test_a_verdict_survives_its_file():
    verdict = find_verdict(seen(100, 0), seen(50, 1))
    content = write_ood(verdict)
    assert content == write_ood(verdict)
    read = read_ood(content, "known.npz", verdict.config, WIDE, 3)
    rows = seen(20, 4)
    assert (read.evidence(rows.features) == verdict.evidence(rows.features)).all()
    alone = np.concatenate([read.evidence(vector[None]) for vector in rows.features])
    assert alone == pytest.approx(read.evidence(rows.features), abs=1e-4)


@pytest.mark.parametrize("spoil", [lambda c: c[:100], lambda c: b"", lambda c: c.replace(b"turn", b"tarn")])
def test_a_file_of_strangers_is_refused(spoil):
    content = write_ood(find_verdict(seen(100, 0), seen(50, 1)))
    with pytest.raises(ModelFolderError, match=r"known\.npz"):
        read_ood(spoil(content), "known.npz", OodConfig(), WIDE, 3)
    with pytest.raises(ModelFolderError, match=r"known\.npz"):
        read_ood(content, "known.npz", OodConfig(), WIDE - 1, 3)
    with pytest.raises(ModelFolderError, match=r"known\.npz"):
        read_ood(content, "known.npz", OodConfig(), WIDE, 4)


def test_overconfident_probabilities_become_honest():
    rows = seen(600, 0, spread=1.5)
    wild = rows.logits * 8
    found = calibrate(wild, rows.targets)
    assert found.factor < 0.6
    assert found.after < 0.6 * found.before
    shares = probabilities(wild * found.factor)
    right = (shares.argmax(axis=1) == rows.targets).astype(float)
    assert found.after == pytest.approx(calibration_error(shares.max(axis=1), right), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_calibration_never_makes_it_worse(seed):
    rows = seen(60, seed, spread=2.0)
    found = calibrate(rows.logits, rows.targets)
    assert found.after <= found.before
    assert calibrate(rows.logits[:10], rows.targets[:10]).factor == 1.0
