"""Storages that refuse, fail, hang or break off: each time one sentence, in bounded time, and never half of anything."""

import re
import socket

import pytest

from minihost.errors import DataError
from minihost.folders import open_folder
from minihost.folders.remote_streams import BLOCK
from minihost.job import Reference

pytestmark = pytest.mark.network


def folder(url, **options):
    return open_folder(Reference("role", "MANAGED_FOLDER", "photos", "PROJ", url, {"options": options}))


def reads(method, path):
    return method == "GET" and "list-type" not in path


@pytest.fixture
def photos(bucket):
    bucket["photos/a.jpg"] = b"the whole picture"
    return bucket


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ((403, "AccessDenied"), "access is denied (403 AccessDenied). Check the credentials (AWS_ACCESS_KEY_ID"),
        ((403, "SignatureDoesNotMatch"), "not accepted (403 SignatureDoesNotMatch). Check the credentials"),
        ((301, "PermanentRedirect"), "another region (301 PermanentRedirect). Check `region`"),
        ((404, "NoSuchBucket"), "there is no such bucket (404 NoSuchBucket). Check its name"),
        ((404, "NoSuchKey"), "there is no such object (404 NoSuchKey)"),
        ((503, "SlowDown"), "the storage fails (503 SlowDown), tried 2 times. Try later, or check `endpoint_url`"),
        ((500, "InternalError"), "the storage fails (500 InternalError), tried 2 times"),
        ((418, "Teapot"), "Teapot it is"),
        ("silence", "no complete answer came within 0.5 seconds, tried 2 times. Check `endpoint_url`"),
        ("cut", "the connection broke off in the middle, tried 2 times"),
    ],
)
def test_what_goes_wrong_is_one_sentence_with_bucket_key_and_setting(photos, proxy, how, words):
    found = folder(photos.url("photos"), **proxy.options, timeout=0.5 if how == "silence" else 20)
    found.paths()
    proxy.fail(reads, how)
    with pytest.raises(OSError, match=re.escape(words)) as caught:
        found.open("/a.jpg")
    message = str(caught.value)
    assert f"Bucket '{photos.name}', key 'photos/a.jpg' (s3 at {proxy.url})" in message
    assert "\n" not in message
    assert "dummy-secret" not in message
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("how", [(500, "InternalError"), (503, "SlowDown"), "silence", "cut", "reset"])
def test_failures_that_pass_are_not_noticed(photos, proxy, how):
    found = folder(photos.url("photos"), **proxy.options, timeout=1 if how == "silence" else 20)
    found.paths()
    proxy.fail(reads, how, times=1)
    assert found.open("/a.jpg").read() == b"the whole picture"


def test_a_storage_that_is_down_is_not_asked_for_every_file(photos, proxy):
    found = folder(photos.url("photos"), **proxy.options)
    found.paths()
    proxy.fail(reads, (500, "InternalError"))
    for _ in range(3):
        with pytest.raises(OSError, match="500 InternalError"):
            found.open("/a.jpg")
    assert sum(reads(*one) for one in proxy.requests) == 2


