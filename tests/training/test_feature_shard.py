"""Shards fill the cache folder with all that a later training, comparison or check of labels computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from inference.memory_store import MemoryStore
from model_folder.small import write_small_model
from training.colours import write_colour_model, write_colours

from vision_recipes.check_labels import check_labels
from vision_recipes.compare import CompareInputs, CompareOutputs, compare
from vision_recipes.compare_settings import CompareSettings
from vision_recipes.errors import SettingsError
from vision_recipes.inference import forward_pass
from vision_recipes.model_folder import open_model
from vision_recipes.retrain import retrain
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import CheckLabelsSettings, RetrainSettings

COMPUTE = ComputeSettings(use_gpu="false", precision="float32")
SHARDS = 2


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def pictures(tmp_path: Path) -> LocalStore:
    found = write_colours(tmp_path / "pictures")
    (found.root / "red" / "broken.png").write_bytes(b"not a picture")
    return found


@pytest.fixture
def model(tmp_path: Path) -> LocalStore:
    write_colour_model(tmp_path / "model")
    return LocalStore(tmp_path / "model")


class Counts:
    """How many pictures and copies were computed, and how many had a result in the cache."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.computed = self.cached = 0
        add = forward_pass.Progress.add

        def counted(tally: Any, picture: Any) -> None:
            self.cached += picture.cached is not None
            self.computed += picture.cached is None and picture.pixels is not None
            add(tally, picture)

        monkeypatch.setattr(forward_pass.Progress, "add", counted)


@pytest.mark.parametrize(
    "given",
    [
        {"head_features": "several", "model_pooling": "max"},
        {"data_augmentation": True, "image_resize": "auto"},  # the copies' last layer is found in several ones
    ],
    ids=("layers", "copies"),
)
def test_a_training_finds_everything_that_the_shards_computed(
    given: dict[str, Any], pictures: LocalStore, model: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, mine, alone = MemoryStore(), LocalStore(tmp_path / "mine"), LocalStore(tmp_path / "alone")
    given = {**given, "compute": COMPUTE, "tensorboard": False, "keep_pictures": "nothing"}
    for shard in range(1, SHARDS + 1):
        settings = RetrainSettings.from_params({**given, "shard": shard, "shards": SHARDS})
        retrain(pictures, model, mine, settings, cache=cache)
    assert not mine.root.exists()
    counts = Counts(monkeypatch)
    retrain(pictures, model, mine, RetrainSettings.from_params(given), cache=cache)
    assert (counts.computed, counts.cached >= 36) == (0, True)
    retrain(pictures, model, alone, RetrainSettings.from_params(given))
    assert open_model(mine).folder_hash == open_model(alone).folder_hash


def test_labels_are_checked_and_networks_compared_with_what_the_shards_computed(
    pictures: LocalStore, model: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = MemoryStore()

    def check(**shard: int) -> list[dict[str, Any]]:
        return list(check_labels(pictures, model, CheckLabelsSettings(compute=COMPUTE, **shard), cache=cache))

    def lead(models: list[LocalStore], output: LocalStore | None, **shard: int) -> list[dict[str, Any]]:
        outputs = CompareOutputs(output, cache=cache)
        return list(compare(CompareInputs(pictures, models), CompareSettings(compute=COMPUTE, **shard), outputs))

    write_small_model(LocalStore(tmp_path / "small"))
    both = [model, LocalStore(tmp_path / "small")]
    for shard in range(1, SHARDS + 1):
        assert check(shard=shard, shards=SHARDS) == []
        assert lead(both, LocalStore(tmp_path / "mine"), shard=shard, shards=SHARDS) == []
    counts = Counts(monkeypatch)
    assert len(check()) == 37
    assert lead(both, LocalStore(tmp_path / "mine"))
    assert (counts.computed, counts.cached >= 3 * 36) == (0, True)


def test_a_shard_of_a_training_needs_a_cache(pictures: LocalStore, model: LocalStore, tmp_path: Path) -> None:
    shard = {"shard": 2, "shards": 3, "compute": COMPUTE}
    for start in (
        lambda: retrain(pictures, model, LocalStore(tmp_path / "mine"), RetrainSettings.from_params(shard)),
        lambda: check_labels(pictures, model, CheckLabelsSettings.from_params(shard)),
        lambda: compare(CompareInputs(pictures, [model]), CompareSettings.from_params(shard)),
    ):
        with pytest.raises(SettingsError, match="cache_folder is empty"):
            start()
    with pytest.raises(SettingsError, match="no shard 4 of 3"):
        RetrainSettings.from_params({"shard": 4, "shards": 3})
