"""Workers that read a bucket together: it is listed once, and nobody asks about an object that was listed."""

import pytest
from sharing_plugin import write_sharing_plugin

from minihost.cli import main

pytestmark = pytest.mark.network


def test_a_folder_in_a_bucket_is_listed_once_for_all_workers(bucket, proxy, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    write_sharing_plugin(tmp_path / "plugin")
    for number in range(20):
        bucket[f"files/{number} ä.txt"] = b"x" * number
    command = ["run", "sharing/sizes", "--plugin", "plugin", "-i", f"files={bucket.url('files')}", "-o"]
    assert main([*command, f"sizes={bucket.url('two.csv')}", "--workers", "2"]) == 0, capsys.readouterr().err
    objects = [method for method, path in proxy.requests if "files/" in path and ".txt" in path]
    assert objects == ["GET"] * 20
    assert len([path for _method, path in proxy.requests if "prefix=files" in path and "delimiter=&" in path]) == 1
    assert main([*command, f"sizes={bucket.url('one.csv')}"]) == 0
    content = bucket.content()
    assert content["two.csv"] == content["one.csv"]
    assert content["two.schema.json"] == content["one.schema.json"]


def test_neither_shards_nor_the_run_after_them_ask_about_an_object_before_they_read_it(
    bucket, proxy, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    monkeypatch.setenv("AWS_SERVICES", "none")  # s3fs alone: it is asked about single objects where facts are missing
    write_sharing_plugin(tmp_path / "plugin")
    for number in range(12):
        bucket[f"files/{number}.txt"] = b"x" * number
    command = ["run", "sharing/gather", "--plugin", "plugin", "-i", f"files={bucket.url('files')}", "-o", "model=model"]
    assert main([*command, "--workers", "2"]) == 0, capsys.readouterr().err
    assert (tmp_path / "model/model").read_text() == "12 of 12"
    objects = [method for method, path in proxy.requests if "files/" in path and ".txt" in path]
    assert objects == ["GET"] * 24
