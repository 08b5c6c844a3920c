"""What all tests share: the checkout's root, a small model folder, and real data beside it where there is any."""

import os
import shutil
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.fsync = lambda descriptor: None  # what tests write need not outlive a power cut, and thousands of waits add up
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real photos and a real model, laid beside a checkout by those who have them; never part of the project."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside this checkout")
    return folder


@pytest.fixture(scope="session")
def vision_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder of the tests' own, in which the default network was made once, also for tests in other processes."""
    from vision_recipes.default_model import open_default

    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "vision-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISION_RECIPES_CACHE", str(folder))
        open_default()
    return folder


@pytest.fixture(scope="session")
def default_folder(vision_cache: Path) -> Path:
    """The model folder of the default network, EfficientNet-Lite0 with its published weights; not to be changed."""
    (config,) = vision_cache.glob("models/*/config.json")
    return config.parent


@pytest.fixture(scope="session")
def small_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole small model folder, written once."""
    from model_folder.small import local, write_small_model

    folder = tmp_path_factory.mktemp("original") / "model"
    write_small_model(local(folder))
    return folder


@pytest.fixture
def folder(small_original: Path, tmp_path: Path) -> Path:
    """A folder with a whole small model, for the test to change."""
    return Path(shutil.copytree(small_original, tmp_path / "model"))


@pytest.fixture
def small(folder: Path):
    from model_folder.small import local

    from vision_recipes.model_folder import open_model

    return open_model(local(folder))
