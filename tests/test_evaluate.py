"""The recipe over random tables: whatever is missing, repeated or oddly named, the figures are scikit-learn's."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from vision_recipes.errors import LabelsError
from vision_recipes.evaluate import OptionalInputs, OptionalOutputs, evaluate
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import EvaluateSettings

NAMES = ("NA", "007", "7", "null", "egg, boiled", "日本", " x")
BY_TABLE = EvaluateSettings(label_source="dataset", col_filename="path", col_label="label")


class Rows:
    def __init__(self, columns, rows, name="table"):
        self.name, self.columns, self._rows = name, list(columns), rows

    def rows(self):
        for row in self._rows:
            yield dict(zip(self.columns, row, strict=True))

    def write(self, columns, rows):
        self.columns = [column.name for column in columns]
        self._rows = [tuple(row.get(name) for name in self.columns) for row in rows]
        return len(self._rows)


def scored(rows):
    return Rows(("images", "prediction", "error", "label", "probability", "reason"), rows, "scored")


def row(path, scores):
    probabilities = dict(sorted(scores.items(), key=lambda item: -item[1]))
    best = next(iter(probabilities))
    return (path, json.dumps(probabilities), 0, best, probabilities[best], "")


@st.composite
def tables(draw):
    """A scored table and a label table with missing rows, repeated ones, unseen labels, broken pictures."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = NAMES[: draw(st.integers(2, len(NAMES)))]
    count = draw(st.integers(3, 30))
    predictions, truths, joined = [], [], []
    for place in range(count):
        path = f"/sub/{place}.jpg"
        scores = dict(zip(labels, rng.dirichlet(np.ones(len(labels))).tolist(), strict=True))
        truth = str(rng.choice([*labels, "unseen"]))
        kind = rng.choice(["plain", "plain", "plain", "broken", "no truth", "no prediction", "twice", "conflict"])
        kind = "plain" if place == 0 else kind
        if kind != "no prediction":
            predictions.append((path, None, 1, None, None, "empty") if kind == "broken" else row(path, scores))
        if kind == "twice":
            predictions.append(row(path, {labels[0]: 1.0}))
            truths.append((path, truth))
        if kind == "conflict":
            truths.append((path.lstrip("/"), truth + "!"))
        if kind != "no truth":
            truths.append((path.lstrip("/") if rng.random() < 0.5 else path, truth))
        if kind in ("plain", "twice"):
            joined.append((truth, scores))
    return predictions, truths, joined


@given(tables())
@settings(max_examples=60, deadline=None)
def test_figures_are_scikit_learns_whatever_the_tables_lack(drawn):
    predictions, truths, joined = drawn
    if {truth for truth, _ in joined} == {"unseen"}:
        with pytest.raises(LabelsError, match="None of the true labels is among the labels in scored"):
            evaluate(scored(predictions), Rows(("path", "label"), truths), BY_TABLE)
        return
    rows = list(evaluate(scored(predictions), Rows(("path", "label"), truths), BY_TABLE))
    found = {row["metric"]: row["value"] for row in rows if not row["class"]}
    truth = [label for label, _ in joined]
    predicted = [max(scores, key=scores.get) for _, scores in joined]
    assert found["n_scored"] == len(joined)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, predicted))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(truth, predicted, average="macro", zero_division=0))
    recall = sk.recall_score(truth, predicted, average="macro", labels=sorted(set(truth)), zero_division=0)
    assert found["balanced_accuracy"] == pytest.approx(recall)
    per_class = {row["class"]: row["value"] for row in rows if row["metric"] == "precision"}
    every = sorted({*truth, *predicted})
    expected = sk.precision_score(truth, predicted, average=None, labels=every, zero_division=0)
    assert per_class == pytest.approx(dict(zip(every, expected.tolist(), strict=True)))


