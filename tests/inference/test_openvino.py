"""The OpenVINO engine: right answers in order, whatever stands between the pictures; layers, pooling, extra columns."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from inference.tiny import CHANNELS, EXTRA, INPUT, LABELS, tiny_scores, write_tiny_model

from vision_recipes.dataset.column_encoding import encode
from vision_recipes.errors import DeviceError, ModelFolderError
from vision_recipes.images.reading import cpu_count
from vision_recipes.inference import opening
from vision_recipes.inference.engine import FEATURES, Engine
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_folder import Model
from vision_recipes.pictures import Picture
from vision_recipes.settings import ComputeSettings

CPU = ComputeSettings(use_gpu="false", precision="float32")


def _pictures(count: int, bad: tuple[int, ...] = ()) -> list[Picture]:
    draw = np.random.default_rng(1)
    pixels = draw.integers(0, 256, (count, INPUT.height, INPUT.width, 3), np.uint8)
    return [
        Picture(f"/{place}", reason="corrupt") if place in bad else Picture(f"/{place}", pixels[place])
        for place in range(count)
    ]


def test_scores_are_those_of_the_network_alone(tiny: Model) -> None:
    engine = open_engine(tiny, CPU)
    assert (engine.name, engine.precision) == ("openvino", "float32")
    for picture, scores in engine.run(_pictures(3)):
        assert picture.pixels is not None and scores is not None
        assert scores.dtype == np.float32 and scores.shape == (len(LABELS),)
        assert np.abs(scores - tiny_scores(tiny, picture.pixels)).max() < 1e-5


class _QuickSlot:
    """A batch of one that is computed at once."""

    def __init__(self) -> None:
        self.pixels, self.extra = np.zeros((1, INPUT.height, INPUT.width, 3), np.uint8), None

    def start(self) -> None:
        pass

    def ready(self) -> bool:
        return True

    def collect(self, seconds: float | None = None) -> np.ndarray:
        return np.ones((1, 2), np.float32)


def _quick() -> Engine:
    """Return an engine of five slots that answers [1, 1] for every picture."""
    return Engine("quick", "float32", "CPU", 2, [_QuickSlot() for _ in range(5)])


def test_results_are_handed_on_as_soon_as_they_are_computed() -> None:
    given: list[Picture] = []

    def told() -> Iterator[Picture]:
        for picture in _pictures(12, bad=(3, 4)):
            given.append(picture)
            yield picture

    engine = _quick()
    behind = [len(given) - place for place, _ in enumerate(engine.run(told()), 1)]
    assert len(behind) == 12 and max(behind) <= 3


def test_cached_results_pass_in_order_and_are_not_computed() -> None:
    pictures = _pictures(6, bad=(1,))
    for place in (0, 3, 4):
        pictures[place].cached = np.full(2, place, np.float32)
    found = list(_quick().run(pictures))
    assert [picture for picture, _ in found] == pictures
    vectors = [None if vector is None else vector.tolist() for _, vector in found]
    assert vectors == [[0, 0], None, [1, 1], [3, 3], [4, 4], [1, 1]]


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize(
    ("count", "bad"), [(0, ()), (1, ()), (8, ()), (31, (0, 1, 5, 30)), (5, (0, 1, 2, 3, 4)), (9, (8,))]
)
def test_every_picture_comes_back_in_order_with_its_own_answer(
    tiny: Model, batch: int, count: int, bad: tuple[int, ...]
) -> None:
    given = _pictures(count, bad)
    found = list(open_engine(tiny, CPU, batch=batch).run(given))
    assert [picture for picture, _ in found] == given
    alone = open_engine(tiny, CPU, batch=1)
    for picture, scores in found:
        assert (scores is None) == (picture.pixels is None)
        if scores is not None:
            ((_, expected),) = alone.run([picture])
            assert expected is not None and np.allclose(scores, expected, atol=1e-6)


def test_only_a_few_batches_are_taken_ahead(tiny: Model) -> None:
    taken = 0

    def endless() -> Iterator[Picture]:
        nonlocal taken
        while True:
            taken += 1
            yield Picture(f"/{taken}", np.zeros((INPUT.height, INPUT.width, 3), np.uint8))

    def broken() -> Iterator[Picture]:
        nonlocal taken
        while True:
            taken += 1
            yield Picture(f"/{taken}", reason="corrupt")

    for endless_pictures in (endless(), broken()):
        taken = 0
        next(open_engine(tiny, CPU, batch=2).run(endless_pictures))
        assert taken < 2000


def test_spatial_layers_are_pooled_or_flattened(tiny: Model) -> None:
    pictures = _pictures(3)

    def vectors(pooling: str) -> np.ndarray:
        return np.stack([vector for _, vector in open_engine(tiny, CPU, 2, pooling=pooling).run(pictures)])  # type: ignore[misc]

    flat = vectors("none").reshape(3, 7, 11, CHANNELS)
    assert np.allclose(vectors("avg"), flat.mean((1, 2)), atol=1e-5)
    assert np.allclose(vectors("max"), flat.max((1, 2)), atol=1e-6)
    assert flat.min() == 0 < flat.max()


def test_features_are_the_feature_layer(tiny: Model) -> None:
    pictures = _pictures(2)
    for output in (FEATURES, 2, 3, -2):
        found = [vector for _, vector in open_engine(tiny, CPU, output).run(pictures)]
        expected = [vector for _, vector in open_engine(tiny, CPU, 2, pooling="avg").run(pictures)]
        assert np.allclose(found, expected, atol=1e-6)  # type: ignore[arg-type]


def test_a_layer_that_does_not_exist_is_an_error(tiny: Model) -> None:
    with pytest.raises(ModelFolderError, match="no layer 17"):
        open_engine(tiny, CPU, 17)


def test_table_columns_join_the_pictures(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "extra", extra=True)
    (picture,) = _pictures(1)
    answers = []
    for row in ({"price": 10, "town": "Paris"}, {"price": 30, "town": "Oslo"}):
        engine = open_engine(model, CPU)
        ((_, scores),) = engine.run([picture], lambda _, row=row: encode(EXTRA, row))
        answers.append(scores)
    assert np.abs(answers[0] - answers[1]).max() > 1e-3
    with pytest.raises(ModelFolderError, match="columns of a table"):
        list(open_engine(model, CPU).run([picture]))


def test_other_scores_are_refused(tiny: Model) -> None:
    moved = dataclasses.replace(tiny.check, scores=np.roll(tiny.check.scores, 1, axis=1))
    tiny.__dict__["check"] = moved
    with pytest.raises(ModelFolderError, match="differs by"):
        open_engine(tiny, CPU)


def test_what_was_verified_is_remembered_for_that_model_only(tiny: Model, tmp_path: Path) -> None:
    open_engine(tiny, CPU)
    tiny.__dict__["check"] = None  # is not looked at again
    open_engine(tiny, CPU)
    other = write_tiny_model(tmp_path / "other", seed=1)
    other.__dict__["check"] = dataclasses.replace(other.check, scores=other.check.scores * 0.5)
    with pytest.raises(ModelFolderError):
        open_engine(other, CPU)


def test_lower_precision_must_agree_on_the_best_label(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    from vision_recipes.inference.openvino_network import OpenVinoSource

    monkeypatch.setattr(OpenVinoSource, "native", lambda self, precision: True)
    automatic = ComputeSettings(use_gpu="false")
    assert open_engine(tiny, automatic).precision == "bfloat16"
    monkeypatch.setattr(opening, "_same_labels", lambda check, scores: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path(tiny.store.name).parent / "another-cache"))
    assert open_engine(tiny, automatic).precision == "float32"
    with pytest.raises(ModelFolderError, match="other best labels"):
        open_engine(tiny, ComputeSettings(use_gpu="false", precision="bfloat16"))


def test_a_precision_that_the_processor_lacks_is_refused(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    from vision_recipes.inference.openvino_network import OpenVinoSource

    monkeypatch.setattr(OpenVinoSource, "native", lambda self, precision: precision == "float32")
    assert open_engine(tiny, ComputeSettings(use_gpu="false")).precision == "float32"
    with pytest.raises(DeviceError, match="no instructions"):
        open_engine(tiny, ComputeSettings(use_gpu="false", precision="bfloat16"))


def test_numbers_that_are_not_finite_are_an_error(tiny: Model) -> None:
    engine = open_engine(tiny, CPU)
    for slot in engine.slots:
        slot.collect = lambda seconds=None: np.full((len(engine.slots[0].pixels), 5), np.nan)  # type: ignore[method-assign]
    with pytest.raises(ModelFolderError, match="not finite"):
        list(engine.run(_pictures(1)))


def test_a_missing_ir_is_an_error_of_the_model_folder(tiny: Model) -> None:
    tiny.store.delete("/" + tiny.config.files.bin.name)
    with pytest.raises(ModelFolderError, match="missing"):
        open_engine(tiny, CPU)


def test_scoring_wakes_neither_tensorflow_nor_keras(tiny: Model) -> None:
    code = f"""
import sys
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_folder import open_model
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import LocalStore
assert not set(sys.modules) & {{"openvino", "pandas", "sklearn"}}, "imported too soon"
open_engine(open_model(LocalStore({str(tiny.store.name)!r})), ComputeSettings())
assert not set(sys.modules) & {{"tensorflow", "keras", "pandas", "sklearn", "h5py"}}, "woken"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_it_counts_on_as_many_cpus_as_python_is_said_to_have(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = [scores for _, scores in open_engine(tiny, CPU, batch=4).run(_pictures(9))]
    monkeypatch.setenv("PYTHON_CPU_COUNT", "1")
    assert cpu_count() == 1
    engine = open_engine(tiny, CPU, batch=4)
    assert len(engine.slots) == 2  # one under way, and one being filled
    assert np.array_equal(everything, [scores for _, scores in engine.run(_pictures(9))])
