"""From vectors and columns of a table to a model and its answers."""

import datetime
import json

import numpy as np
import pytest
from feature_models.feature_tables import Kept, Rows, labelled, priced, score, train

from vision_recipes.errors import FeatureTableError, LabelsError, SettingsError, VisionError
from vision_recipes.feature_model_settings import ScoreFeaturesSettings
from vision_recipes.feature_models.feature_model_folder import open_feature_model
from vision_recipes.report_columns import VALUED
from vision_recipes.rows import CLASSIFIED
from vision_recipes.score_features import score_features
from vision_recipes.stores import LocalStore


@pytest.fixture
def store(tmp_path):
    (tmp_path / "model").mkdir()
    return LocalStore(tmp_path / "model")


def test_classes_are_learned_and_scored_as_classify_does(store, tmp_path):
    leaderboard, importance, report = Kept(), Kept(), LocalStore(tmp_path / "report")
    outputs = {"leaderboard": leaderboard, "importance": importance, "report": report}
    rows = [row | {"noise": float(np.sin(place))} for place, row in enumerate(labelled(90))]
    train(rows, store, outputs, models=["linear", "svm", "neighbours", "forest", "boosting"], search_minutes=0.05)
    chosen = [row for row in leaderboard.rows if row["chosen"]]
    assert len(chosen) == 1 == chosen[0]["rank"] and chosen[0]["low"] <= chosen[0]["value"] <= chosen[0]["high"]
    assert chosen[0]["value"] > 0.75 and all(row["behind"] >= 0 for row in leaderboard.rows if row["rank"])
    assert {row["input"] for row in importance.rows if row["used"]} >= {"(vector)"}
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "Leaderboard" in page and "://" not in page and "<script" not in page

    new = [*labelled(60, seed=1), {"images": "/bad.jpg", "error": 1, "reason": "corrupted", "prediction": None}]
    found = score_features(Rows([row | {"noise": 0.0} for row in new]), store, ScoreFeaturesSettings())
    scored = list(found)
    assert [column.name for column in found.columns][:6] == [column.name for column in CLASSIFIED]
    assert np.mean([row["label"] == truth["label"] for row, truth in zip(scored, new[:60], strict=False)]) > 0.75
    assert (scored[-1]["error"], scored[-1]["reason"], scored[-1]["label"]) == (1, "corrupted", None)
    assert sum(json.loads(scored[0]["prediction"]).values()) == pytest.approx(1, abs=1e-4)


def test_a_price_from_photos_and_columns_is_better_than_from_each_alone(store, tmp_path):
    leaderboard, importance = Kept(), Kept()
    outputs = {"leaderboard": leaderboard, "importance": importance, "report": LocalStore(tmp_path / "report")}
    params = {"col_label": "price", "combine_column": "house"}
    train(priced(80, photos=4), store, outputs, models=["linear", "boosting"], search_minutes=0, **params)
    train(priced(80, photos=4), store, outputs, models=["linear"], **params)
    best = {}
    for row in leaderboard.rows:
        best.setdefault(row["inputs"], row)
    assert leaderboard.rows[0]["inputs"] in ("both", "stacked")
    assert best["vector"]["behind_low"] > 0 < best["columns"]["behind_low"]
    assert {row["input"] for row in importance.rows[:3]} == {"(vector)", "area", "town"}
    scored = score(priced(80, seed=5, photos=4), store)
    assert len(scored) == 80 and set(scored[0]) >= {column.name for column in VALUED}
    inside = np.mean([row["low"] <= row["price"] <= row["high"] for row in scored])
    errors = [abs(np.log(row["value"] / row["price"])) for row in scored]
    assert inside > 0.75 and np.median(errors) < 0.25
    assert len(score(priced(3, seed=6), store)) == 3, "houses with one photo each are scored as well"


def test_the_same_seed_gives_the_same_bytes(store, tmp_path):
    contents = []
    for _ in range(2):
        train(labelled(45), store, models=["linear", "forest"], search_minutes=0)
        contents.append([(path, store.open(path).read()) for path in store.paths()])
    assert contents[0] == contents[1] and len(contents[0]) == 3


