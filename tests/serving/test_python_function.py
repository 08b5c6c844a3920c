"""Queries of an API node: pictures in base64 and table columns in, the rows of vision-classify out, never an error."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from images.files import encoded, picture
from inference.tiny import write_tiny_model

from vision_recipes.classify import classify
from vision_recipes.errors import ModelFolderError
from vision_recipes.images.decoding import Rejected
from vision_recipes.pictures import REASONS
from vision_recipes.serving import python_function
from vision_recipes.serving.base64_pictures import from_base64
from vision_recipes.serving.python_function import PythonFunction
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore

PNG = encoded(picture(30, 40), "PNG")
GOOD = base64.b64encode(PNG).decode()


class Prices:
    """A table with a row for the one picture of a folder."""

    name, columns = "prices", ["path", "price", "town"]

    def rows(self):
        yield {"path": "/one.png", "price": "11.5", "town": "Rome"}


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(write_tiny_model(tmp_path_factory.mktemp("endpoint") / "model", extra=True).store.root)


@pytest.fixture(scope="module")
def function(model_folder: Path) -> Iterator[PythonFunction]:
    yield opened(model_folder)


def opened(folder: Path, **settings) -> PythonFunction:
    from vision_recipes.model_folder import open_model

    return PythonFunction(folder, open_model(LocalStore(folder)).folder_hash, settings)


def expected(model_folder: Path, tmp_path: Path, table: Prices | None) -> dict:
    """The row of vision-classify for PNG, as an answer."""
    (tmp_path / "one.png").write_bytes(PNG)
    (row,) = classify(LocalStore(tmp_path), LocalStore(model_folder), ClassifySettings(), extra=table)
    return {**row, "prediction": json.loads(row["prediction"])}


def test_an_answer_is_the_row_of_the_recipe(function, model_folder, tmp_path):
    row = expected(model_folder, tmp_path, Prices())
    del row["images"]
    assert function.answer({"input": GOOD, "price": 11.5, "town": "Rome"}) == row
    assert function.answer({"features": {"input": GOOD, "price": "11.5", "town": "Rome"}}) == row
    assert function.answer({"img_b64": GOOD, "price": "11.5", "town": "Rome"}) == row
    assert function.answer({"input": GOOD}) != row, "the columns should matter"
    json.dumps(row)


def test_a_list_of_pictures_gives_a_list_of_answers(function):
    query = {"input": [GOOD, "?", GOOD], "price": [11.5, 3, None], "town": "Rome"}
    first, second, third = function.answer(query)
    assert first == function.answer({"input": GOOD, "price": 11.5, "town": "Rome"})
    assert (second["error"], second["reason"]) == (1, "unreadable")
    assert third == function.answer({"input": GOOD, "town": "Rome"}) != first
    assert function.answer({"input": []}) == []


@pytest.mark.parametrize(
    ("query", "reason", "detail"),
    [
        ({}, "missing", "the query has no 'input'"),
        ({"input": None}, "missing", "the query has no 'input'"),
        ({"features": {}}, "missing", "the query has no 'input'"),
        ({"input": ""}, "empty", ""),
        ({"input": "https://example.org/photo.jpg"}, "unreadable", "the picture is not base64 (begins 'https://ex"),
        ({"input": "/etc/passwd"}, "not_an_image", ""),
        ({"input": "…"}, "unreadable", "the picture is not base64"),
        ({"input": 7}, "unreadable", "the picture is int, not a text"),
        ({"input": {"b64": GOOD}}, "unreadable", "the picture is dict, not a text"),
        ({"input": base64.b64encode(b"hello, this is no picture").decode()}, "not_an_image", ""),
        ({"input": base64.b64encode(encoded(picture(64, 64), "JPEG")[:300]).decode()}, "truncated", ""),
        ({"input": "A" * 400}, "too_large", "more than 120 bytes"),
        ({"input": [GOOD] * 65}, "too_large", "the query has 65 pictures; send at most 64"),
        ({"input": GOOD, "prise": 1}, "unreadable", "the query has prise; this endpoint takes input, price, town"),
        (
            {"input": GOOD, "img_b64": GOOD},
            "unreadable",
            "the query has img_b64; this endpoint takes input, price, town",
        ),
        ({"image": GOOD}, "unreadable", "the query has image; this endpoint takes input, price, town"),
        ({"features": GOOD}, "unreadable", "the query has features; this endpoint takes input, price, town"),
        ({"input": GOOD, "price": [1, 2]}, "unreadable", "price is neither one value nor a list of 1"),
        ({"input": GOOD, "town": {"name": "Rome"}}, "unreadable", "town is neither one value nor"),
    ],
)
def test_what_cannot_be_answered_has_a_reason(function, monkeypatch, query, reason, detail):
    if reason == "too_large":
        monkeypatch.setattr(python_function, "MAX_BYTES", 120)
    answer = function.answer(query)
    assert set(answer) == {"prediction", "label", "probability", "error", "reason", "detail"}
    assert (answer["error"], answer["reason"], answer["label"]) == (1, reason, None)
    assert answer["detail"].startswith(detail) and reason in REASONS
    assert "\n" not in json.dumps(answer)


def test_a_fault_of_ours_is_an_answer_too(function, monkeypatch, caplog):
    monkeypatch.setattr(function._scorer, "score", lambda *_: 1 / 0)
    answer = function.answer({"input": GOOD})
    assert (answer["error"], answer["reason"], answer["detail"]) == (1, "unreadable", "ZeroDivisionError")
    assert "Traceback" in caplog.text


def test_settings_are_those_of_the_recipe(model_folder):
    answer = opened(model_folder, max_nb_labels=2).answer({"input": GOOD})
    assert len(answer["prediction"]) == 2


def test_another_model_than_the_endpoints_is_refused(model_folder):
    with pytest.raises(ModelFolderError, match="not the one that this endpoint was made for"):
        PythonFunction(model_folder, "0" * 64, {})


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"data:image/png;base64,{GOOD}",
        GOOD.rstrip("="),
        base64.urlsafe_b64encode(PNG).decode(),
        base64.encodebytes(PNG).decode(),
        f"data:image/jpeg;base64,{GOOD}\n",
    ],
)
def test_every_usual_spelling_of_base64_is_read(text):
    assert from_base64(text, len(PNG)) == PNG


@pytest.mark.parametrize(
    "text", ["AAAAA", "AA=A", "A*AA", "data:text/html,<b>", "data:image/png;base64,é", "=" * 9 + "A"]
)
def test_what_is_no_base64_is_rejected(text):
    with pytest.raises(Rejected, match="unreadable"):
        from_base64(text, 1000)


def test_what_is_too_large_is_rejected_before_it_is_decoded():
    for size in (1001, 10_000_000):
        with pytest.raises(Rejected, match="too_large"):
            from_base64(base64.b64encode(bytes(size)).decode(), 1000)
