"""A group is what agrees with its representative; chains of copies do not grow into one."""

from vision_recipes.similarity.copies import EXACT, NEAR, Match, identical
from vision_recipes.similarity.groups import group

NEARLY = Match(NEAR, 0.8)


def representatives(pairs, order, confirmed=(), fixed=None):
    def confirm(one, other):
        return NEARLY if {one, other} in confirmed else None

    members = group(dict.fromkeys(pairs, NEARLY), order, len(order) if fixed is None else fixed, confirm)
    assert all((member.match is None) == (member.representative == row) for row, member in enumerate(members))
    return [member.representative for member in members]


def test_the_best_picture_represents_its_copies():
    assert representatives([(0, 1), (1, 2), (0, 2)], [2, 0, 1, 3]) == [2, 2, 2, 3]


def test_a_chain_ends_where_pictures_no_longer_agree_with_the_representative():
    chain = [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert representatives(chain, range(5)) == [0, 0, 2, 2, 4]
    assert representatives(chain, range(5), confirmed=[{0, 2}, {0, 3}]) == [0, 0, 0, 0, 4]


def test_pictures_of_the_stock_are_never_joined():
    assert representatives([(0, 2), (1, 2), (2, 3), (0, 1)], [2, 3, 0, 1], fixed=2) == [2, 2, 2, 3]


def test_identical_pictures_are_paired_with_the_first():
    ones, others = identical(["a", "b", "a", "a"])
    assert set(zip(ones.tolist(), others.tolist(), strict=True)) == {(0, 2), (0, 3), (2, 3)}
    assert Match(EXACT, 1.0).agreement == 1
