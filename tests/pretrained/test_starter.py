"""The bundled starter model: whole, small, and with names that a person can read."""

import re

from sample_pictures.characters import CHARACTERS
from sample_pictures.other_things import OTHER_THINGS
from vision_recipes.model_folder import open_model
from vision_recipes.resources import resource_folder
from vision_recipes.stores import LocalStore


def starter():
    return open_model(LocalStore(resource_folder() / "starter"))


def test_it_is_whole_and_at_most_3_megabytes():
    model = starter()
    assert (model.preprocessing.width, model.preprocessing.height) == (96, 96)
    assert model.feature_layer.size == 1280
    assert sum(path.stat().st_size for path in (resource_folder() / "starter").iterdir()) <= 3_000_000


def test_its_labels_are_names_that_say_something():
    labels = starter().labels
    assert len(labels) == len(set(labels)) >= 40
    assert [label for label in labels if re.search(r"\d", label)] == []


def test_it_was_not_trained_on_the_classes_of_the_examples():
    words = {word for label in starter().labels for word in label.split()}
    drawn = {"egg", *OTHER_THINGS, *(character.name for character in CHARACTERS)}
    assert words & drawn == set()


def test_its_card_says_where_it_comes_from():
    card = (resource_folder() / "starter" / "README.md").read_text(encoding="utf-8")
    for said in ("drawn from formulas", "No photograph went in", "Apache-2.0", "benchmarks/starter.md"):
        assert said in card