def test_a_large_object_that_breaks_off_is_read_again(photos, proxy):
    photos["photos/large"] = content = bytes(range(256)) * (BLOCK // 200)
    found = folder(photos.url("photos"), **proxy.options)
    proxy.fail(reads, "cut", times=1)
    assert found.open("/large").read() == content


def test_a_server_that_is_not_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        found = folder("s3://b/photos", endpoint_url=endpoint, attempts=1, key="dummy", secret="dummy")
        with pytest.raises(DataError, match=r"Bucket 'b'.* the storage cannot be reached .* Check `endpoint_url`"):
            found.paths()


def test_a_server_that_accepts_and_never_answers():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        found = folder("s3://b/photos", endpoint_url=endpoint, timeout=0.3, attempts=2, key="dummy", secret="dummy")
        with pytest.raises(DataError, match=r"no complete answer came within 0\.3 seconds"):
            found.check_input()


def test_without_credentials(photos, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(
        DataError, match=r"no usable credentials were found .* Check the credentials \(AWS_ACCESS_KEY_ID"
    ):
        folder(photos.url("photos")).paths()
    with pytest.raises(DataError, match=r"no usable credentials were found .*profile"):
        folder(photos.url("photos"), profile="nobody").paths()


def test_options_with_mistakes(photos, monkeypatch):
    with pytest.raises(DataError, match=r"no 'endpoint'\. Did you mean 'endpoint_url'\?"):
        folder(photos.url("photos"), endpoint="http://x").paths()
    with pytest.raises(DataError, match=r"environment variable NOT_THERE, which is not set"):
        folder(photos.url("photos"), key="${NOT_THERE}").paths()
    with pytest.raises(DataError, match=r"`timeout` under `options:` is a positive number; got 'soon'"):
        folder(photos.url("photos"), timeout="soon").paths()
    monkeypatch.setenv("THE_KEY", "dummy")
    assert folder(photos.url("photos"), key="${THE_KEY}", secret="dummy", region="eu-west-1").paths() == ["/a.jpg"]


def test_a_bucket_that_does_not_exist(s3_server):
    for step in ("paths", "check_input", "check_output"):
        with pytest.raises(DataError, match=r"Bucket 'not-there'.* there is no such bucket"):
            getattr(folder("s3://not-there/photos"), step)()


def test_an_empty_folder_and_an_object_as_folder(photos):
    with pytest.raises(DataError, match=r"has no object whose key begins with 'nothing/'"):
        folder(photos.url("nothing")).check_input()
    with pytest.raises(DataError, match="is an object"):
        folder(photos.url("photos/a.jpg")).check_input()
    with pytest.raises(DataError, match="is an object"):
        folder(photos.url("photos/a.jpg")).check_output()


@pytest.mark.parametrize("how", [(500, "InternalError"), (403, "AccessDenied"), "reset"])
@pytest.mark.parametrize("step", ["uploads", "uploadId"])
def test_an_upload_that_fails_while_files_are_sent_changes_nothing(bucket, proxy, tmp_path, how, step):
    files = {f"/{number}": tmp_path / str(number) for number in range(5)}
    for number, path in enumerate(files.values()):
        bucket[f"out/{number}"] = b"old"
        path.write_bytes(b"new")
    before = bucket.content()
    proxy.fail(lambda method, path: method in ("PUT", "POST") and "/3?" in path and step in path, how)
    with pytest.raises(DataError, match=rf"Bucket '{bucket.name}', key 'out/3'"):
        folder(bucket.url("out"), **proxy.options).upload(files, ["/4"])
    assert bucket.content() == before
    assert bucket.unfinished() == []


def test_what_was_replaced_is_said_when_putting_in_place_fails(bucket, proxy, tmp_path):
    files = {f"/{number}": tmp_path / str(number) for number in range(3)}
    for path in files.values():
        path.write_bytes(b"new")
    bucket["out/2"] = bucket["out/old"] = b"old"
    sent = folder(bucket.url("out"), **proxy.options).upload(files, ["/old"])
    proxy.fail(lambda method, path: method == "POST" and "/2?" in path, (403, "AccessDenied"))
    with pytest.raises(DataError, match=r"2 of 3 objects were already replaced \(s3://.*/out/0, s3://.*/out/1\)"):
        sent.place()
    assert bucket.content() == {"out/0": b"new", "out/1": b"new", "out/2": b"old", "out/old": b"old"}
    assert bucket.unfinished() == []


def test_an_answer_that_gets_lost_when_an_upload_is_completed(bucket, proxy, tmp_path):
    (tmp_path / "a").write_bytes(b"new")
    sent = folder(bucket.url("out"), **proxy.options).upload({"/a": tmp_path / "a"})
    proxy.fail(lambda method, _path: method == "POST", "cut", times=1)
    sent.place()
    assert bucket.content() == {"out/a": b"new"}


def test_deletions_come_last_and_their_failure_says_so(bucket, proxy, tmp_path):
    (tmp_path / "a").write_bytes(b"new")
    bucket["out/old"] = b"old"
    sent = folder(bucket.url("out"), **proxy.options).upload({"/a": tmp_path / "a"}, ["/old"])
    proxy.fail(lambda method, _path: method == "DELETE", (403, "AccessDenied"))
    with pytest.raises(DataError, match=r"All new objects are in place, but not all old ones were deleted"):
        sent.place()
    assert bucket.content() == {"out/a": b"new", "out/old": b"old"}
