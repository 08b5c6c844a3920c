"""A served folder that changes: whole models are taken, broken ones are not, and the log says each problem once."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from inference.tiny import write_tiny_model

from vision_recipes.serving import watched_folder
from vision_recipes.serving.watched_folder import WatchedFolder
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WatchedFolder:
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(watched_folder, "_PATIENCE", (0.0, 0.0))
    write_tiny_model(tmp_path / "model")
    return WatchedFolder(LocalStore(tmp_path / "model"), ClassifySettings())


def test_another_model_takes_the_place_of_the_first(folder: WatchedFolder, tmp_path: Path) -> None:
    first = folder.current
    assert folder.look() is None and folder.current is first
    config = tmp_path / "model" / "config.json"
    config.touch()
    assert folder.look() is None, "the same model written at another time"
    second = write_tiny_model(tmp_path / "model", 1)
    assert folder.look() is first
    assert folder.current.model.folder_hash == second.folder_hash and folder.swaps == 1
    assert folder.look() is None


@pytest.mark.parametrize("broken", ["", "bin", "xml", "check", "labels"])
def test_a_broken_folder_leaves_the_first_in_use(
    folder: WatchedFolder, tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = folder.current
    files = write_tiny_model(tmp_path / "model", 1).config.files
    path = tmp_path / "model" / (getattr(files, broken).name if broken else "config.json")
    whole = path.read_bytes()
    path.write_bytes(whole[:-40] + bytes(40))
    with caplog.at_level(logging.WARNING):
        assert [folder.look() for _ in range(3)] == [None] * 3
    assert folder.current is first and folder.swaps == 0
    assert [record.getMessage().count("the model before") for record in caplog.records] == [1]
    path.write_bytes(whole)
    assert folder.look() is first and folder.swaps == 1


def test_a_folder_that_is_gone_changes_nothing(folder: WatchedFolder, tmp_path: Path) -> None:
    first = folder.current
    for path in (tmp_path / "model").iterdir():
        path.unlink()
    assert folder.look() is None and folder.current is first
