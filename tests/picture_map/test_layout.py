"""Positions: neighbours stay neighbours, the same seed gives the same bytes, few and identical pictures have a place."""

from __future__ import annotations

import numpy as np
import pytest

from vision_recipes.map_settings import MapSettings
from vision_recipes.picture_map.clusters import find_clusters, representatives
from vision_recipes.picture_map.layout import lay_out
from vision_recipes.picture_map.nearest_neighbours import nearest_neighbours
from vision_recipes.picture_map.unit_vectors import UnitVectors


def groups(each=30, count=4, width=24):
    draw = np.random.default_rng(5)
    middles = draw.normal(0, 1, (count, width))
    return np.concatenate([middle + draw.normal(0, 0.1, (each, width)) for middle in middles]).astype(np.float32)


def test_groups_lie_apart_and_are_found_again_byte_by_byte():
    vectors = groups()
    layout = lay_out(vectors, 15, 1)
    assert layout.positions.min() == -1 and layout.positions.max() == 1
    clusters = find_clusters(layout, MapSettings())
    for group in range(4):
        inside = set(clusters[30 * group : 30 * group + 30]) - {-1}
        outside = set(np.delete(clusters, np.arange(30 * group, 30 * group + 30)))
        assert inside and not inside & outside
    assert lay_out(vectors, 15, 1).positions.tobytes() == layout.positions.tobytes()
    assert lay_out(vectors, 15, 2).positions.tobytes() != layout.positions.tobytes()
    sizes = np.bincount(clusters[clusters >= 0])
    assert sorted(sizes, reverse=True) == list(sizes)
    assert [clusters[row] for row in representatives(layout.reduced, clusters)] == list(range(len(sizes)))


def test_a_number_of_clusters_divides_all():
    layout = lay_out(groups(), 15, 1)
    settings = MapSettings(cluster_method="number", nb_clusters=4)
    clusters = find_clusters(layout, settings)
    assert [len(set(clusters[30 * group : 30 * group + 30])) for group in range(4)] == [1] * 4
    assert set(clusters) == {0, 1, 2, 3}
    assert set(find_clusters(layout, MapSettings(cluster_method="none"))) == {-1}


@pytest.mark.parametrize("count", [1, 2, 3, 10, 11, 30])
def test_few_pictures_and_identical_ones_have_a_place(count):
    draw = np.random.default_rng(0)
    for vectors in (draw.normal(0, 1, (count, 6)), np.ones((count, 6)), np.zeros((count, 6)), np.ones((count, 1))):
        layout = lay_out(vectors.astype(np.float32), 30, 1)
        assert layout.positions.shape == (count, 2) and np.isfinite(layout.positions).all()
        assert np.abs(layout.positions).max() <= 1
        assert len(find_clusters(layout, MapSettings(cluster_method="number"))) == count


def test_neighbours_are_those_of_a_plain_computation():
    draw = np.random.default_rng(0)
    vectors = draw.normal(0, 1, (50, 7)).astype(np.float32)
    unit = UnitVectors(vectors)
    rows, distances = nearest_neighbours(unit, vectors, 5)
    plain = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    gaps = np.linalg.norm(plain[:, None] - plain[None], axis=2) + 9 * np.eye(50)
    assert (rows == np.argsort(gaps, axis=1)[:, :5]).all()
    assert np.allclose(distances, np.sort(gaps, axis=1)[:, :5], atol=1e-4)


def test_large_and_small_numbers_keep_their_direction():
    vectors = np.array([[3e38, 3e38], [1e-38, 1e-38], [0, 0]], np.float32)
    assert np.allclose(UnitVectors(vectors).take(slice(None)), [[0.70710677] * 2, [0.70710677] * 2, [0, 0]])


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_principal_components_are_those_of_a_singular_value_decomposition(shape):
    vectors = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    unit = UnitVectors(vectors)
    whole = unit.take(slice(None))
    values = np.linalg.svd(whole - whole.mean(0), compute_uv=False)
    reduced = unit.principal_components(5)
    assert np.allclose(np.linalg.norm(reduced, axis=0), values[:5], rtol=1e-4)