def test_copies_and_groups_do_not_leak(store):
    random = np.random.default_rng(0)
    vectors, names = random.normal(size=(40, 10)), random.integers(0, 2, 40)
    leaderboard = Kept()
    for spread in (0.0, 0.5):
        rows = [
            {
                "prediction": (vectors[place % 40] + spread * random.normal(size=10)).tolist(),
                "label": f"c{names[place % 40]}",
                "patient": f"p{place % 40}",
            }
            for place in range(160)
        ]
        train(
            rows, store, {"leaderboard": leaderboard}, models=["neighbours"], group_column="patient" if spread else ""
        )
        assert leaderboard.rows[0]["value"] < 0.75, "labels are random, so copies alone would give 1"


def cells(count):
    """Columns of every kind, with gaps."""
    words = ["yes", "no", "", None, "n/a"]
    return [
        {
            "text": words[row % 5],
            "flag": [True, False, None][row // 2 % 3],
            "number_as_text": ["1", " 2.5", "", "3e2"][row % 4],
            "date": [datetime.datetime(2020, 1, 1 + row % 28), "2021-05-03", None][row % 3],
            "constant": 7,
            "empty": None,
            "unique": f"free text {row}",
            "huge": [1e300, -1e300, float("inf"), float("nan")][row % 4],
            "list": [1, 2] if row % 2 else None,
        }
        for row in range(count)
    ]


def test_columns_of_every_kind_are_used_or_left_out_with_a_reason(store):
    importance = Kept()
    rows = [row | more for row, more in zip(labelled(60), cells(60), strict=True)]
    for row in rows:
        row["code"] = {"c0": "x", "c1": "y", "c2": "z"}[row["label"]]
    train(rows, store, {"importance": importance}, models=["linear"], col_label="label", search_minutes=0)
    reasons = {row["input"]: row["reason"] for row in importance.rows if row["reason"]}
    assert "gives the target away" in reasons["code"] and "alike" in reasons["constant"] and "empty" in reasons["empty"]
    assert "another text" in reasons["unique"] and reasons.keys() >= {"error", "reason", "list"}
    used = {row["input"]: row["kind"] for row in importance.rows if row["kind"]}
    kinds = {"text": "category", "flag": "number", "number_as_text": "number", "date": "date", "huge": "number"}
    assert kinds.items() <= used.items()
    odd = {"text": "never seen", "flag": "maybe", "number_as_text": "?", "date": "soon", "huge": "much"}
    assert all(np.isfinite(row["probability"]) for row in score([labelled(3)[0] | odd, labelled(3)[1] | odd], store))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1e300 * (1 + row) for row in range(40)], id="huge"),
        pytest.param([-1e-300 * (row % 13) for row in range(40)], id="tiny"),
        pytest.param([str(1.5 + row) for row in range(40)], id="numbers as text"),
        pytest.param([float("nan") if row % 3 else row + 0.5 for row in range(40)], id="gaps"),
        pytest.param([1.5, 2.5, 9.5], id="three rows"),
    ],
)
def test_numbers_of_any_size_give_finite_answers_in_their_range(values, store, tmp_path):
    rows = [row | {"label": value} for row, value in zip(labelled(len(values)), values, strict=True)]
    train(rows, store, {"report": LocalStore(tmp_path)}, search_minutes=0)
    unit = np.nanmax(np.abs(np.array(values, float)))
    found = np.array([row["value"] for row in score(labelled(20, seed=3), store)]) / unit
    numbers = np.array(values, float) / unit
    spread = np.nanmax(numbers) - np.nanmin(numbers)
    assert (found >= np.nanmin(numbers) - spread).all() and (found <= np.nanmax(numbers) + spread).all()
    assert open_feature_model(store).config.task == "regression"


def test_classes_with_one_row_and_few_rows(store):
    rows = [*labelled(40, classes=2), labelled(3)[2] | {"label": "rare"}]
    train(rows, store, models=["linear", "neighbours", "forest", "boosting"], search_minutes=0)
    assert open_feature_model(store).config.classes == ("c0", "c1", "rare")
    train(labelled(3, classes=2), store, models=["linear", "svm", "neighbours", "forest", "boosting"], search_minutes=0)
    assert len(score(labelled(3), store)) == 3


