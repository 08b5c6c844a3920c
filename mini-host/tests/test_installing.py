import io
import shutil
import zipfile
from pathlib import Path

import pytest
from plugin_folders import RECIPE, write, write_plugin, zip_folder

from minihost.cli import main
from minihost.errors import HostError
from minihost.plugins import discovery, installing


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "plugins"


def make(tmp_path, version="1.0.0", **more):
    root = tmp_path / f"source-{version}"
    write_plugin(root, "sample", version, recipes=["copy"], **more)
    write(root / "python-lib" / f"only_{version[0]}.py", "raise SystemExit('imported')\n")
    return zip_folder(root, tmp_path / f"sample-{version}.zip")


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def test_it_shows_what_it_will_install_and_asks(tmp_path, store, monkeypatch, capsys):
    answers = []
    monkeypatch.setattr("click.confirm", lambda *_, **__: answers.append("asked") or True)
    path = make(tmp_path)
    assert main(["install", str(path)]) == 0
    out = capsys.readouterr().out
    import hashlib

    assert hashlib.sha256(path.read_bytes()).hexdigest() in out
    assert "sample 1.0.0" in out
    assert "copy" in out
    assert answers == ["asked"]
    assert [item.name for item in store.iterdir()] == ["sample"]
    assert discovery.find().component("sample/copy").folder == store / "sample/custom-recipes/copy"


def test_a_no_installs_nothing(tmp_path, store, monkeypatch):
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    assert main(["install", str(make(tmp_path))]) == 0
    assert list(store.iterdir()) == []


def test_nobody_to_ask_is_a_no(tmp_path, store, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["install", str(make(tmp_path))]) == 2
    assert "Give --yes" in capsys.readouterr().err
    assert list(store.iterdir()) == []


def test_an_update_replaces_all_of_the_old_version(tmp_path, store, capsys):
    for version in ("1.0.0", "2.0.0"):
        assert main(["install", "--yes", str(make(tmp_path, version))]) == 0
    assert "replaces version 1.0.0" in capsys.readouterr().out
    assert "python-lib/only_2.py" in names(store / "sample")
    assert "python-lib/only_1.py" not in names(store / "sample")
    assert [item.name for item in store.iterdir()] == ["sample"]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failed_swap_keeps_the_old_version(tmp_path, store, monkeypatch, failing):
    assert main(["install", "--yes", str(make(tmp_path))]) == 0
    before = names(store / "sample")
    rename, calls = Path.rename, []

    def failing_rename(self, target):
        calls.append(self)
        if len(calls) == failing:
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing_rename)
    with pytest.raises(HostError, match="unchanged"):
        installing.install(make(tmp_path, "2.0.0"), store, lambda offer: True)
    assert names(store / "sample") == before
    assert [item.name for item in store.iterdir()] == ["sample"]


def test_a_crash_between_the_two_renames_loses_nothing(tmp_path, store):
    assert main(["install", "--yes", str(make(tmp_path))]) == 0
    (store / "sample").rename(store / ".old-sample")
    assert discovery.find().plugin("sample").version == "1.0.0"
    assert main(["install", "--yes", str(make(tmp_path, "2.0.0"))]) == 0
    assert discovery.find().plugin("sample").version == "2.0.0"
    assert [item.name for item in store.iterdir()] == ["sample"]


def test_leftovers_of_a_crash_after_the_swap_go_away(tmp_path, store):
    assert main(["install", "--yes", str(make(tmp_path, "2.0.0"))]) == 0
    shutil.copytree(store / "sample", store / ".old-sample")
    assert discovery.find().plugin("sample").version == "2.0.0"
    assert main(["install", "--yes", str(make(tmp_path, "3.0.0"))]) == 0
    assert [item.name for item in store.iterdir()] == ["sample"]


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ({"readme.txt": "x"}, "has no plugin.json at its root"),
        ({"inner/plugin.json": '{"id": "x"}'}, "zip the content of that folder"),
        ({"plugin.json": "{"}, "line 1"),
        ({"plugin.json": '{"id": "../../evil"}'}, "the id is"),
        ({"plugin.json": '{"id": "sample"}', "../evil.py": "x"}, "climbs"),
    ],
)
def test_what_is_refused_changes_nothing(tmp_path, store, capsys, content, reported):
    assert main(["install", "--yes", str(make(tmp_path))]) == 0
    before = names(tmp_path / "home")
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    assert main(["install", "--yes", str(path)]) == 2
    err = capsys.readouterr().err
    assert reported in err
    assert "bad.zip" in err
    assert names(tmp_path / "home") == before


def test_a_store_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    write(tmp_path / "file", "")
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "file"))
    assert main(["install", "--yes", str(make(tmp_path))]) == 2
    assert "Nothing can be written" in capsys.readouterr().err


def test_errors_of_the_plugin_are_shown(tmp_path, capsys):
    root = write_plugin(tmp_path / "p", recipes=[("r", {**RECIPE, "inputRoles": [{"label": "no name"}]})])
    assert main(["install", "--yes", str(zip_folder(root, tmp_path / "p.zip"))]) == 0
    assert "something without a name" in capsys.readouterr().out
