"""Downloads from a server that misbehaves: verified, resumed, timed, bounded; never a wrong file under the final name."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
import requests
from pretrained.misbehaving import CONTENT, serving

from vision_recipes.errors import DownloadError
from vision_recipes.pretrained import connections
from vision_recipes.pretrained.transfers import Limits, RemoteFile, fetch
from vision_recipes.stores import file_digest

pytestmark = pytest.mark.network
QUICK = Limits(connect=2, read=0.5, total=20, window=0.3, rate=2000, attempts=3, pause=0.01, longest_pause=0.05)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def get(url, behaviour, target, *, limits=QUICK, hashed=True, max_bytes=2_000_000):
    calls = []
    remote = RemoteFile(url, behaviour.sha256 if hashed else "", max_bytes)
    fetch(remote, target, lambda done, total: calls.append((done, total)), limits)
    return calls


def leave_part(target, url, behaviour, size, validator='"one"'):
    target.with_name(target.name + ".part").write_bytes(behaviour.content[:size])
    note = {"url": url, "hash": behaviour.sha256, "validator": validator}
    target.with_name(target.name + ".part.json").write_text(json.dumps(note))


@pytest.mark.parametrize(
    "ways",
    [
        ["good"],
        ["without_length"],
        ["cut", "good"],
        ["cut", "cut", "good"],
        ["cut_without_length", "good"],
        ["html", "good"],
        ["flipped", "good"],
        ["busy", "good"],
        ["silent", "good"],
        ["slow", "good"],
        ["cut", "ignores_range"],
        ["cut", "other_part", "good"],
        ["cut", "out_of_range", "good"],
        ["onwards", "onwards", "good"],
    ],
    ids="-".join,
)
def test_the_file_arrives_complete_all_the_same(tmp_path, ways):
    target = tmp_path / "file.h5"
    with serving(*ways) as (url, behaviour):
        calls = get(url, behaviour, target)
    assert target.read_bytes() == CONTENT
    assert calls[-1] == (len(CONTENT), len(CONTENT)) or ways == ["without_length"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.h5", "file.h5.lock"]


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("html", "26 bytes of text/html.*not the published"),
        ("flipped", "not the published"),
        ("cut", "in 3 attempts.*Run it again to go on"),
        ("busy", "503"),
        ("missing", "answered 404.*Check the address"),
        ("forbidden", "answered 403"),
        ("compressed", "arrives compressed"),
        ("endless", "more bytes arrived"),
        ("more_than_announced", "has 1000000000 bytes, more than the 2000000"),
        ("slow", "bytes a second"),
        ("silent", "attempts"),
        ("to_file", "file:///etc/passwd is neither an http nor an https"),
        ("in_circles", "more than 5 times"),
    ],
)
def test_persistent_failures_are_reported_and_nothing_is_left_at_the_final_name(tmp_path, way, message):
    target = tmp_path / "file.h5"
    target.write_bytes(b"an older file")
    with serving(way) as (url, behaviour), pytest.raises(DownloadError, match=message):
        get(url, behaviour, target)
    assert target.read_bytes() == b"an older file"
    with serving("good") as (url, behaviour):
        get(url, behaviour, target)
    assert target.read_bytes() == CONTENT


def test_client_errors_are_not_retried(tmp_path):
    with serving("missing") as (url, behaviour), pytest.raises(DownloadError):
        get(url, behaviour, tmp_path / "file.h5")
    assert len(behaviour.asked) == 1


def test_a_partial_file_is_resumed_and_only_the_rest_is_fetched(tmp_path):
    target = tmp_path / "file.h5"
    with serving("good") as (url, behaviour):
        leave_part(target, url, behaviour, 100_000)
        get(url, behaviour, target)
    assert target.read_bytes() == CONTENT
    assert behaviour.asked[0]["Range"] == "bytes=100000-"
    assert behaviour.asked[0]["If-Range"] == '"one"'
    assert behaviour.asked[0]["Accept-Encoding"] == "identity"
    assert behaviour.sent == len(CONTENT) - 100_000


def test_two_versions_are_never_joined(tmp_path):
    target = tmp_path / "file.h5"
    with serving("good", etag='"two"') as (url, behaviour):
        leave_part(target, url, behaviour, 100_000)
        get(url, behaviour, target)
    assert behaviour.sent == len(CONTENT)
    assert target.read_bytes() == CONTENT


def test_a_partial_file_of_another_address_or_with_damage_is_not_used(tmp_path):
    target = tmp_path / "file.h5"
    with serving("good") as (url, behaviour):
        leave_part(target, url + "?other", behaviour, 100_000)
        get(url, behaviour, target)
        assert "Range" not in behaviour.asked[0]
        target.unlink()
        leave_part(target, url, behaviour, 100_000)
        target.with_name("file.h5.part").write_bytes(b"?" * 100_000)
        get(url, behaviour, target)
    assert target.read_bytes() == CONTENT


def test_without_a_hash_only_a_partial_file_with_a_strong_validator_is_resumed(tmp_path):
    target = tmp_path / "file.h5"
    with serving("cut", "good", etag='W/"weak"') as (url, behaviour):
        get(url, behaviour, target, hashed=False)
        assert "Range" not in behaviour.asked[1]
    assert target.read_bytes() == CONTENT
    target.unlink()
    with serving("cut", "good") as (url, behaviour):
        get(url, behaviour, target, hashed=False)
        assert "Range" in behaviour.asked[1]
    assert target.read_bytes() == CONTENT
    target.unlink()
    with serving("cut_without_length") as (url, behaviour), pytest.raises(DownloadError, match="gives no size"):
        get(url, behaviour, target, hashed=False)


def test_a_complete_file_is_not_fetched_again(tmp_path):
    target = tmp_path / "file.h5"
    target.write_bytes(CONTENT)
    with serving("good") as (url, behaviour):
        get(url, behaviour, target)
    assert behaviour.asked == []


def test_a_full_disk_is_reported_before_the_first_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 99, 1))
    with serving("good") as (url, behaviour), pytest.raises(DownloadError, match="MB free.*the rest of the file"):
        get(url, behaviour, tmp_path / "file.h5")
    assert behaviour.sent <= len(CONTENT)
    assert not (tmp_path / "file.h5").exists()


def test_a_fetch_has_a_deadline(tmp_path):
    limits = Limits(connect=2, read=2, total=0.3, window=60, rate=0, attempts=3, pause=0.01)
    with serving("slow") as (url, behaviour), pytest.raises(DownloadError, match="took longer than"):
        get(url, behaviour, tmp_path / "file.h5", limits=limits)


def test_hosts_that_cannot_be_reached_are_reported_immediately(tmp_path):
    with pytest.raises(DownloadError, match="127.0.0.1 cannot be reached: .*Without internet"):
        fetch(RemoteFile("http://127.0.0.1:9/x", "", 10), tmp_path / "x", lambda *_: None, QUICK)
    with pytest.raises(DownloadError, match="no-such-host.invalid cannot be reached"):
        fetch(RemoteFile("http://no-such-host.invalid/x", "", 10), tmp_path / "x", lambda *_: None, QUICK)


def test_a_proxy_that_does_not_answer_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="The proxy for example.invalid does not answer.*HTTPS_PROXY"):
        fetch(RemoteFile("http://example.invalid/x", "", 10), tmp_path / "x", lambda *_: None, QUICK)


def test_passwords_in_addresses_are_not_shown(tmp_path):
    with serving("missing") as (url, behaviour):
        secret = url.replace("http://", "http://me:secret@")
        with pytest.raises(DownloadError) as caught:
            get(secret, behaviour, tmp_path / "file.h5")
    assert "secret" not in str(caught.value)


def test_the_server_does_not_name_the_file(tmp_path):
    target = tmp_path / "in" / "cache" / "file.h5"
    with serving("names_a_file") as (url, behaviour):
        get(url, behaviour, target)
    assert target.read_bytes() == CONTENT
    assert [path.name for path in sorted(tmp_path.rglob("*.*"))] == ["file.h5", "file.h5.lock"]


def test_an_encrypted_address_never_leads_to_a_plain_one(monkeypatch):
    answer = requests.Response()
    answer.status_code, answer.headers["Location"] = 302, "http://elsewhere.invalid/file.h5"
    answer._content_consumed = True
    asked = []
    monkeypatch.setattr(requests.Session, "get", lambda session, url, **_: asked.append(url) or answer)
    with pytest.raises(DownloadError, match="redirects to http://elsewhere.invalid/file.h5, which is not encrypted"):
        connections.connect("https://example.invalid/file.h5", {}, (1.0, 1.0))
    assert asked == ["https://example.invalid/file.h5"]


def test_two_at_once_fetch_it_once(tmp_path):
    target = tmp_path / "file.h5"
    with serving("good") as (url, behaviour):
        threads = [threading.Thread(target=get, args=(url, behaviour, target)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert target.read_bytes() == CONTENT
    assert behaviour.sent == len(CONTENT)


@pytest.mark.parametrize("moments", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments_it_resumes_and_completes(tmp_path, moments):
    target, draw = tmp_path / "file.h5", random.Random(3)
    content = os.urandom(20_000_000)
    code = (
        "import sys; from vision_recipes.pretrained.transfers import *;"
        "fetch(RemoteFile(sys.argv[1], sys.argv[2], 10**8), Path(sys.argv[3]), lambda done, total: None)"
    )
    kills = 0
    with serving("good", content=content, pause=0.004) as (url, behaviour):
        for _ in range(40):
            child = subprocess.Popen([sys.executable, "-c", code, url, behaviour.sha256, str(target)])
            if kills < moments:
                deadline = time.monotonic() + 20
                before, wait = size_of(target), draw.uniform(0.0, 0.1)
                while size_of(target) == before and child.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.005)
                time.sleep(wait)
                child.send_signal(signal.SIGKILL)
                kills += child.wait() == -signal.SIGKILL
            elif child.wait() == 0:
                break
    assert target.read_bytes() == content
    assert sum("Range" in asked for asked in behaviour.asked) >= moments // 2
    assert behaviour.sent <= 2 * len(content)
    assert not target.with_name("file.h5.part").exists()


def size_of(target):
    part = target.with_name(target.name + ".part")
    return part.stat().st_size if part.exists() else 0


def test_digests_are_of_the_kind_of_the_given_hash(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert file_digest(tmp_path / "x", "0" * 32) == "900150983cd24fb0d6963f7d28e17f72"
    assert file_digest(tmp_path / "x", "0" * 64).startswith("ba7816bf")


def test_a_cache_that_cannot_be_written_names_the_setting(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    wrong = pytest.raises(DownloadError, match=r"Could not write into .*VISION_RECIPES_CACHE")
    with serving("good") as (url, behaviour), wrong:
        get(url, behaviour, tmp_path / "cache" / "weights.h5")


def test_a_download_that_another_job_removes_is_fetched_again(tmp_path, monkeypatch):
    target, removed = tmp_path / "weights.h5", []
    replace = os.replace

    def gone_once(source, destination):
        if not removed:
            removed.append(source)
            os.unlink(source)
        replace(source, destination)

    monkeypatch.setattr("vision_recipes.pretrained.transfers.os.replace", gone_once)
    with serving("good") as (url, behaviour):
        get(url, behaviour, target)
    assert removed and target.read_bytes() == behaviour.content


def test_a_download_that_vanishes_while_it_is_checked_is_fetched_again(tmp_path, monkeypatch):
    def vanished(path, digest):
        monkeypatch.undo()
        raise FileNotFoundError(path)

    target = tmp_path / "weights.h5"
    target.write_bytes(b"x")
    with serving("good") as (url, behaviour):
        monkeypatch.setattr("vision_recipes.pretrained.transfers.has_digest", vanished)
        get(url, behaviour, target)
    assert target.read_bytes() == behaviour.content
