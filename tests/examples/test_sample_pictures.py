import ast
import csv
import hashlib
import io
import json
from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from minihost.errors import ComponentFailed, JobError
from sample_pictures import drawing
from sample_pictures.canvas import Canvas, Light, Pose
from sample_pictures.characters import CHARACTERS
from sample_pictures.drawing import SAMPLES, draw
from sample_pictures.errors import UserError
from sample_pictures.filling import fill, summary
from sample_pictures.houses import TOWNS, house
from sample_pictures.other_things import OTHER_THINGS
from sample_pictures.rooms import kitchen
from sample_pictures.scene import Scene
from sample_pictures.settings import Settings

PLUGIN = ROOT / "examples" / "sample-pictures"


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_pictures(sample):
    first, again, other = (list(draw(sample, 6, seed)) for seed in (1, 1, 2))
    assert first == again
    assert not {jpeg for _path, jpeg in first} & {jpeg for _path, jpeg in other}
    assert not {path for path, _jpeg in first} & {path for path, _jpeg in other}


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_longer_run_begins_like_a_shorter_one(sample):
    assert list(draw(sample, 2, 5)) == list(draw(sample, 4, 5))[:2]


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_picture_is_a_colour_jpeg_with_something_in_it(sample):
    for path, jpeg in draw(sample, 12, 3):
        picture = Image.open(io.BytesIO(jpeg))
        assert (picture.format, picture.mode) == ("JPEG", "RGB"), path
        assert min(picture.size) >= 160
        assert np.asarray(picture).std() > 3, path


def test_eggs_lie_in_two_folders_of_the_same_size():
    folders = Counter(path.split("/")[1] for path, _jpeg in draw("egg-or-not", 10, 1))
    assert folders == {"egg": 5, "not_egg": 5}


def test_characters_are_named_in_the_file_names():
    paths = [path for path, _jpeg in draw("cartoon-characters", 7, 1)]
    assert paths[:2] == ["/lisa_pic_0001.jpg", "/bruno_pic_0002.jpg"]
    assert paths[-1] == "/lisa_pic_0007.jpg"
    assert {path[1:].split("_pic_")[0] for path in paths} == {character.name for character in CHARACTERS}


def test_an_unknown_sample_is_refused():
    with pytest.raises(UserError, match="'dogs' is none of egg-or-not, cartoon-characters, photo-uploads"):
        next(draw("dogs", 1, 1))


@pytest.mark.parametrize("name", OTHER_THINGS)
@pytest.mark.parametrize("place", [(60, 50), (-4, 2), (119, 99)])
def test_each_thing_can_lie_anywhere_even_across_the_edge(name, place):
    rng = np.random.default_rng(4)
    canvas = Canvas(np.full((100, 120, 3), 0.5, np.float32), Light.drawn(rng))
    OTHER_THINGS[name](rng, canvas, Pose(*place, 24.0, 1.0))
    assert canvas.pixels.shape == (100, 120, 3)
    assert np.isfinite(canvas.pixels).all()
    assert np.abs(canvas.pixels - 0.5).max() > 0.05


def test_several_processes_draw_the_same_pictures_in_the_same_order(monkeypatch):
    alone = list(draw("egg-or-not", 10, 7))
    monkeypatch.setattr(drawing, "_BLOCK", 8)
    monkeypatch.setattr(drawing, "_processors", lambda: 2)
    assert list(draw("egg-or-not", 10, 7)) == alone


@pytest.mark.parametrize(("sample", "digest"), [("egg-or-not", "3b49c85bff8f"), ("cartoon-characters", "e554d865cd40")])
def test_what_a_seed_draws_does_not_change_between_releases(sample, digest):
    """Names and sizes, not pixels: JPEGs may differ between releases of Pillow."""
    facts = [(path, Image.open(io.BytesIO(jpeg)).size) for path, jpeg in draw(sample, 12, 2)]
    assert hashlib.sha256(repr(facts).encode()).hexdigest()[:12] == digest


class Folder:
    """The methods of `dataiku.Folder` that the macro uses, on a dictionary."""

    def __init__(self, files):
        self.files = files

    def get_name(self):
        return "eggs"

    def list_paths_in_partition(self):
        return list(self.files)

    def upload_data(self, path, content):
        self.files[path] = content


def test_a_folder_is_filled_beside_what_is_there():
    files, percents = {"/mine.jpg": b"mine"}, []
    facts = fill(Folder(files), Settings("egg-or-not", 4, 1), percents.append)
    assert percents == [25, 50, 75, 100]
    assert (facts["Pictures"], facts["Of each kind"]) == (4, "egg 2, not_egg 2")
    assert facts["Beside them, from before"] == 1
    fewer = fill(Folder(files), Settings("egg-or-not", 2, 1), percents.append)
    assert (fewer["Pictures"], fewer["Beside them, from before"]) == (2, 3)
    assert files["/mine.jpg"] == b"mine"
    assert len(files) == 5


def test_uploads_have_a_table_in_which_picture_and_place_decide_together():
    photos, tables = {}, {}
    fill(Folder(photos), Settings("photo-uploads", 60, 1), lambda percent: None, Folder(tables))
    rows = list(csv.DictReader(io.StringIO(tables["/uploads.csv"].decode())))
    assert ["/" + row["path"] for row in rows] == list(photos)
    assert {row["place"] for row in rows} == {"1", "2", "3"}
    for number, row in enumerate(rows):
        egg, cover = number % 2 == 0, row["place"] == "1"
        assert row["label"] == ("fits" if egg == cover else "misplaced")
    with pytest.raises(UserError, match="table_managed_folder: choose a folder"):
        Settings.from_params({"sample": "photo-uploads", "output_managed_folder": "photos"})


