import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from vision_recipes import samples
from vision_recipes.draw_samples import draw_samples
from vision_recipes.errors import SettingsError
from vision_recipes.samples import SAMPLES, draw
from vision_recipes.samples.characters import CHARACTERS
from vision_recipes.samples.other_things import OTHER_THINGS
from vision_recipes.samples.scene import Light, Pose, Scene
from vision_recipes.settings import SamplesSettings
from vision_recipes.stores import LocalStore


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
    with pytest.raises(SettingsError, match="'dogs' is none of egg-or-not, cartoon-characters"):
        next(draw("dogs", 1, 1))


@pytest.mark.parametrize("name", OTHER_THINGS)
@pytest.mark.parametrize("place", [(60, 50), (-4, 2), (119, 99)])
def test_each_thing_can_lie_anywhere_even_across_the_edge(name, place):
    rng = np.random.default_rng(4)
    scene = Scene(np.full((100, 120, 3), 0.5, np.float32), Light.drawn(rng))
    OTHER_THINGS[name](rng, scene, Pose(*place, 24.0, 1.0))
    assert scene.pixels.shape == (100, 120, 3)
    assert np.isfinite(scene.pixels).all()
    assert np.abs(scene.pixels - 0.5).max() > 0.05


def test_several_processes_draw_the_same_pictures_in_the_same_order(monkeypatch):
    alone = list(draw("egg-or-not", 10, 7))
    monkeypatch.setattr(samples, "_BLOCK", 8)
    monkeypatch.setattr(samples, "processors", lambda: 2)
    assert list(draw("egg-or-not", 10, 7)) == alone


def test_the_walk_fills_a_folder_beside_what_is_there(tmp_path):
    (tmp_path / "mine.jpg").write_bytes(b"mine")
    told = []
    settings = SamplesSettings(sample="egg-or-not", count=4, seed=1, output_managed_folder="any")
    facts = draw_samples(settings, LocalStore(tmp_path, "eggs"), lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (facts["Pictures"], facts["Of each kind"]) == (4, "egg 2, not_egg 2")
    assert facts["Beside them, from before"] == 1
    fewer = draw_samples(SamplesSettings("egg-or-not", 2, 1), LocalStore(tmp_path))
    assert (fewer["Pictures"], fewer["Beside them, from before"]) == (2, 3)
    assert (tmp_path / "mine.jpg").read_bytes() == b"mine"
    assert len(list(tmp_path.rglob("*.jpg"))) == 5
