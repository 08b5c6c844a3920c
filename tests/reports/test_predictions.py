import json
import logging
from dataclasses import dataclass

import pytest

from vision_recipes.dataset.labels import find_labels
from vision_recipes.errors import LabelsError, PredictionsError
from vision_recipes.evaluate import evaluate
from vision_recipes.report_columns import METRICS
from vision_recipes.reports.predictions import join, read_predictions
from vision_recipes.training_settings import EvaluateSettings

COLUMNS = ["images", "prediction", "error", "label", "probability", "reason"]
FROM_TABLE = EvaluateSettings(label_source="dataset", col_filename="path", col_label="label")


@dataclass
class Rows:
    name: str
    columns: list
    cells: list

    def rows(self):
        for cells in self.cells:
            yield dict(zip(self.columns, cells, strict=True))


def scored(path, probabilities, error=0):
    best = max(probabilities, key=probabilities.get) if probabilities else None
    return (path, json.dumps(probabilities), error, best, probabilities.get(best), "")


def rejected(path):
    return (path, None, 1, None, None, "truncated")


def table(*cells):
    return Rows("scored", COLUMNS, list(cells))


def labels(*cells):
    return Rows("truth", ["path", "label"], list(cells))


def values(rows):
    return {row["metric"]: row["value"] for row in rows if not row["class"]}


def test_paths_join_with_and_without_slash_and_in_any_composition():
    predictions = table(scored("/a.jpg", {"x": 1.0}), scored("/caf\u00e9.jpg", {"y": 1.0}))
    found = values(evaluate(predictions, labels(("a.jpg", "x"), ("/cafe\u0301.jpg", "y")), FROM_TABLE))
    assert (found["n_scored"], found["accuracy"]) == (2, 1.0)


def test_what_does_not_join_is_counted(caplog):
    predictions = table(
        scored("/a", {"x": 0.9, "y": 0.1}),
        scored("/b", {"x": 0.8, "y": 0.2}),
        scored("/c", {"y": 1.0}),
        scored("/d", {"y": 1.0}),
        scored("/a", {"y": 1.0}),
        rejected("/e"),
    )
    truth = labels(("a", "x"), ("b", "y"), ("b", "y"), ("c", "x"), ("c", "y"), ("e", "x"), ("f", "x"), ("g", "x"))
    with caplog.at_level(logging.INFO, "vision_recipes"):
        found = values(evaluate(predictions, truth, FROM_TABLE))
    assert {name: value for name, value in found.items() if name.startswith("n_")} == {
        "n_scored": 2,
        "n_rejected": 1,
        "n_without_truth": 2,
        "n_without_prediction": 2,
        "n_conflicting_truth": 1,
        "n_repeated_truth": 1,
        "n_repeated_predictions": 1,
    }
    assert found["accuracy"] == 0.5
    assert "1 picture is listed with different labels and is not used: '/c'" in caplog.text
    assert "evaluated 2 pictures; not scored: 1" in caplog.text


def test_labels_stay_text():
    predictions = table(scored("/1", {"NA": 1.0}), scored("/2", {"007": 1.0}), scored("/3", {"7": 1.0}))
    rows = list(evaluate(predictions, labels(("1", "NA"), ("2", "007"), ("3", "007")), FROM_TABLE))
    assert {row["class"] for row in rows if row["metric"] == "support"} == {"NA", "007", "7"}
    assert values(rows)["accuracy"] == pytest.approx(2 / 3)


def test_rows_have_the_columns_of_the_metrics_dataset():
    rows = list(evaluate(table(scored("/a", {"x": 1.0})), labels(("a", "x")), FROM_TABLE))
    assert all(list(row) == [column.name for column in METRICS] for row in rows)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        (EvaluateSettings(label_source="folder_names"), "/lisa/0094.jpg"),
        (EvaluateSettings(label_source="file_names", label_pattern="{label}_pic_{number}.jpg"), "/lisa_pic_0094.jpg"),
    ],
)
def test_truth_from_names_needs_no_table(settings, path):
    assert values(evaluate(table(scored(path, {"lisa": 0.7, "otto": 0.3})), None, settings))["accuracy"] == 1.0


