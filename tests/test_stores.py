"""A folder as paths and streams: nothing outside it is ever opened."""

import io
import os

import pytest

from vision_recipes.errors import OutputError
from vision_recipes.stores import LinkOutside, LocalStore, NotAFile, read_bytes


@pytest.fixture
def store(tmp_path):
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "b_c.jpg").write_bytes(b"two")
    (tmp_path / "folder" / "a.jpg").write_bytes(b"one")
    return LocalStore(tmp_path / "folder", "photos")


def test_paths_are_sorted_and_start_with_a_slash(store):
    assert store.paths() == ["/a.jpg", "/sub/b_c.jpg"]


def test_bytes_are_read_up_to_the_limit(store):
    assert read_bytes(store, "/a.jpg", 100) == b"one"
    assert len(read_bytes(store, "/a.jpg", 1)) == 2


@pytest.mark.parametrize("path", ["/../outside", "../outside", "/sub/../../outside"])
def test_paths_never_leave_the_folder(store, tmp_path, path):
    (tmp_path / "outside").write_bytes(b"secret")
    with pytest.raises(LinkOutside):
        store.open(path)


def test_links_that_leave_the_folder_are_refused(store, tmp_path):
    (tmp_path / "folder-2").mkdir()
    (tmp_path / "folder-2" / "secret").write_bytes(b"secret")
    (store.root / "link.jpg").symlink_to(tmp_path / "folder-2" / "secret")
    with pytest.raises(LinkOutside) as caught:
        store.open("/link.jpg")
    assert caught.value.reason == "outside_folder"


def test_links_inside_the_folder_are_read(store):
    (store.root / "link.jpg").symlink_to(store.root / "a.jpg")
    assert read_bytes(store, "/link.jpg", 10) == b"one"


def test_links_to_folders_are_followed_inside_and_refused_outside(store, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "secret").write_bytes(b"secret")
    (store.root / "in").symlink_to(store.root / "sub")
    (store.root / "out").symlink_to(tmp_path / "out")
    assert read_bytes(store, "/in/b_c.jpg", 10) == read_bytes(store, "/sub/b_c.jpg", 10)
    with pytest.raises(LinkOutside):
        store.open("/out/secret")


def test_pipes_are_refused_at_once(store):
    os.mkfifo(store.root / "pipe.jpg")
    with pytest.raises(NotAFile):
        store.open("/pipe.jpg")


def test_loops_of_links_are_an_os_error(store):
    (store.root / "loop.jpg").symlink_to(store.root / "loop.jpg")
    with pytest.raises(OSError):
        store.open("/loop.jpg")


def test_writing_replaces_whole_files_and_leaves_nothing_else(store):
    store.write("/new/file.bin", io.BytesIO(b"x" * 3_000_000))
    store.write("/new/file.bin", b"short")
    assert read_bytes(store, "/new/file.bin", 10) == b"short"
    assert store.paths() == ["/a.jpg", "/new/file.bin", "/sub/b_c.jpg"]
    store.delete("/new/file.bin")
    store.delete("/new/file.bin")
    assert store.size("/new/file.bin") is None


def test_a_failed_write_keeps_the_old_file_and_says_why(store):
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"/a.jpg.*photos.*No space left"):
        store.write("/a.jpg", Broken())
    assert read_bytes(store, "/a.jpg", 10) == b"one"
    assert store.paths() == ["/a.jpg", "/sub/b_c.jpg"]
