"""The engine stays open between the shards of one process, and only while nothing that it depends on has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from images.files import encoded, picture
from inference.tiny import write_tiny_model

from vision_recipes.classify import classify
from vision_recipes.inference import forward_pass
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def folder(tmp_path: Path) -> LocalStore:
    root = tmp_path / "pictures"
    root.mkdir()
    for number in range(12):
        (root / f"{number}.png").write_bytes(encoded(picture(20 + 9 * number, 20), "PNG"))
    return LocalStore(root)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The engines that were opened, in order."""
    found, plain = [], forward_pass.open_engine

    def counted(*args: Any, **options: Any) -> Any:
        found.append(plain(*args, **options))
        return found[-1]

    monkeypatch.setattr(forward_pass, "open_engine", counted)
    return found


def _settings(shard: int, shards: int, **more: Any) -> ClassifySettings:
    compute = ComputeSettings(use_gpu="false", precision="float32")
    return ClassifySettings(shard=shard, shards=shards, compute=compute, **more)


def test_shards_of_one_process_open_the_model_once(folder: LocalStore, tmp_path: Path, opened: list[Any]) -> None:
    model = write_tiny_model(tmp_path / "model", seed=100).store
    whole = list(classify(folder, model, _settings(1, 1)))
    assert len(opened) == 1
    parts = [row for shard in (1, 2, 3) for row in classify(folder, model, _settings(shard, 3))]
    assert sorted(parts, key=lambda row: row["images"]) == whole
    assert len(opened) == 2
    list(classify(folder, model, _settings(1, 3, batch_size=2)))
    assert len(opened) == 3
    changed = write_tiny_model(tmp_path / "model", seed=101).store
    other = list(classify(folder, changed, _settings(1, 3)))
    assert len(opened) == 4 and other != list(classify(folder, model, _settings(2, 3)))
    (folder.root / "more.png").write_bytes(encoded(picture(), "PNG"))
    list(classify(folder, changed, _settings(1, 3)))
    assert len(opened) == 4


def test_an_engine_that_was_interrupted_is_not_used_again(
    folder: LocalStore, tmp_path: Path, opened: list[Any]
) -> None:
    model = write_tiny_model(tmp_path / "model", seed=102).store
    rows = iter(classify(folder, model, _settings(1, 2)))
    next(rows)
    whole = list(classify(folder, model, _settings(1, 2)))  # while the other still computes
    assert len(opened) == 2
    rows.close()  # type: ignore[attr-defined]
    assert list(classify(folder, model, _settings(1, 2))) == whole
    assert len(opened) == 2
