"""Names: what sets a cluster apart, or a number; never a word that says nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vision_recipes.errors import SettingsError
from vision_recipes.picture_map.cluster_names import name_clusters
from vision_recipes.picture_map.sources import MapColumn

CLUSTERS = np.repeat([0, 1, 2, -1], 20)


def names(**columns):
    chosen = columns.pop("chosen", "")
    return name_clusters(CLUSTERS, [MapColumn(name, "string", cells) for name, cells in columns.items()], chosen)


def test_a_cluster_is_called_by_the_label_that_sets_it_apart():
    labels = ["cat"] * 20 + ["dog"] * 11 + ["wolf"] * 9 + ["cat", "dog", "elk", "owl"] * 10
    assert names(label=labels) == ["cat", "dog, wolf", "Cluster 3"]


def test_a_small_cluster_of_one_label_among_ten_is_called_by_it():
    labels = [str(number % 10) for number in range(45)] + ["7"] * 5
    clusters = np.repeat([0, 1], [45, 5])
    assert name_clusters(clusters, [MapColumn("label", "string", labels)], "") == ["Cluster 1", "7"]


def test_a_label_that_all_have_names_nothing():
    assert names(label=["cat"] * 80) == ["Cluster 1", "Cluster 2", "Cluster 3"]
    assert names(label=[None] * 80) == ["Cluster 1", "Cluster 2", "Cluster 3"]
    assert names() == ["Cluster 1", "Cluster 2", "Cluster 3"]


def test_where_no_label_names_a_cluster_a_column_can(caplog):
    caplog.set_level("INFO", "vision_recipes")
    species = ["cat"] * 20 + ["dog"] * 20 + ["elk", "owl"] * 20
    assert names(species=species) == ["Cluster 1", "Cluster 2", "Cluster 3"]
    assert "name_column can name them by a column (there are 'species')" in caplog.text
    assert names(species=species, chosen="species")[:2] == ["cat", "dog"]


def test_predictions_name_what_labels_do_not():
    predictions = [json.dumps({"tabby": 0.7, "lynx": 0.2})] * 20 + [json.dumps({"pug": 0.9})] * 20 + [None] * 40
    assert names(label=["x"] * 80, prediction=predictions) == ["tabby", "pug", "Cluster 3"]


def test_two_clusters_of_one_label_have_different_names():
    assert names(label=["cat"] * 40 + ["dog"] * 20 + [""] * 20) == ["cat", "cat (2)", "dog"]


def test_a_chosen_column_alone_gives_names():
    cells = {"label": ["cat"] * 20 + ["dog"] * 60, "shop": ["Oslo"] * 40 + ["Rome"] * 20 + ["Bern"] * 20}
    assert names(**cells, chosen="shop") == ["Oslo", "Oslo (2)", "Rome"]
    with pytest.raises(SettingsError, match="Did you mean 'shop'"):
        names(**cells, chosen="shops")