@pytest.mark.parametrize(
    ("change", "params", "words"),
    [
        ({}, {"col_label": "lable"}, "no column 'lable'.*Did you mean 'label'"),
        ({"label": "same"}, {}, "one value only, 'same'"),
        ({"label": None}, {}, "no usable cell"),
        ({"label": None, "price": 3.0}, {"col_label": "price", "task": "regression"}, "at least 3 rows that differ"),
        ({}, {"task": "regression"}, "holds no numbers .such as 'c0'"),
        ({}, {"metric": "mean_absolute_error"}, "does not fit classification"),
        ({}, {"extra_columns": ["label"]}, "the one to be predicted"),
        ({"x": None}, {"extra_columns": ["x"]}, "'x' of table cannot be an input: it is empty"),
        ({}, {"extra_columns": ["y"]}, "no column 'y'"),
        ({}, {"combine_column": "images"}, "vectors or the paths|nothing to combine|paths"),
        ({}, {"models": ["magic"]}, "'magic' is not one of linear"),
        ({"prediction": [1.0, 2.0]}, {}, "one group"),
        ({"price": "n/a"} | {f"f_{number:03d}": 1.0 for number in range(60)}, {"col_label": "y"}, "'f_000' to 'f_059'"),
        ({"prediction": None}, {}, "vector"),
    ],
)
def test_what_cannot_be_learned_is_said(change, params, words, store):
    with pytest.raises(VisionError, match=words):
        train([row | change for row in labelled(20)], store, **params)
    assert store.paths() == []


@pytest.mark.parametrize(
    ("cell", "params", "words"),
    [
        ("€ {},000", {}, "cannot be read for certain .such as '€ 0,000'"),
        ("{},5", {}, "cannot be read for certain .such as '0,5'.*decimal point"),
        ("{},5", {"task": "regression"}, "cannot be read for certain"),
        ("{} m²", {"task": "regression"}, "cannot be read for certain"),
        ("{}.03.2024", {}, "holds dates .such as"),
        ("2024-03-{}", {}, "holds dates"),
        ("K-{:05d}", {}, "24 different texts in 40 rows"),
    ],
)
def test_numbers_as_text_dates_and_identifiers_are_no_classes(cell, params, words, store):
    values = [*range(24), *range(16)] if "K" not in cell else [*range(22), *[22] * 9, *[23] * 9]
    rows = [row | {"label": cell.format(value)} for row, value in zip(labelled(40), values, strict=True)]
    with pytest.raises(VisionError, match=words):
        train(rows, store, **params)
    assert store.paths() == []


def test_codes_that_repeat_are_classes(store):
    rows = [row | {"label": f"K-{place % 12:05d}"} for place, row in enumerate(labelled(48))]
    train(rows, store, models=["linear"], search_minutes=0)
    assert len(open_feature_model(store).config.classes) == 12


def test_what_cannot_be_scored_is_said(store):
    train([row | {"size": float(place % 7)} for place, row in enumerate(labelled(30))], store, search_minutes=0)
    with pytest.raises(SettingsError, match="needs the column 'size', which table lacks"):
        score(labelled(3), store)
    with pytest.raises(FeatureTableError, match="have 5 numbers.*had 12"):
        score([row | {"size": 1, "prediction": [1.0] * 5} for row in labelled(3)], store)


def test_a_run_that_fails_leaves_the_previous_model_whole(store, monkeypatch):
    train(labelled(30), store, search_minutes=0)
    before = {path: store.open(path).read() for path in store.paths()}
    write = LocalStore.write

    def until_the_config(store, path, content):
        if path == "/config.json":
            raise LabelsError("full")
        write(store, path, content)

    monkeypatch.setattr(LocalStore, "write", until_the_config)
    with pytest.raises(LabelsError, match="full"):
        train(labelled(30, seed=4), store, search_minutes=0)
    assert open_feature_model(store).config.model.name in {path.lstrip("/") for path in before}
    monkeypatch.undo()
    train(labelled(30, seed=4), store, search_minutes=0)
    assert len([path for path in store.paths() if path.endswith(".npz")]) <= 2


def test_numbers_that_differ_within_a_house_are_no_whole_numbers_afterwards(store):
    rows = [row | {"photo": place % 2} for place, row in enumerate(priced(20, photos=2))]
    train(rows, store, col_label="price", combine_column="house", search_minutes=0)
    table = Rows(rows, types={"photo": "bigint", "area": "double"})
    found = score_features(table, store, ScoreFeaturesSettings())
    assert {column.name: column.type for column in found.columns}["photo"] == "double"
    assert {row["photo"] for row in found} == {0.5}
