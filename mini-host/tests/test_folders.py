"""Folders on disk, and folders as they will be after a run."""

import io
import os
import socket
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minihost.folders.local import LocalFolder
from minihost.folders.overlay import OverlayFolder
from minihost.folders.paths import LinkOutside, NotAFile, canonical, mime_type
from minihost.outputs import commits, staging


@pytest.fixture
def root(tmp_path):
    place = tmp_path / "folder"
    (place / "sub").mkdir(parents=True)
    (place / "a.txt").write_bytes(b"a")
    (place / "sub" / "b.txt").write_bytes(b"b")
    return place


def read(folder, path):
    with folder.open(path) as stream:
        return stream.read()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("a", "/a"), ("/a", "/a"), ("//x//y_1.jpg", "/x/y_1.jpg"), ("", "/"), ("/", "/"), ("./a/", "/a")],
)
def test_one_spelling_for_every_path(given, wanted):
    assert canonical(given) == wanted


@pytest.mark.parametrize("path", ["../x", "/a/../../x", "a\0b"])
def test_paths_that_lead_out_are_refused(root, path):
    with pytest.raises(LinkOutside) as caught:
        LocalFolder(root).open(path)
    assert caught.value.reason == "outside_folder"
    assert isinstance(caught.value, OSError)


def test_listing_is_recursive_sorted_and_with_slashes(root):
    assert LocalFolder(root).paths() == ["/a.txt", "/sub/b.txt"]


def test_names_of_all_kinds_survive(root):
    names = [b"new\nline", b"bad\xff\xfebytes.jpg", b'quo"te', b"x" * 255, "é☃".encode(), b"-rf", b" "]
    for name in names:
        with open(os.path.join(os.fsencode(root), name), "wb") as stream:
            stream.write(name)
    folder = LocalFolder(root)
    listed = folder.paths()
    assert {"/" + os.fsdecode(name) for name in names} <= set(listed)
    for path in listed[:-1]:
        if path.startswith("/sub") or path == "/a.txt":
            continue
        assert read(folder, path) == os.fsencode(path[1:])


def test_long_paths(root):
    path = "/".join(["d" * 200] * 12) + "/file.txt"
    with LocalFolder(root).writing(path) as stream:
        stream.write(b"deep")
    assert "/" + path in LocalFolder(root).paths()
    assert read(LocalFolder(root), path) == b"deep"


