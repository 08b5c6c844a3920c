"""Full disks, and folders that cannot be written to: what to do is said, and nothing else is blamed."""

import errno
import os
from collections import namedtuple

import pytest
from one_recipe import COPY, run

from minihost import disk_space
from minihost.cli import group, main
from minihost.errors import ComponentFailed, HostError
from minihost.locks import Lock
from minihost.runs import running
from minihost.runs.joblog import JobLog, Redaction

FULL = OSError(errno.ENOSPC, "No space left on device")
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def no_space(monkeypatch):
    """Make every disk look full to those who ask."""
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda _place: Usage(1, 1, 0))


def test_the_place_is_named(no_space, tmp_path):
    places = {"set TMPDIR to move it": tmp_path / "not" / "there"}
    message = (
        f"No space is left on the disk: {tmp_path}/not/there (set TMPDIR to move it). Free some, or choose a place"
    )
    assert disk_space.message(FULL, places).startswith(message)


def test_it_may_be_the_cause_of_another_error():
    try:
        try:
            raise FULL
        except OSError as err:
            raise RuntimeError("cannot write the weights") from err
    except RuntimeError as err:
        assert disk_space.message(err, {}).startswith("No space is left on the disk: where the file was written.")
    assert disk_space.message(RuntimeError("else"), {}) == ""
    assert disk_space.message(OSError(errno.ENOENT, "No such file"), {}) == ""


def test_no_temporary_folder_at_all():
    err = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    assert "Set TMPDIR" in disk_space.message(err, {})


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n", "No space is left on the disk"),
        ("import tempfile\ntempfile._candidate_tempdir_list = list\ntempfile.mkdtemp()\n", "Set TMPDIR to a folder"),
    ],
)
def test_a_component_that_meets_it_fails_with_what_to_do(project, code, reason):
    with pytest.raises(ComponentFailed, match=reason) as failed:
        run(project(code + COPY))
    assert "Traceback" not in str(failed.value)


def test_the_log_is_lost_and_the_job_goes_on(tmp_path):
    log = JobLog(tmp_path, Redaction([]))
    log._stream.close()
    log._stream = open("/dev/full", "w")  # noqa: SIM115
    assert log.write("said") == "said"
    assert log.last == ["said"]
    log.close()


def test_a_job_whose_facts_cannot_be_kept_does_not_start(project, monkeypatch):
    def with_a_folder_in_the_way(job):
        folder = job_folder(job)
        (folder / "job.json").mkdir()
        return folder

    job_folder = running.job_folder
    monkeypatch.setattr(running, "job_folder", with_a_folder_in_the_way)
    with pytest.raises(HostError, match=r"log of the job cannot be kept in .*jobs: Is a directory.*--project"):
        run(project(COPY))


def test_a_lock_that_cannot_be_written_leaves_no_file(tmp_path, monkeypatch):
    def write(*_):
        raise FULL

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"):
        Lock(tmp_path / "lock", "x", {}).take()
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_meets_it_says_so(monkeypatch, capsys, no_space):
    def full(**_):
        raise FULL

    monkeypatch.setattr(group, "main", full)
    assert main(["list"]) == 2
    assert "MINIHOST_HOME" in capsys.readouterr().err
