"""Neighbours are those of brute force in float64, whatever the blocks, ties and restrictions."""

import numpy as np
import pytest

from vision_recipes.similarity import nearest as module
from vision_recipes.similarity.nearest import centre_of, nearest, unit_vectors
from vision_recipes.similarity.restrictions import Restrictions, encode

FREE = ({}, {})


def codes(counts, tables=FREE, same=(), different=()):
    return encode(tables[: len(counts)], counts, same, different)


def found(units, most, restrictions, *, searched=None):
    among = units if searched is None else searched
    blocks = list(nearest(units, among, most, restrictions, within=searched is None))
    assert [block.start for block in blocks] == list(np.cumsum([0, *(len(block.rows) for block in blocks)])[:-1])
    return np.concatenate([block.rows for block in blocks]), np.concatenate([block.similarities for block in blocks])


def brute_force(units, most, allowed):
    wide = units.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    cosines = np.where(allowed, np.einsum("id,jd->ij", wide, wide), -np.inf)
    np.fill_diagonal(cosines, -np.inf)
    order = np.lexsort((np.broadcast_to(np.arange(len(units)), cosines.shape), -cosines.round(12)))[:, :most]
    return np.where(np.take_along_axis(cosines, order, 1) > -2, order, -1)


@pytest.fixture
def units(tmp_path):
    random = np.random.default_rng(4)
    vectors = np.maximum(random.standard_normal((700, 40)), 0).astype(np.float32)
    vectors[300:320] = vectors[7]  # a crowd that is the same
    return unit_vectors(vectors, centre_of([vectors]), tmp_path / "units")


@pytest.mark.parametrize("bytes_at_once", [1 << 16, 32 << 20])
def test_neighbours_are_exact_and_ties_go_to_the_first(units, bytes_at_once, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_BYTES", bytes_at_once)
    shops = [str(row % 3) if row % 50 else None for row in range(700)]
    people = [row % 7 for row in range(700)]
    (free,), (code,) = codes([700]), codes([700], [{"shop": shops, "who": people}], ["shop"], ["who"])
    rows, similarities = found(units, 10, Restrictions(free, free))
    assert np.array_equal(rows, brute_force(units, 10, np.ones((700, 700), bool)))
    assert rows[7].tolist() == list(range(300, 310)) and (similarities[7] == 1).all()
    shop, person, known = np.array(shops), np.array(people), np.array([name is not None for name in shops])
    allowed = (shop[:, None] == shop) & (person[:, None] != person) & known[:, None] & known
    rows, _ = found(units, 10, Restrictions(code, code))
    assert np.array_equal(rows, brute_force(units, 10, allowed)) and (rows[0] == -1).all()


def test_few_pictures_have_few_neighbours(tmp_path):
    vectors = np.array([[1, 0, 1], [1, 0, 1], [0, 1e-30, 0]], np.float32) * np.float32(1e20)
    units = unit_vectors(vectors, centre_of([vectors]), tmp_path / "units")
    (free,) = codes([3])
    rows, similarities = found(units, 5, Restrictions(free, free))
    assert rows[0].tolist() == [1, 2, -1, -1, -1] and similarities[0, 0] == 1 > similarities[0, 1]
    one, stock = codes([1, 3])
    rows, _ = found(units[:1], 2, Restrictions(one, stock), searched=units)
    assert rows.tolist() == [[0, 1]]


def test_two_pictures_that_are_alike_are_not_opposites(tmp_path):
    vectors = np.array([[1, 2, 3, 4], [1, 2, 3, 4.2]], np.float32)
    units = unit_vectors(vectors, centre_of([vectors]), tmp_path / "units")
    assert float(units[0] @ units[1]) > 0.99


def test_values_are_the_same_by_their_text_in_both_tables():
    one, other = encode([{"shop": [1.0, None, 2.0]}, {"shop": ["1", "2", "3"]}], [3, 3], ["shop"], [])
    assert (
        one.same[0] == other.same[0] and one.same[2] == other.same[1] and one.missing.tolist() == [False, True, False]
    )
