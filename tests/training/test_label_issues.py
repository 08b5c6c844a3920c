"""Label issues among points whose classes are known, and decisions on them."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from vision_recipes.dataset.duplicates import find_duplicates
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.labels import find_labels
from vision_recipes.dataset.splits import merge_groups
from vision_recipes.errors import LabelsError
from vision_recipes.training.label_check import check_rows
from vision_recipes.training.label_issues import find_label_issues, find_neighbours
from vision_recipes.training_settings import CheckLabelsSettings, RetrainSettings

CLASSES = 4


def points(count, seed, spread=1.6):
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((CLASSES, 24)) * spread
    targets = np.arange(count) % CLASSES
    return (middles[targets] + rng.standard_normal((count, 24))).astype(np.float32), targets


def check(features, labels, unreadable=(), **settings):
    """Return the rows of pictures "0", "1", …, whose near-duplicates are found and kept in one group, as the recipe."""
    classes, targets = np.unique(labels, return_inverse=True)
    pairs = find_duplicates(features, [str(row) for row in range(len(labels))], 1337)
    groups = merge_groups(len(labels), [(pair.one, pair.other) for pair in pairs])
    images = LabelledImages.of_features(features, targets, classes.tolist(), groups)
    return check_rows(images, pairs, unreadable, CheckLabelsSettings(label_source="folder_names", **settings))


def checked(features, labels, **settings):
    return {row["images"]: row for row in check(features, labels, **settings)}


@pytest.mark.parametrize("seed", range(3))
def test_swapped_labels_are_the_most_suspicious(seed):
    features, targets = points(200, seed)
    draw = np.random.default_rng(seed)
    swapped = draw.choice(200, 10, replace=False)
    given = targets.copy()
    given[swapped] = (targets[swapped] + draw.integers(1, CLASSES, 10)) % CLASSES
    rows = check(features, [f"c{k}" for k in given])
    assert [row["rank"] for row in rows] == list(range(1, 201))
    first = {int(row["images"]): row for row in rows[:20]}
    found = set(swapped.tolist()) & set(first)
    assert len(found) >= 9
    assert sum(first[row]["suggested_label"] == f"c{targets[row]}" for row in found) >= 9
    assert sum(first[row]["issue"] == "wrong_label" for row in found) >= 8
    assert sum(row["issue"] == "wrong_label" for row in rows) <= 20


def test_near_duplicates_and_outliers_are_named():
    features, targets = points(80, 3, spread=3)
    features[70], features[71] = features[0], features[2]
    features[60] = 40 * np.random.default_rng(0).standard_normal(24)
    labels = [f"c{k}" for k in targets]
    labels[70], labels[71] = "c1", "c2"
    rows = checked(features, labels)
    assert rows["70"]["issue"] in ("conflicting_copy", "wrong_label")
    assert rows["0"]["issue"] in ("conflicting_copy", "wrong_label")
    assert rows["70"]["suspicion"] >= 0.5
    assert rows["71"]["issue"] == "copy"
    assert rows["60"]["issue"] == "outlier" or rows["60"]["strangeness"] > 1.2
    nearest = json.loads(rows["71"]["neighbours"])[0]
    assert (nearest["path"], nearest["label"]) == ("2", "c2")
    assert nearest["likeness"] > 0.99


def test_of_two_copies_with_different_labels_one_is_wrong(caplog):
    caplog.set_level("INFO", "vision_recipes")
    features, targets = points(80, 3, spread=3)
    features[70] = features[0]
    targets[70] = (targets[0] + 1) % CLASSES
    rows = checked(features, [f"c{k}" for k in targets])
    assert (rows["70"]["issue"], rows["0"]["issue"]) == ("wrong_label", "conflicting_copy")
    assert rows["70"]["suspicion"] + rows["0"]["suspicion"] == pytest.approx(1, abs=0.02)
    (expected,) = re.findall(r"expected number of wrong labels: ([\d.]+) of 80", caplog.text)
    assert float(expected) == pytest.approx(sum(row["suspicion"] for row in rows.values()), abs=0.06)


@pytest.mark.parametrize(("spread", "level"), [(3.0, "INFO"), (0.1, "WARNING")])
def test_the_log_says_how_many_are_wrong_and_how_sure_one_can_be(spread, level, caplog):
    features, targets = points(200, 4, spread)
    with caplog.at_level("INFO", "vision_recipes"):
        check(features, [f"c{k}" for k in targets])
    said = {record.getMessage(): record.levelname for record in caplog.records}
    assert any(re.search(r"expected number of wrong labels: [\d.]+ of 200 .* between 0 and \d+", line) for line in said)
    (power,) = [line for line in said if line.startswith("of 100 labels swapped on purpose")]
    assert said[power] == level
    assert ("Connect another network" in power) == (level == "WARNING")


@pytest.mark.parametrize("better", ["last", "several"])
def test_the_features_that_explain_the_labels_are_used(better, caplog):
    strong, targets = points(160, 6, spread=2)
    weak = np.random.default_rng(0).standard_normal(strong.shape).astype(np.float32)
    last, several = (strong, weak) if better == "last" else (weak, strong)
    given = targets.copy()
    given[5] = (targets[5] + 1) % CLASSES
    images = LabelledImages.of_features(last, given, [f"c{k}" for k in range(CLASSES)])
    with caplog.at_level("INFO", "vision_recipes"):
        first, *_ = check_rows(
            replace(images, several=several), [], (), CheckLabelsSettings(label_source="folder_names")
        )
    assert (first["images"], first["suggested_label"]) == ("5", f"c{targets[5]}")
    assert f"the features of {'the last layer' if better == 'last' else 'several layers'}" in caplog.text


def test_a_class_of_one_picture_is_not_checked():
    features, targets = points(41, 1)
    labels = [f"c{k}" for k in targets]
    labels[40] = "alone"
    row = checked(features, labels)["40"]
    assert (row["suspicion"], row["suggested_label"]) == (0.0, "alone")
    assert row["issue"] != "wrong_label"


def test_copies_are_no_evidence_for_each_others_label():
    features, targets = points(60, 5, spread=3)
    features = np.concatenate([features, np.repeat(features[:1], 5, axis=0)])
    given = np.concatenate([targets, np.full(5, (targets[0] + 1) % CLASSES)])
    given[0] = (targets[0] + 1) % CLASSES
    groups = np.concatenate([np.arange(60), np.zeros(5, int)])
    images = LabelledImages.of_features(features, given, [str(k) for k in range(CLASSES)], groups)
    found = find_label_issues(images, find_neighbours(features, 10), 0)
    assert (found.suspicion[[0, 60, 61, 62, 63, 64]] > 0.5).all()
    assert (found.suggested[[0, 60]] == targets[0]).all()


def test_unreadable_pictures_come_last():
    features, targets = points(20, 1)
    rows = check(features, [f"c{k}" for k in targets], [("/broken.png", "c1"), ("/gone.png", "c2")])
    assert rows[20:] == [
        {"images": "/broken.png", "label": "c1", "issue": "unreadable", "rank": 21},
        {"images": "/gone.png", "label": "c2", "issue": "unreadable", "rank": 22},
    ]


@pytest.mark.parametrize("width", [24, 700])
def test_neighbours_are_the_most_similar_rows(width):
    features = np.random.default_rng(0).standard_normal((700, width)).astype(np.float32)
    features[300] = features[7] + 1e-3
    near = find_neighbours(features, 4)
    assert near.rows.shape == near.similarity.shape == (700, 4)
    assert (near.rows != np.arange(700)[:, None]).all()
    assert (np.diff(near.similarity, axis=1) <= 0).all()
    assert (near.rows[7, 0], near.rows[300, 0]) == (300, 7)
    assert near.similarity[7, 0] > 0.99
    assert np.median(near.outlier_score) == pytest.approx(1.0, abs=1e-6)


def test_one_class_cannot_be_checked():
    with pytest.raises(LabelsError, match="two classes"):
        checked(points(8, 0)[0], ["x"] * 8)


def test_decisions_fill_only_what_looks_wrong():
    features, targets = points(100, 2, spread=3)
    labels = [f"c{k}" for k in targets]
    labels[0] = "c1"
    rows = checked(features, labels, on_wrong_label="relabel")
    assert rows["0"]["decision"] == "relabel"
    assert [path for path, row in rows.items() if row["decision"]] == ["0"]
    assert checked(features, labels)["0"]["decision"] == ""


class Rows:
    name = "checked"

    def __init__(self, *rows):
        self.columns = ["images", "label", "suggested_label", "decision"]
        self._rows = [dict(zip(self.columns, row, strict=True)) for row in rows]

    def rows(self):
        return iter(self._rows)


DECIDED = RetrainSettings(col_filename="images", col_label="label", col_decision="decision")


def test_retraining_takes_decisions():
    table = Rows(
        ("/a", "x", "y", "relabel"),
        ("/b", "x", "y", " Accept"),
        ("/c", "x", "y", None),
        ("/d", "x", "", "DROP"),
        ("/e", "007", "NA", "relabel"),
    )
    found = find_labels(["/a", "/b", "/c", "/d", "/e"], DECIDED, table)
    assert found.of == {"/a": "y", "/b": "x", "/c": "x", "/e": "NA"}
    assert found.dropped == ["/d"]
    assert "1 picture is dropped by the column of decisions: '/d'" in list(found.remarks())


@pytest.mark.parametrize(
    ("row", "problem"),
    [(("/a", "x", "y", "perhaps"), "holds 'perhaps'"), (("/a", "x", "", "relabel"), "'suggested_label' is empty")],
)
def test_decisions_that_cannot_be_followed_are_refused(row, problem):
    with pytest.raises(LabelsError, match=problem):
        find_labels(["/a"], DECIDED, Rows(row))