class TestStrangersFolders:
    def test_a_link_that_leads_out_is_listed_and_refused(self, root, tmp_path):
        (tmp_path / "secret").write_text("s")
        (root / "link").symlink_to(tmp_path / "secret")
        (root / "relative").symlink_to("../secret")
        folder = LocalFolder(root)
        assert {"/link", "/relative"} <= set(folder.paths())
        for path in ("/link", "/relative"):
            with pytest.raises(LinkOutside):
                folder.open(path)
            assert folder.facts(path) is None

    def test_a_folder_whose_name_begins_the_same_is_outside(self, root, tmp_path):
        (tmp_path / "folder2").mkdir()
        (tmp_path / "folder2" / "x").write_text("s")
        (root / "link").symlink_to(tmp_path / "folder2" / "x")
        with pytest.raises(LinkOutside):
            LocalFolder(root).open("link")

    def test_links_inside_the_folder_work(self, root):
        (root / "link").symlink_to("sub/b.txt")
        assert read(LocalFolder(root), "link") == b"b"

    def test_links_to_folders_are_followed_inside_and_refused_outside(self, root, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "x").write_text("s")
        (root / "in").symlink_to("sub")
        (root / "out").symlink_to(tmp_path / "out")
        (root / "sub" / "up").symlink_to(tmp_path)
        assert read(LocalFolder(root), "in/b.txt") == b"b"
        for path in ("out/x", "in/up/out/x", "sub/up/out/x"):
            with pytest.raises(LinkOutside):
                LocalFolder(root).open(path)
        (tmp_path / "link-to-root").symlink_to(root)
        assert read(LocalFolder(tmp_path / "link-to-root"), "sub/b.txt") == b"b"

    @pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
    def test_small_and_large_files_are_read_whole(self, root, size):
        (root / "file").write_bytes(bytes(size))
        with LocalFolder(root).open("file") as stream:
            assert stream.read() == bytes(size)

    def test_folders_behind_links_are_not_entered(self, root):
        (root / "loop").symlink_to(root)
        assert LocalFolder(root).paths() == ["/a.txt", "/sub/b.txt"]

    def test_pipes_sockets_and_devices_are_refused_without_waiting(self, root):
        os.mkfifo(root / "pipe")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(root / "socket")) if len(str(root)) < 80 else (root / "socket").touch()
            for path in ("pipe", "sub"):
                with pytest.raises(NotAFile) as caught:
                    LocalFolder(root).open(path)
                assert caught.value.reason == "not_a_file"

    def test_a_device_is_refused(self, root):
        try:
            os.mknod(root / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("only root makes devices")
        with pytest.raises((NotAFile, PermissionError)):
            LocalFolder(root).open("zero")

    def test_writing_through_a_linked_folder_is_refused(self, root, tmp_path):
        (tmp_path / "out").mkdir()
        (root / "way").symlink_to(tmp_path / "out")
        with pytest.raises(LinkOutside):
            LocalFolder(root).writing("way/x")
        stage = tmp_path / "stage"
        (stage / "files").mkdir(parents=True)
        with pytest.raises(LinkOutside):
            OverlayFolder(LocalFolder(root), stage).writing("way/x")

    def test_a_missing_file_is_an_os_error(self, root):
        with pytest.raises(FileNotFoundError):
            LocalFolder(root).open("nothing")

    def test_a_missing_folder_is_empty(self, tmp_path):
        assert LocalFolder(tmp_path / "nothing").paths() == []


def test_files_are_replaced_whole(root):
    folder = LocalFolder(root)
    stream = folder.writing("a.txt")
    stream.write(b"new")
    stream.flush()
    assert read(folder, "a.txt") == b"a"
    assert folder.paths() == ["/a.txt", "/sub/b.txt"]
    stream.close()
    assert read(folder, "a.txt") == b"new"


def test_a_failed_write_leaves_nothing(root):
    folder = LocalFolder(root)
    with pytest.raises(RuntimeError), folder.writing("a.txt") as stream:
        stream.write(b"half")
        raise RuntimeError
    folder.writing("never closed")
    assert read(folder, "a.txt") == b"a"
    assert sorted(os.listdir(root)) == ["a.txt", "sub"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.xml", "application/xml"),
        ("x.PNG", "image/png"),
        ("x.jpg", "image/jpeg"),
        ("x", "application/octet-stream"),
        ("x.webp", "image/webp"),
        ("x.tar.gz", "application/octet-stream"),
    ],
)
def test_mime_types(name, kind):
    assert mime_type("/a/" + name) == kind


NAMES = st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a"])
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("write"), NAMES),
        st.tuples(st.just("delete"), NAMES | st.sampled_from(["d", "d/e"])),
        st.tuples(st.just("clear"), st.just("")),
        st.tuples(st.just("whole"), st.just("")),
    ),
    max_size=8,
)


def _snapshot(folder):
    return {path: read(folder, path) for path in folder.paths()}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.sets(NAMES), changes=CHANGES)
def test_an_overlay_shows_and_commits_what_a_plain_folder_would_hold(tmp_path_factory, before, changes):
    place = tmp_path_factory.mktemp("overlay")
    base, plain = LocalFolder(place / "base"), LocalFolder(place / "plain")
    (place / "plain").mkdir()
    for name in sorted(before):
        for folder in (base, plain):
            folder.write(name, io.BytesIO(f"old {name}".encode()))
    stage = staging.begin(place / "base", "MANAGED_FOLDER", {})
    untouched = _snapshot(base)
    overlay = stage.folder
    for number, (change, name) in enumerate(changes):
        for folder in (overlay, plain):
            if change == "write":
                folder.write(name, io.BytesIO(f"{number} {name}".encode()))
            elif change == "delete":
                folder.delete(name)
            elif change == "clear":
                folder.clear()
            elif isinstance(folder, OverlayFolder):
                (folder.whole() / "via_path").write_bytes(b"p")
            else:
                (folder.root / "via_path").write_bytes(b"p")
        assert _snapshot(stage.folder) == _snapshot(plain)
        shown, wanted = ([n for n in one.children("d") if _holds_files(one, f"d/{n}")] for one in (overlay, plain))
        assert shown == wanted
    assert _snapshot(base) == untouched
    commits.commit([stage])
    assert _snapshot(base) == _snapshot(plain)
    assert sorted(os.listdir(place)) == ["base", "plain"]


def _holds_files(folder, path):
    return any(found == "/" + path or found.startswith(f"/{path}/") for found in folder.paths())
