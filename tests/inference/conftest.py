"""What the tests of the engines share: a tiny model, pictures, and a cache folder that is not the user's."""

from __future__ import annotations

from pathlib import Path

import pytest
from inference.tiny import write_tiny_model

from vision_recipes.model_folder import Model


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def tiny(tmp_path: Path) -> Model:
    return write_tiny_model(tmp_path / "tiny-model")
