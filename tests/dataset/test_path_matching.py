"""Paths that are almost those of the folder: matched with the right picture or with none, and reported."""

from __future__ import annotations

import itertools
import random
import unicodedata
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_recipes.dataset.path_matching import match_paths
from vision_recipes.dataset.path_spelling import plain

LISTING = ["/cat/Photo 1.jpg", "/cat/b.jpg", "/dog/grün.jpg", "/dog/c.png"]


def matched(written: list[str], listing: list[str] = LISTING) -> list[str | None]:
    found = match_paths(listing, written)
    return [found.find(text) for text in written]


@pytest.mark.parametrize("prefix", ["", "/", "./", "//", "/./"])
def test_slashes_and_dots_make_no_difference_and_are_not_reported(prefix):
    found = match_paths(LISTING, [prefix + path.lstrip("/") for path in LISTING])
    assert list(found.of.values()) == LISTING
    assert (found.exact, found.remarks) == (4, [])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: f" {path[1:]}\t", "blanks"),
        (lambda path: path.replace("/", "/ "), "blanks"),
        (lambda path: unicodedata.normalize("NFD", path[1:]).replace("/", "\\"), "slashes for backslashes"),
        (lambda path: ".\\" + path[1:].replace("/", "\\"), "slashes for backslashes"),
        (lambda path: quote(path), "percent-decoding"),
        (lambda path: quote(quote(path)), "percent-decoding"),
        (lambda path: quote(path, safe=""), "percent-decoding"),
        (lambda path: path.replace(".jpg", ".JPEG").replace(".png", ".PNG"), "the extension spelled differently"),
        (lambda path: path.replace(".jpg", ".jpeg").replace(".png", ".Png"), "the extension spelled differently"),
        (lambda path: path.swapcase(), "in other case"),
        (lambda path: path.rpartition(".")[0], "without the extension"),
        (
            lambda path: "C:\\Users\\me\\photos" + path.replace("/", "\\"),
            "removing the prefix 'C:\\Users\\me\\photos\\'",
        ),
        (lambda path: "\\\\server\\share" + path.replace("/", "\\"), "removing the prefix '\\\\server\\share\\'"),
        (lambda path: "/home/me/photos" + path, "removing the prefix '/home/me/photos/'"),
        (lambda path: "file:///home/me/photos" + quote(path), "removing the prefix 'file:///home/me/photos/'"),
        (lambda path: "s3://bucket/photos" + path, "removing the prefix 's3://bucket/photos/'"),
        (lambda path: "photos" + path, "removing the prefix 'photos/'"),
        (lambda path: "../../photos" + path, "removing the prefix '../../photos/'"),
        (lambda path: path.rpartition("/")[2], "adding leading folders"),
        (lambda path: "D:\\export\\" + path.rpartition("/")[2], "replacing the prefix 'D:\\export\\'"),
        (lambda path: "C:\\my%20photos" + quote(path.upper()).replace("/", "\\"), "in other case"),
    ],
)
def test_every_relaxed_reading_matches_and_is_said(change: Callable[[str], str], says: str):
    written = [change(path) for path in LISTING]
    found = match_paths(LISTING, written)
    assert [found.find(text) for text in written] == LISTING
    assert says in "\n".join(found.remarks)
    assert found.exact == 0 or "exten" in says or "percent" in says


def test_each_reading_is_one_sentence_with_its_count():
    found = match_paths(LISTING, ["photos/cat/b.jpg", "photos/dog/c.png", "cat/PHOTO 1.jpg"])
    assert found.remarks == [
        "1 path matched in other case ('cat/PHOTO 1.jpg' is '/cat/Photo 1.jpg')",
        "2 paths matched after removing the prefix 'photos/' ('photos/cat/b.jpg' is '/cat/b.jpg')",
    ]


def test_names_that_only_differ_in_what_is_ignored_stay_apart():
    listing = ["/a.jpg", "/A.jpg", "/b c.jpg", "/b%20c.jpg", "/caf\u00e9", "/cafe\u0301", "/d.jpg", "/d.jpeg"]
    assert matched([path[1:] for path in listing], listing) == listing
    assert matched(["a.JPG", "B%20C.jpg", "CAF\u00c9", "D.jpg", "d"], listing) == [None] * 5


