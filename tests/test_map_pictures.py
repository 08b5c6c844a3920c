"""From vectors or pictures to a dataset and a page whose data holds nothing that a page could run."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from images.files import encoded, picture
from inference.memory_store import MemoryStore
from PIL import Image

from vision_recipes.errors import SettingsError
from vision_recipes.map_pictures import MapInputs, map_pictures
from vision_recipes.map_settings import MapSettings
from vision_recipes.report_columns import MAPPED

HOSTILE = "</script><script>alert(1)</script>"


class Rows:
    def write(self, columns, rows):
        self.columns, self.rows = [column.name for column in columns], list(rows)
        return len(self.rows)


class Table:
    def __init__(self, name, rows, **types):
        self.name, self._rows = name, rows
        self.columns = list(rows[0])
        self.types = {column: types.get(column, "string") for column in self.columns}

    def rows(self):
        yield from self._rows


def features(count=40):
    draw = np.random.default_rng(3)
    vectors = np.where(np.arange(count)[:, None] % 2, 1, -1) + draw.normal(0, 0.2, (count, 8))
    rows = [
        {"images": f"/{number}.png", "prediction": vector.tolist(), "error": 0, "reason": "", "price": float(number)}
        for number, vector in enumerate(vectors)
    ]
    return Table("vectors", rows, prediction="array", error="int", price="double")


def pictures(count=40):
    store = MemoryStore()
    for number in range(count):
        store.files[f"/{number}.png"] = encoded(picture(40, 30).rotate(number), "PNG")
    return store


def mapped(inputs, settings=MapSettings(perplexity=5)):  # noqa: B008 - frozen
    output, report = Rows(), MemoryStore()
    map_pictures(inputs, settings, output, report)
    return output, report.files["/index.html"].decode()


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])


def test_each_picture_has_a_place_a_cluster_and_its_columns():
    table = features()
    table._rows.append({"images": "/broken.jpg", "prediction": None, "error": 1, "reason": "truncated", "price": None})
    labels = Table(
        "labels", [{"path": f"{number}.png", "label": "odd" if number % 2 else "even"} for number in range(39)]
    )
    store = pictures()
    store.files["/7.png"] = b"no picture"
    output, page = mapped(MapInputs(features=table, pictures=store, labels=labels))
    assert output.columns == [*(column.name for column in MAPPED), "price", "label"]
    *rows, broken = output.rows
    assert len(rows) == 40 and broken["reason"] == "truncated" and broken["x"] is broken["cluster"] is None
    assert all(-1 <= row["x"] <= 1 and -1 <= row["y"] <= 1 for row in rows)
    assert {row["label"] for row in rows if row["cluster_name"].startswith("odd")} <= {"odd", None}
    assert {"odd", "even"} <= {row["cluster_name"] for row in rows}
    assert rows[39]["label"] is None and rows[39]["price"] == 39.0
    names = {row["cluster_name"] for row in rows} - {"none"}
    assert sum(row["representative"] for row in rows) == len(names) >= 2
    data = data_of(page)
    assert [column["name"] for column in data["columns"]] == ["cluster_name", "price", "label"]
    assert "39 pictures have a thumbnail" in page and "not_an_image" in page and "truncated" in page
    assert mapped(MapInputs(features=table, pictures=store, labels=labels))[1] == page


def test_nothing_of_the_data_is_part_of_the_page():
    table = features(12)
    for row in table._rows:
        row |= {"images": f"/{HOSTILE}{row['images'][1:]}", "price": f"{HOSTILE} 5 % &amp; \u2028 \udc80"}
    table.types["price"], table.name = "string", HOSTILE
    output, page = mapped(MapInputs(features=table))
    data = data_of(page)
    assert data["paths"] == [row["images"] for row in output.rows]
    assert data["columns"][-1]["values"] == [f"{HOSTILE} 5 % &amp; \u2028 \udc80"]
    assert "alert(1)</script>" not in page
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'" in policy and "'unsafe-inline'" not in policy.partition("script-src")[2]
    assert not re.search(r"(src|href)=.?https?:", page) and "://" not in page


def test_the_page_keeps_its_size():
    table, store, draw = features(120), MemoryStore(), np.random.default_rng(0)
    for number in range(120):
        noise = draw.integers(0, 256, (128, 128, 3), np.uint8)
        store.files[f"/{number}.png"] = encoded(Image.fromarray(noise), "JPEG")
    _, page = mapped(
        MapInputs(features=table, pictures=store), MapSettings(page_size=1, perplexity=5, nb_thumbnails=100)
    )
    assert 400_000 < len(page.encode()) <= 1_000_000
    assert "100 pictures have a thumbnail" in page


def test_what_is_missing_is_said():
    with pytest.raises(SettingsError, match="neither is connected"):
        mapped(MapInputs())
    with pytest.raises(SettingsError, match="no column of labels holds paths"):
        mapped(MapInputs(features=features(), labels=Table("labels", [{"path": "elsewhere.gif", "label": "a"}])))


def test_pictures_go_through_a_model(tmp_path):
    from inference.tiny import write_tiny_model

    from vision_recipes.settings import ComputeSettings
    from vision_recipes.stores import LocalStore

    write_tiny_model(tmp_path / "model")
    store = pictures(12)
    store.files["/broken.png"] = b"no"
    settings = MapSettings(compute=ComputeSettings(use_gpu="false"))
    output, _ = mapped(MapInputs(pictures=store, model=LocalStore(tmp_path / "model")), settings)
    assert len(output.rows) == 13 and output.rows[-1]["reason"] == "not_an_image"
    assert {"predicted_label", "predicted_probability"} <= set(output.columns)
