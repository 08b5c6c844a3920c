"""The shape of the host: what it may import, files of one concept, nothing called `dataiku` on disk."""

import pytest
from checkout import HOST
from import_graph import imports, touches

PACKAGE = HOST / "minihost"
FILES = sorted(PACKAGE.rglob("*.py"))
BANNED = {"utils", "util", "misc", "common", "helper", "helpers", "manager", "handler", "base", "shared"}
NEVER = {"vision_recipes", "dss_ports", "keras", "tensorflow", "openvino", "onnx", "sklearn", "matplotlib", "requests"}
NEVER |= {"PIL", "dataiku", "jinja2"}
STORAGE = {"fsspec", "s3fs", "gcsfs", "adlfs", "botocore", "boto3", "aiobotocore", "obstore"}
OPENING = {"folders/storage.py": {"fsspec"}, "folders/s3_reader.py": {"botocore", "obstore"}}


def name(path):
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_it_knows_no_plugin_and_no_framework(path):
    assert touches(imports(path), NEVER) == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_two_files_open_storages_and_only_when_asked_to(path):
    assert touches(imports(path, top_level_only=True), STORAGE) == []
    opened = {one.partition(".")[0] for one in touches(imports(path), STORAGE)}
    assert opened == OPENING.get(name(path), set())


@pytest.mark.parametrize("path", FILES, ids=name)
def test_files_are_one_concept(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    assert path.stem not in BANNED
    assert path.parent.name not in BANNED


def test_nothing_on_disk_is_called_dataiku():
    assert [path for path in HOST.rglob("*") if "dataiku" in (path.name, path.stem)] == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_databases_are_imported_only_when_one_is_opened(path):
    assert touches(imports(path, top_level_only=True), {"sqlalchemy", "psycopg"}) == []
    if path.parent.name != "sql":
        assert touches(imports(path), {"sqlalchemy", "psycopg"}) == []