def test_an_exact_match_wins_and_keeps_its_picture():
    assert matched(["B.jpg", "b.jpg"], ["/b.jpg"]) == [None, "/b.jpg"]
    assert matched([" b.jpg", "b.jpg"], ["/b.jpg"]) == [None, "/b.jpg"]
    assert matched(["photos/b.jpg", "b.jpg"], ["/b.jpg"]) == [None, "/b.jpg"]
    assert matched(["b.JPG", "B.jpg"], ["/b.jpg"]) == ["/b.jpg", None]
    assert matched(["B.jpg", "b.Jpg", "B.JPG"], ["/B.Jpg"]) == [None, None, None]


def test_the_same_names_in_the_folder_above_are_no_trouble():
    listing = ["/cat/1.jpg", "/cat/2.jpg", "/1.jpg", "/2.jpg"]
    assert matched(["CAT/1.JPEG", "CAT/2.JPEG"], listing) == listing[:2]
    assert matched(["CAT/1.JPG", "CAT/3.JPG", "CAT/CAT/2.JPG"], [*listing, "/3.jpg"]) == [None, "/3.jpg", "/cat/2.jpg"]


def test_percent_encoding_of_windows_1252_is_read():
    assert matched(["gr%FCn.jpg"], ["/gr\u00fcn.jpg"]) == ["/gr\u00fcn.jpg"]


def test_two_rows_for_one_picture_match_none():
    found = match_paths(["/1.jpg", "/2.jpg"], ["train/1.jpg", "val/1.jpg", "train/2.jpg", "val/2.jpg"])
    assert found.of == {} and len(found.ambiguous) == 4
    assert "4 paths are not matched, because several pictures fit them" in found.remarks[-1]


def test_the_prefix_is_that_of_most_rows():
    listing = ["/1.jpg", "/2.jpg", "/cat/1.jpg"]
    assert matched(["photos/cat/1.jpg", "photos/cat/2.jpg", "photos/cat/cat/1.jpg"], listing) == listing
    assert matched(["photos/cat/1.jpg"], listing) == [None]


@pytest.mark.parametrize(
    ("written", "listing"),
    [
        ("dog/1.jpg", ["/cat/1.jpg"]),
        ("dog/images/1.jpg", ["/cat/images/1.jpg"]),
        ("/home/me/train/1.jpg", ["/test/1.jpg", "/test/2.jpg"]),
        ("a.png", ["/a.jpg"]),
        ("a", ["/a.jpg", "/a.png"]),
        ("b.jpg", ["/cat/b.jpg", "/dog/b.jpg"]),
        ("x/b.jpg", ["/cat/b.jpg", "/dog/b.jpg"]),
        ("a/../../b.jpg", ["/b.jpg"]),
        ("..", ["/a.jpg"]),
        ("", ["/a.jpg"]),
        (" ", ["/a.jpg"]),
        (".jpg", ["/a.jpg"]),
        ("/", ["/a.jpg"]),
        ("%", ["/a.jpg"]),
        ("%ff.jpg", ["/a.jpg"]),
        ("x\0y", ["/a.jpg"]),
        ("\udcff", ["/a.jpg"]),
    ],
)
def test_what_may_be_another_picture_is_not_matched(written, listing):
    assert matched([written], listing) == [None]


def test_rows_beside_exact_ones_are_missing_and_not_in_another_folder():
    listing = ["/2.jpg", "/thumbs/1.jpg", "/thumbs/2.jpg", "/dog/3.jpg", "/3.jpg", "/4.jpg"]
    assert matched(["1.jpg", "2.jpg", "dog/3.jpg", "dog/4.jpg"], listing) == [None, "/2.jpg", "/dog/3.jpg", None]


