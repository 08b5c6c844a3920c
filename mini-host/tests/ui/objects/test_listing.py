import os
import time

import pytest

from minihost.folders.local import LocalFolder
from minihost.ui.objects import listing
from minihost.ui.objects.listing import Walk, count, glance, size_of


def every(store, size, picks=lambda path: True, under="", seconds=60.0):
    """All paths of a folder, page by page, and how many pages that took."""
    after, found, pages = "", [], 0
    while after is not None:
        page = Walk(store, picks, time.monotonic() + seconds).page(under, after, size)
        found, after, pages = found + page.paths, page.after, pages + 1
    return found, pages


@pytest.fixture
def folder(tmp_path):
    for number in range(700):
        (tmp_path / f"{number:03d}.jpg").write_bytes(b"x")
    for name in ("a/b/c", "a-b", "a", "z"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        for number in range(5):
            (tmp_path / name / f"{number}.jpg").write_bytes(b"x")
    (tmp_path / "a" / "b" / "note.txt").write_bytes(b"xx")
    (tmp_path / "500").mkdir()
    (tmp_path / "500" / "inside.jpg").write_bytes(b"x")
    return tmp_path


@pytest.mark.parametrize("size", [1, 7, 60, 5000])
def test_pages_have_every_file_once_in_one_order(folder, size):
    store = LocalFolder(folder)
    found, _ = every(store, size)
    assert sorted(found) == store.paths()
    assert found == every(store, 300)[0]


def test_pages_of_one_folder_and_of_some_names(folder):
    store = LocalFolder(folder)
    found, _ = every(store, 3, under="/a")
    assert set(found) == {path for path in store.paths() if path.startswith("/a/")}
    assert every(store, 2, lambda path: path.endswith(".txt"))[0] == ["/a/b/note.txt"]


def test_a_walk_without_time_still_comes_to_the_end(folder):
    found, pages = every(LocalFolder(folder), 60, lambda path: path.endswith("4.jpg"), seconds=-1)
    assert sorted(found) == [path for path in LocalFolder(folder).paths() if path.endswith("4.jpg")]
    assert pages > 3


def test_memory_holds_a_part_of_the_names(folder, monkeypatch):
    largest = []
    monkeypatch.setattr(listing, "CHUNK", 16)
    monkeypatch.setattr(listing, "sorted", lambda names: largest.append(len(names)) or sorted(names), raising=False)
    assert len(every(LocalFolder(folder), 60)[0]) == 722
    assert max(largest) <= 4 * 16


def test_links_out_pipes_and_the_hosts_own_files(tmp_path):
    inside = tmp_path / "in"
    (inside / "sub").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "secret.jpg").write_bytes(b"x")
    os.symlink("../out", inside / "link")
    os.symlink("../../out/secret.jpg", inside / "sub" / "link.jpg")
    os.mkfifo(inside / "pipe.jpg")
    (inside / ".minihost-part-1").write_bytes(b"x")
    store = LocalFolder(inside)
    assert every(store, 9)[0] == ["/pipe.jpg", "/sub/link.jpg"]
    assert every(store, 9, under="/link")[0] == []
    assert every(store, 9, under="/missing")[0] == []


def test_counts_say_when_they_stopped(folder):
    store = LocalFolder(folder)
    assert count(store, "/", time.monotonic() + 60) == (722, False)
    assert count(store, "/", 0)[1]
    assert size_of(store, time.monotonic() + 60)[:2] == (722, 723)
    assert size_of(store, 0)[3]


def test_what_lies_directly_in_a_folder(folder):
    for number in range(30):
        (folder / f"page-{number:02d}.html").write_bytes(b"x")
    found = glance(LocalFolder(folder), "/", 3, time.monotonic() + 60)
    assert [(one.name, one.files, one.more) for one in found.folders] == [
        ("500", 1, False),
        ("a", 11, False),
        ("a-b", 5, False),
    ]
    assert found.more_folders and found.pages == ["/page-00.html", "/page-01.html", "/page-02.html"]
