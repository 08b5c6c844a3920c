"""What the tests of the model room share: a small model folder, written once and copied for each test."""

import shutil
from pathlib import Path

import pytest
from models.small import local, write_small_model

from vision_recipes.models import Model, open_model


@pytest.fixture(scope="session")
def small_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "model"
    write_small_model(local(folder))
    return folder


@pytest.fixture
def folder(small_original: Path, tmp_path: Path) -> Path:
    """A folder with a whole small model, for the test to change."""
    return Path(shutil.copytree(small_original, tmp_path / "model"))


@pytest.fixture
def small(folder: Path) -> Model:
    return open_model(local(folder))