def test_a_table_of_one_side_never_takes_the_pictures_of_another():
    listing = ["/test/cat/1.jpg", "/test/dog/2.jpg"]
    assert matched(["/home/me/train/cat/1.jpg", "/home/me/train/dog/2.jpg"], listing) == [None, None]
    assert matched(["/home/me/copy/cat/1.jpg", "/home/me/copy/dog/2.jpg"], listing) == listing


def test_many_prefixes_share_a_sentence():
    listing = [f"/{number}.jpg" for number in range(50)]
    found = match_paths(listing, [f"class {number}/{number}.jpg" for number in range(50)])
    assert list(found.of.values()) == listing
    assert len(found.remarks) == 1 and "and 47 more" in found.remarks[0]


def test_a_path_of_endless_length_is_no_trouble():
    assert matched(["a/" * 50_000 + "x.jpg", "%25" * 50_000, "\\" * 50_000], ["/x.jpg"]) == ["/x.jpg", None, None]


MANGLINGS: list[Callable[[str], str]] = [
    lambda path: f" {path} ",
    lambda path: path.upper(),
    lambda path: path.lower(),
    lambda path: path.replace("/", "\\"),
    lambda path: quote(path),
    lambda path: unicodedata.normalize("NFD", path),
    lambda path: path.replace(".jpg", ".JPEG"),
    lambda path: path.rpartition(".")[0],
]
PREFIXES = ["", "/", "./", "photos/", "/home/me/photos/", "C:\\Users\\me\\", "file:///home/me/", "../", "train/"]


def random_listing(draw: random.Random) -> list[str]:
    folders = ["", "cat/", "Cat/", "dog/", "cat/images/", "dog/images/", "train/cat/", "photos/", "a b/"]
    names = ["1", "2", "10", "a", "A", "\u00e9", "a b", "img_1", "IMG_1"]
    every = [f"/{folder}{name}{ending}" for folder in folders for name in names for ending in (".jpg", ".JPG", ".png")]
    return sorted(draw.sample(every, draw.randint(2, 40)))


def mangled(path: str, prefix: str, changes: list[Callable[[str], str]]) -> str:
    text = prefix + path[1:]
    for change in changes:
        text = change(text)
    return text


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_match_is_right_or_absent(seed):
    """Every row is one of the listing's pictures, mangled in the same ways and under one prefix.

    A picture whose name needs fewer of the changes to give the same text is right, too.
    """
    draw = random.Random(seed)
    every = random_listing(draw)
    changes = draw.sample(MANGLINGS, draw.randint(0, 3))
    prefix = draw.choice(PREFIXES)
    written: dict[str, list[str]] = {}
    for path in every:
        written.setdefault(mangled(path, prefix, changes), []).append(path)
    found = match_paths(every, written)
    fewer = [list(some) for count in range(len(changes)) for some in itertools.combinations(changes, count)]
    for text, path in found.of.items():
        nearer = any(mangled(path, start, some) == text for start in (prefix, "") for some in [*fewer, changes])
        assert path in written[text] or nearer or plain(text) == plain(path), (text, path, prefix, changes)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_pictures_that_are_missing_are_not_replaced_by_others(seed):
    """The table lists more than the folder holds; names are unlike enough that only places can be mixed up."""
    draw = random.Random(seed)
    folders = draw.sample(["", "cat/", "dog/", "cat/images/", "dog/images/", "x/y/"], draw.randint(1, 4))
    every = [f"/{folder}{name}.jpg" for folder in folders for name in draw.sample(range(100), draw.randint(2, 20))]
    listing = sorted(path for path in every if draw.random() < 0.7)
    prefix = draw.choice(PREFIXES)
    found = match_paths(listing, [prefix + path[1:] for path in every])
    for path in every:
        assert found.find(prefix + path[1:]) in (path, None), (prefix, path, listing)


@given(st.lists(st.text(max_size=12), max_size=8), st.lists(st.text(max_size=12), max_size=8))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_only_the_listing_comes_back(names, written):
    listing = sorted({f"/{name}" for name in names})
    found = match_paths(listing, [*written, *names])
    assert set(found.of.values()) <= set(listing)