def test_numbered_labels_stand_for_the_name_that_classes_share():
    probabilities = {"crane (134)": 0.4, "dog": 0.35, "crane (517)": 0.25}
    predictions = table(scored("/a", probabilities), scored("/b", {"dog": 1.0, "crane (134)": 0.0, "crane (517)": 0.0}))
    rows = list(evaluate(predictions, labels(("a", "crane"), ("b", "dog")), FROM_TABLE))
    assert values(rows)["accuracy"] == 1.0
    joined = join(
        read_predictions(predictions),
        find_labels(["/a", "/b"], FROM_TABLE, labels(("a", "crane"), ("b", "dog"))),
        "scored",
    )
    assert joined.pictures[0].probabilities == pytest.approx({"crane": 0.65, "dog": 0.35})
    assert joined.pictures[0].probability == pytest.approx(0.65)


def test_numbered_labels_that_the_truth_knows_stay():
    predictions = table(scored("/a", {"crane (134)": 1.0}), scored("/b", {"crane": 1.0}))
    found = values(evaluate(predictions, labels(("a", "crane (134)"), ("b", "crane")), FROM_TABLE))
    assert found["accuracy"] == 1.0
    predictions = table(scored("/a", {"model (2)": 1.0}), scored("/b", {"model": 1.0}))
    found = values(evaluate(predictions, labels(("a", "model"), ("b", "model")), FROM_TABLE))
    assert found["accuracy"] == 0.5


def test_tables_of_the_predecessor_have_no_best_label():
    old = Rows(
        "old", ["images", "prediction", "error"], [("a.jpg", '{"dog": 0.2, "cat": 0.7}', "0"), ("b.jpg", "", "1")]
    )
    found = values(evaluate(old, labels(("a.jpg", "cat")), FROM_TABLE))
    assert (found["accuracy"], found["n_rejected"]) == (1.0, 1)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("/a", "{not json", 0, "x", 0.5, ""), "picture /a: column 'prediction' holds '{not json', which is no JSON"),
        (("/a", "[" * 100_000, 0, "x", 0.5, ""), "which is no JSON"),
        (("/a", "[1, 2]", 0, "x", 0.5, ""), "not an object"),
        (("/a", '{"x": 1.5}', 0, "x", 0.5, ""), "'1.5' is not a probability"),
        (("/a", '{"x": NaN}', 0, "x", 0.5, ""), "'nan' is not a probability"),
        (("/a", '{"x": true}', 0, "x", 0.5, ""), "'True' is not a probability"),
        (("/a", "{}", 0, "x", "many", ""), "'many' is not a probability"),
        ((None, "{}", 0, "x", 0.5, ""), "empty cell in column 'images'"),
        (rejected("/a"), "holds no prediction: 1 row, 1 without a label"),
    ],
)
def test_a_table_that_classify_did_not_write_is_refused(row, message):
    with pytest.raises(PredictionsError) as caught:
        read_predictions(table(row))
    assert message in str(caught.value)


def test_other_columns_are_refused():
    with pytest.raises(
        PredictionsError, match="Dataset sales is not what vision-classify writes: it has the columns id, sum"
    ):
        read_predictions(Rows("sales", ["id", "sum"], []))


def test_nothing_that_joins_is_an_error():
    with pytest.raises(LabelsError):
        evaluate(table(scored("/a", {"x": 1.0})), labels(("b", "x")), FROM_TABLE)
    with pytest.raises(PredictionsError, match="None of the 1 picture with a prediction has a true label"):
        evaluate(table(scored("/a", {"x": 1.0}), rejected("/b")), labels(("b", "x")), FROM_TABLE)
