"""Known, unsure, unknown: thresholds on points whose classes are known; honest probabilities."""

import json

import numpy as np
import pytest

from vision_recipes.errors import ModelFolderError
from vision_recipes.models.config import VerdictConfig
from vision_recipes.models.verdicts import KNOWN, UNKNOWN, UNSURE, read_verdict, write_verdict
from vision_recipes.training.examples import probabilities
from vision_recipes.training.verdicts import SET_ASIDE, Seen, calibrate, calibration_error, find_verdict

WIDE = 40


def seen(count, seed, spread=6.0, classes=3):
    """Points of classes along the first axes, and logits that tell them apart."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, count)
    middles = np.eye(classes, WIDE) * spread
    features = (middles[targets] + rng.standard_normal((count, WIDE))).astype(np.float32)
    return Seen(features, targets, (features[:, :classes] * spread / 3).astype(np.float32))


def judge(verdict, rows):
    shares = probabilities(rows.logits.astype(np.float64))
    return [verdict.judge(share, vector)[0] for share, vector in zip(shares, rows.features, strict=True)]


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
    train, valid = seen(400, 0), seen(200, 1)
    verdict = find_verdict(train, valid)
    vector = np.zeros(WIDE, np.float32)
    vector[:2] = 3.0
    assert verdict.judge(np.array([0.36, 0.34, 0.3]), train.features[train.targets == 0].mean(axis=0))[0] == UNSURE
    assert verdict.judge(np.array([0.5, 0.5, 0.0]), vector)[0] != KNOWN


def test_a_precision_sets_aside_as_many_as_it_takes():
    train, valid = seen(400, 0, spread=1.5), seen(400, 1, spread=1.5)
    usual, strict = find_verdict(train, valid), find_verdict(train, valid, precision=0.9)
    assert usual.config.precision < 0.9 <= strict.config.precision
    assert strict.config.known < usual.config.known
    assert find_verdict(train, valid, precision=0.01).config.known == 1.0


def test_too_few_pictures_give_no_verdict():
    assert find_verdict(seen(100, 0), seen(9, 1)) is None


def test_a_verdict_survives_its_file():
    verdict = find_verdict(seen(100, 0), seen(50, 1))
    content = write_verdict(verdict)
    assert content == write_verdict(verdict)
    read = read_verdict(content, "known.npz", verdict.config, WIDE)
    rows = seen(20, 4)
    assert (read.distances(rows.features) == verdict.distances(rows.features)).all()
    alone = [read.distances(vector[None])[0] for vector in rows.features]
    assert alone == pytest.approx(read.distances(rows.features), rel=1e-4)


@pytest.mark.parametrize("spoil", [lambda c: c[:100], lambda c: b"", lambda c: c.replace(b"turn", b"tarn")])
def test_a_file_of_strangers_is_refused(spoil):
    content = write_verdict(find_verdict(seen(100, 0), seen(50, 1)))
    with pytest.raises(ModelFolderError, match=r"known\.npz"):
        read_verdict(spoil(content), "known.npz", VerdictConfig(), WIDE)
    with pytest.raises(ModelFolderError, match=r"known\.npz"):
        read_verdict(content, "known.npz", VerdictConfig(), WIDE - 1)


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


def test_the_model_folder_keeps_the_numbers():
    told = json.loads(json.dumps(VerdictConfig(limit=1.5).__dict__))
    assert VerdictConfig(**told).limit == 1.5
    with pytest.raises(ValueError, match="spreads"):
        VerdictConfig(doubt_spread=0.0)