def test_every_picture_has_a_row_and_the_page_is_written(tmp_path):
    predictions = [
        row("/a.jpg", {"x": 0.9, "y": 0.1}),
        row("/b.jpg", {"y": 0.6, "x": 0.4}),
        ("/c.jpg", None, 1, None, None, "truncated"),
        row("/d.jpg", {"x": 1.0}),
    ]
    truths = Rows(("path", "label", "camera"), [("a.jpg", "x", "p"), ("b.jpg", "x", "q"), ("c.jpg", "y", "q")])
    other = scored([row("/b.jpg", {"x": 0.7, "y": 0.3}), row("/a.jpg", {"x": 0.8, "y": 0.2})])
    pictures = Rows((), [])
    wanted = EvaluateSettings("dataset", "", "path", "label", ("camera",))
    found = list(
        evaluate(
            scored(predictions),
            truths,
            wanted,
            OptionalInputs(other=other),
            OptionalOutputs(pictures, LocalStore(tmp_path)),
        )
    )
    figures = {(row["metric"], row["slice"]): row["value"] for row in found if not row["class"]}
    assert figures["slice_accuracy", "p"] == 1.0
    assert figures["slice_accuracy", "q"] == 0.0
    assert figures["compared_only_other_right", ""] == 1.0
    rows = {row["images"]: row for row in pictures.rows()}
    assert list(rows) == ["/a.jpg", "/b.jpg", "/d.jpg", "/c.jpg"]
    assert [rows[path]["right"] for path in rows] == [1, 0, None, None]
    assert (rows["/b.jpg"]["other_label"], rows["/b.jpg"]["probability_of_truth"]) == ("x", 0.4)
    assert rows["/c.jpg"]["reason"] == "truncated"
    assert (tmp_path / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def accuracy(predictions, truths, columns=("path", "label"), **inputs):
    rows = evaluate(scored(predictions), Rows(columns, truths), BY_TABLE, OptionalInputs(**inputs))
    return next(row["value"] for row in rows if row["metric"] == "accuracy")


@pytest.mark.parametrize(
    "prefix", ["C:\\Users\\me\\photos\\", "/home/me/photos/", "photos/", "file:///home/me/photos/", ".\\"]
)
def test_truth_with_paths_of_another_program(prefix, caplog):
    slash = "\\" if "\\" in prefix else "/"
    predictions = [row("/cat/a b.jpg", {"cat": 0.9, "dog": 0.1}), row("/dog/b.jpg", {"dog": 0.9, "cat": 0.1})]
    assert accuracy(predictions, [(f"{prefix}CAT{slash}a%20b.JPG", "cat"), (f"{prefix}dog{slash}b", "dog")]) == 1
    assert sum("true labels: 1 path matched" in line for line in caplog.messages) == 2


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        ((1.0, 2.0, None), ("1", "2")),
        ((1.0, 2.0, float("nan")), ("1", "2")),
        ((np.float32(1), np.float64(2), np.nan), ("1", "2")),
        ((1, 2.0, None), ("1", "2")),
        ((1.0, 2.5, None), ("1.0", "2.5")),
        ((True, False, None), ("true", "false")),
        ((np.bool_(True), np.bool_(False), None), ("true", "false")),
        (("1.0", "2.0", ""), ("1.0", "2.0")),
        (("007", "7", None), ("007", "7")),
        ((1.0, "x", None), ("1.0", "x")),
        ((1e300, 2.0, None), ("1e+300", "2.0")),
    ],
)
def test_truth_in_a_column_of_numbers_is_the_label_as_text(cells, labels):
    predictions = [row(f"/{place}.jpg", {label: 1.0}) for place, label in enumerate((*labels, "z"))]
    assert accuracy(predictions, [(f"{place}.jpg", cell) for place, cell in enumerate(cells)]) == 1


def test_truth_that_the_model_spells_otherwise_counts_as_its_label_and_is_named(caplog):
    predictions = [row(f"/{place}", {"cat": 0.6, "dog": 0.4}) for place in range(4)]
    assert accuracy(predictions, [("0", "cat"), ("1", "CAT"), ("2", "cat "), ("3", "Dog")]) == 0.75
    assert (
        "true labels: 3 labels differ from a label in scored in case, blanks or decimals only, and count as that: "
        "'CAT' as 'cat' (1 picture), 'Dog' as 'dog' (1 picture), 'cat ' as 'cat' (1 picture)" in caplog.messages
    )


def test_truth_between_two_labels_of_the_model_stays_as_it_is(caplog):
    predictions = [row("/0", {"cat": 0.6, "Cat": 0.4}), row("/1", {"cat": 0.6, "Cat": 0.4})]
    assert accuracy(predictions, [("0", "CAT"), ("1", "cat")]) == 0.5
    assert any("and so counts as wrong: 'CAT' (1 picture)" in line for line in caplog.messages)


def test_truth_that_is_no_label_of_the_model_is_named_or_refused(caplog):
    predictions = [row("/0", {"cat": 0.6, "dog": 0.4}), row("/1", {"cat": 0.6, "dog": 0.4})]
    assert accuracy(predictions, [("0", "cat"), ("1", "bird")]) == 0.5
    assert any("1 picture has a label that is not among those in scored" in line for line in caplog.messages)
    with pytest.raises(LabelsError, match="True labels: 'bird', 'fish'. Labels in scored: 'cat', 'dog'"):
        accuracy(predictions, [("0", "bird"), ("1", "fish")])
    with pytest.raises(LabelsError, match="True labels: 'FALSE'"):
        accuracy([row("/0", {"0": 1.0})], [("0", "FALSE")])


def test_truth_that_is_the_same_whole_number_counts_as_the_label_and_is_named(caplog):
    predictions = [row("/0", {"1": 0.6, "0": 0.4}), row("/1", {"1": 0.4, "0": 0.6})]
    assert accuracy(predictions, [("0", "1.0"), ("1", "0.0")]) == 1
    assert any("decimals only, and count as that: '0.0' as '0'" in line for line in caplog.messages)
    with pytest.raises(LabelsError, match="True labels: '007'"):
        accuracy([row("/0", {"7": 1.0})], [("0", "007")])


def test_labels_of_the_connected_model_count_as_its_labels(folder):
    from model_folder.small import local

    from vision_recipes.model_folder import open_model

    first, *_, last = open_model(local(folder)).label_keys
    assert accuracy([row("/0", {first: 1.0})], [("0", last)], model=local(folder)) == 0
