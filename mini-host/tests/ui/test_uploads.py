"""Folders that are dropped into the page."""

import io
import os

import pytest

from minihost.errors import HostError, JobError
from minihost.ui.uploads import A_DAY, Uploads


@pytest.fixture
def uploads(tmp_path):
    (tmp_path / "project").mkdir()
    return Uploads(tmp_path / "project")


def dropped(uploads, *paths):
    upload = uploads.begin()
    for path in paths:
        uploads.put(upload, path, io.BytesIO(path.encode()))
    return upload


def ended(uploads, upload, name):
    with uploads.ended_as_new(upload, name) as chosen:
        return chosen


def test_a_folder_takes_its_place_when_it_is_whole(uploads):
    upload = dropped(uploads, "egg/a.jpg", "not_egg/b.jpg")
    assert [one.name for one in uploads.project_dir.iterdir()] == [".minihost"]
    assert ended(uploads, upload, "my eggs") == "my eggs"
    assert (uploads.project_dir / "my eggs/egg/a.jpg").read_text() == "egg/a.jpg"
    assert ended(uploads, dropped(uploads, "c.jpg"), "my eggs") == "my eggs-2"
    with pytest.raises(JobError, match="Drop the folder again"):
        ended(uploads, upload, "again")


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("../../etc", "_.._etc"),
        ("..", "pictures"),
        ("", "pictures"),
        (".hidden", "hidden"),
        ("flow.yaml", "flow.yaml-2"),
        ("a\u2028\x7fb\u202e", "a_b_"),
        ("é" * 4096, "é" * 60),
    ],
)
def test_its_name_stays_in_the_project(uploads, name, becomes):
    assert ended(uploads, dropped(uploads, "a.jpg"), name) == becomes


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "a/../../b", ".DS_Store", "a/.git/config", "", "a//b", "a\0b"])
def test_no_file_gets_anywhere_else(uploads, path):
    upload = uploads.begin()
    with pytest.raises(HostError):
        uploads.put(upload, path, io.BytesIO(b"x"))
    assert [one for one in uploads.project_dir.rglob("*") if one.is_file()] == [
        uploads.project_dir / ".minihost/.gitignore"
    ]


@pytest.mark.parametrize("upload", ["..", "../../home", "0" * 16, "", "a" * 5000])
def test_only_uploads_that_were_begun_go_on(uploads, upload):
    with pytest.raises(JobError, match="There is no upload"):
        uploads.put(upload, "a.jpg", io.BytesIO(b"x"))


def test_more_pictures_never_replace_those_that_are_there(uploads):
    target = uploads.project_dir / "photos"
    ended(uploads, dropped(uploads, "egg/a.jpg", "plain"), "photos")
    upload = uploads.begin()
    for path in ("egg/a.jpg", "egg/b.jpg", "plain"):
        uploads.put(upload, path, io.BytesIO(b"new"))
    assert uploads.end_in(upload, target) == 3
    found = {str(one.relative_to(target)): one.read_bytes() for one in target.rglob("*") if one.is_file()}
    assert found == {
        "egg/a.jpg": b"egg/a.jpg", "egg/a-2.jpg": b"new", "egg/b.jpg": b"new", "plain": b"plain", "plain-2": b"new"
    }  # fmt: skip


def test_nothing_is_no_folder_and_what_nobody_finished_goes(uploads):
    with pytest.raises(JobError, match="no files"):
        ended(uploads, uploads.begin(), "empty")
    old = dropped(uploads, "a.jpg")
    place = uploads.folder / old
    os.utime(place, (place.stat().st_mtime - 2 * A_DAY,) * 2)
    uploads.begin()
    assert not place.exists()