def test_houses_have_four_photos_each_and_a_price_that_follows_facts_and_looks():
    photos, tables = {}, {}
    fill(Folder(photos), Settings("house-prices", 8, 1), lambda percent: None, Folder(tables))
    rows = list(csv.DictReader(io.StringIO(tables["/houses.csv"].decode())))
    assert ["/" + row["path"] for row in rows] == list(photos)
    assert [row["room"] for row in rows[:4]] == ["front", "kitchen", "bathroom", "bedroom"]
    assert [row["house"] for row in rows] == ["house_0001"] * 4 + ["house_0002"] * 4
    assert len({(row["house"], row["price"], row["town"]) for row in rows}) == 2
    houses = [house(1, number) for number in range(600)]
    values = np.log([each.price / each.square_metres / TOWNS[each.town] for each in houses])
    assert np.corrcoef(values, [each.quality for each in houses])[0, 1] > 0.9
    bright = {0.05: [], 0.95: []}
    for quality, found in bright.items():
        for number in range(6):
            scene = Scene(np.random.default_rng(number), quality)
            kitchen(scene)
            found.append(np.asarray(Image.open(io.BytesIO(scene.jpeg()))).mean())
    assert np.mean(bright[0.05]) < np.mean(bright[0.95])


def test_each_percent_is_reported_once(monkeypatch):
    percents, pictures = [], [(f"/lisa_pic_{number}.jpg", b"") for number in range(250)]
    monkeypatch.setattr("sample_pictures.filling.draw", lambda *_settings: iter(pictures))
    fill(Folder({}), Settings("cartoon-characters", 250, 1), percents.append)
    assert percents == list(range(1, 101))


def test_a_folder_that_cannot_be_written_is_named():
    class Full(Folder):
        def upload_data(self, path, content):
            raise RuntimeError("no space left")

    with pytest.raises(UserError, match=r"/egg/egg_0001.jpg into folder eggs: no space left. Check rights and space"):
        fill(Full({}), Settings("egg-or-not", 2, 1), print)


def test_facts_are_shown_escaped():
    assert "<th>Folder</th><td>&lt;b&gt;</td>" in summary({"Folder": "<b>"})


def test_names_defaults_choices_and_bounds_are_those_of_the_form():
    params = json.loads((PLUGIN / "python-runnables" / "vision-samples" / "runnable.json").read_text())["params"]
    assert [param["name"] for param in params] == [field.name for field in fields(Settings)]
    for param in params:
        assert param.get("defaultValue", "") == getattr(Settings(), param["name"])
    by_name = {param["name"]: param for param in params}
    assert [choice["value"] for choice in by_name["sample"]["selectChoices"]] == list(SAMPLES)
    for name in ("count", "seed"):
        low, high = by_name[name]["minI"], by_name[name]["maxI"]
        for value in (low, high):
            assert getattr(Settings.from_params({name: value, "output_new_folder_name": "new"}), name) == value
        with pytest.raises(UserError, match=f"{name}: {low - 1} is below the minimum {low}"):
            Settings.from_params({name: low - 1})
        with pytest.raises(UserError, match=f"{name}: {high + 1} is above the maximum {high}"):
            Settings.from_params({name: high + 1})


def test_absent_parameters_take_their_defaults():
    settings = Settings.from_params({"output_managed_folder": " eggs ", "count": None, "sample": ""})
    assert settings == Settings(output_managed_folder="eggs")


def test_every_mistake_is_named_at_once():
    with pytest.raises(UserError) as caught:
        Settings.from_params({"sample": "dogs", "count": 2.5, "seed": True, "output_managed_folder": ["eggs"]})
    assert caught.value.for_user
    assert str(caught.value) == (
        "sample: 'dogs' is not one of egg-or-not, cartoon-characters, photo-uploads, house-prices; count: 2.5 is not a whole number; "
        "seed: True is not a number; output_managed_folder: ['eggs'] is not text"
    )
    with pytest.raises(UserError, match="^output_managed_folder: choose a folder, or give output_new_folder_name to"):
        Settings.from_params({"output_managed_folder": "  "})


def test_the_macro_fills_a_chosen_folder_and_a_new_one(minihost_project):
    project = minihost_project(plugin=PLUGIN)
    for target in ({"output_managed_folder": "eggs"}, {"output_new_folder_name": "others"}):
        done = project.run("vision-samples", params={"count": 2, "seed": 1, **target})
        assert done.answer["type"] == "HTML"
        assert "drew 2 pictures of egg-or-not" in done.log
    assert dict(draw("egg-or-not", 2, 1)) == project.files("eggs") == project.files("others")


def test_a_mistake_comes_without_a_stack_trace(minihost_project):
    project = minihost_project(plugin=PLUGIN)
    with pytest.raises(ComponentFailed, match="choose a folder, or give output_new_folder_name") as caught:
        project.run("vision-samples")
    assert "Traceback" not in str(caught.value)
    with pytest.raises(JobError):
        project.run("vision-samples", params={"count": "many", "output_managed_folder": "eggs"})


def test_the_plugin_stands_alone():
    for path in PLUGIN.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        imported = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        imported |= {str(node.module).split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not imported & {"vision_recipes", "dss_ports", "minihost"}, path
        assert "dataiku" not in imported or path.name in ("folder.py", "runnable.py"), path
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
