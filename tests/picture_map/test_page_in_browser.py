"""The page in a browser: nothing is loaded, no text is run, and what a lasso selects is a table for other recipes."""

from __future__ import annotations

import csv
import io
import shutil

import numpy as np
import pytest
from images.files import encoded, picture
from inference.memory_store import MemoryStore

from vision_recipes.dataset.label_table import read_label_table
from vision_recipes.map_pictures import MapInputs, map_pictures
from vision_recipes.map_settings import MapSettings
from vision_recipes.training_settings import LabelSettings

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
HOSTILE = "</script><img src=x onerror=alert(1)>"


class Table:
    """Twenty vectors in two groups; the path of one has no slash before it, its note would be a formula."""

    name = HOSTILE
    types = {"images": "string", "prediction": "array", "label": "string", "note": "string", "price": "double"}
    columns = list(types)

    def rows(self):
        draw = np.random.default_rng(1)
        for number in range(20):
            name = f"{HOSTILE.replace('/', '')}, {number}.png"
            yield {
                "images": name if number == 3 else f"/{name}",
                "prediction": (draw.normal(0, 0.1, 6) + (number % 2)).tolist(),
                "label": "naïve, “a”" if number % 2 else '"b"\nc',
                "note": f"=1+{number}",
                "price": -number / 4,
            }


class Selected:
    """A downloaded file as a table."""

    name = "selected"

    def __init__(self, rows):
        self._rows, self.columns = rows, list(rows[0])
        self.types = dict.fromkeys(self.columns, "string")

    def rows(self):
        yield from self._rows


class Rows:
    name = "map"

    def write(self, columns, rows):
        return sum(1 for _ in rows)


@pytest.fixture(scope="module")
def pictures():
    store = MemoryStore()
    for row in Table().rows():
        store.files["/" + row["images"].lstrip("/")] = encoded(picture(40, 30), "PNG")
    return store


@pytest.fixture(scope="module")
def page(pictures, tmp_path_factory):
    folder, report = tmp_path_factory.mktemp("page"), MemoryStore()
    map_pictures(MapInputs(features=Table(), pictures=pictures), MapSettings(perplexity=4), Rows(), report)
    (folder / "index.html").write_bytes(report.files["/index.html"])
    with pytest.importorskip("playwright.sync_api").sync_playwright() as library:
        browser = library.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_context(viewport={"width": 1000, "height": 700}).new_page()
        faults: list[str] = []
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("console", lambda message: faults.append(message.text))
        tab.on("dialog", lambda dialog: faults.append(dialog.message))
        tab.on("request", lambda request: faults.append(request.url) if request.url.startswith("http") else None)
        tab.goto((folder / "index.html").as_uri())
        tab.wait_for_function("document.getElementById('loading') === null")
        yield tab
        assert faults == []
        browser.close()


def downloaded(page):
    with page.expect_download() as download:
        page.click("#download")
    text = download.value.path().read_bytes().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_lasso_gives_a_table_that_trains(page, pictures):
    page.click("text=Lasso")
    corners = [(20, 80), (640, 80), (640, 680), (20, 680)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    assert page.inner_text("#selected") == "20 pictures selected."
    page.check("#export-columns input[value=note]")
    rows = downloaded(page)
    assert [row["images"].lstrip("/") for row in rows] == [row["images"].lstrip("/") for row in Table().rows()]
    assert all(row["images"].startswith("/") for row in rows)
    assert [row["label"] for row in rows] == [row["label"] for row in Table().rows()]
    assert [row["note"] for row in rows] == [f"'=1+{number}" for number in range(20)]
    assert [float(row["price"]) for row in rows] == [-number / 4 for number in range(20)]

    read = read_label_table(pictures, LabelSettings(col_label="label", label_source="dataset"), Selected(rows))
    assert sorted(read.labels) == pictures.paths() and set(read.labels.values()) == {"naïve, “a”", '"b"\nc'}


def test_without_a_mouse_the_legend_and_the_search_select(page):
    page.select_option("#colour-by", "label")
    page.focus(".legend button")
    page.keyboard.press("Enter")
    assert "10 pictures of 20" in page.inner_text("#shown")
    page.click("#select-shown")
    assert len({row["label"] for row in downloaded(page)}) == 1
    page.keyboard.press("Escape")
    page.select_option("#colour-by", "price")
    page.fill("#search", "ONERROR=ALERT(1)>, 7")
    page.click("#select-shown")
    assert [row["price"] for row in downloaded(page)] == ["-1.75"]
    page.click("#as-text")
    assert page.input_value("#text").startswith("images,")
    page.fill("#search", "")
    page.fill("#from", "-1")
    assert "5 pictures of 20" in page.inner_text("#shown")
    page.fill("#from", "")


def test_keys_open_a_picture(page):
    page.focus("#canvas")
    for key in ("ArrowLeft", "+", "+", "-", "0", "Enter"):
        page.keyboard.press(key)
    assert "onerror=alert(1)" in page.inner_text("#picture") and page.query_selector("#picture canvas")
    assert page.query_selector("#picture img") is None
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
