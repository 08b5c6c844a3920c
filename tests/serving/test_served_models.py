"""Models served to several clients at once: the recipe's answers, bounds, failures that cost one picture, a good end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from images.files import encoded, picture
from inference.tiny import write_tiny_model
from PIL import Image

from vision_recipes.images.picture_decoder import PictureDecoder
from vision_recipes.serving import picture_threads, served_models
from vision_recipes.serving.compiled_forms import vectors
from vision_recipes.serving.scorer import Scorer
from vision_recipes.serving.served_models import Overloaded, ScoringFailed, ServedModels
from vision_recipes.serving.serving_limits import PICTURE, ServingLimits
from vision_recipes.stores import LocalStore

CONTENTS = [encoded(picture(20 + number, 40), "PNG") for number in range(9)]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(tmp_path / "cache"))
    write_tiny_model(tmp_path / "model")
    return LocalStore(tmp_path / "model")


@pytest.fixture
def held_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """No network computes until this is set."""
    event = threading.Event()

    def waiting(*arguments):
        assert event.wait(30)
        return vectors(*arguments)

    monkeypatch.setattr(picture_threads, "vectors", waiting)
    yield event
    event.set()


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Decoding the file b"hang" takes until this is set."""
    event, decode = threading.Event(), PictureDecoder.picture

    def picture_of(self, path, content, preprocessing=None):
        if content() == b"hang":
            event.wait(30)
        return decode(self, path, content, preprocessing)

    monkeypatch.setattr(PictureDecoder, "picture", picture_of)
    monkeypatch.setattr(picture_threads, "_TICK", 0.01)
    yield event
    event.set()


@pytest.mark.parametrize("extra", [False, True])
def test_answers_are_those_of_the_scorer(tmp_path: Path, store: LocalStore, extra: bool) -> None:
    other = write_tiny_model(tmp_path / "other", 1, extra=extra)
    contents, cells = [*CONTENTS, b"", b"hello"], {"price": "9", "town": "Rome"} if extra else None
    models = ServedModels({"a": store, "b": other.store})
    assert models.names() == ["a", "b"] and models.get("b").version == other.folder_hash
    assert models.get("b").labels == other.label_keys
    futures = [
        (models.get("a").submit(content), models.get("b").submit(content, cells))
        for _ in range(3)
        for content in contents
    ]
    expected = [one.row for one in Scorer(models._folders[0].current.model).score(contents)]
    others = [one.row for one in Scorer(other).score(contents, [cells] * len(contents))]
    assert [future.result(30).row for future, _ in futures] == 3 * expected
    assert [future.result(30).row for _, future in futures] == 3 * others
    models.close(1.0)


def test_pixels_skip_the_decoder(store: LocalStore) -> None:
    models = ServedModels({"a": store}, features=True)
    served = models.get("a")
    pixels = np.zeros((served.height, served.width, 3), np.uint8)
    scored = served.submit_pixels(pixels).result(30)
    assert scored.row["error"] == 0 and scored.features is not None
    for wrong in (pixels.astype(np.float32), pixels[1:]):
        with pytest.raises(ValueError, match="this model takes uint8"):
            served.submit_pixels(wrong)
    models.close(1.0)


def test_the_queue_is_bounded_in_pictures_and_in_bytes(store: LocalStore, held_back: threading.Event) -> None:
    models = ServedModels({"a": store}, limits=ServingLimits(pictures=2))
    served = models.get("a")
    accepted = [served.submit(CONTENTS[0]), served.submit(CONTENTS[1])]
    with pytest.raises(Overloaded) as refused:
        served.submit(CONTENTS[2])
    assert 1 <= refused.value.retry_after_seconds <= 60
    held_back.set()
    assert [future.result(30).row["error"] for future in accepted] == [0, 0]
    assert served.submit(CONTENTS[2]).result(30).row["error"] == 0
    models.close(1.0)
    models = ServedModels({"a": store}, limits=ServingLimits(bytes=1))
    assert models.get("a").submit(CONTENTS[0]).result(30).row["error"] == 0, "one alone always finds room"
    models.close(1.0)


def test_a_network_that_fails_costs_the_pictures_it_fails_for(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    white, black = (encoded(Image.new("RGB", (24, 16), (value,) * 3), "PNG") for value in (255, 0))

    def failing(slot, pictures, columns):
        if any(pixels.min() == 255 for pixels in pictures):
            raise RuntimeError("out of memory")
        found = vectors(slot, pictures, columns)
        found[[pixels.max() == 0 for pixels in pictures]] = np.nan
        return found

    monkeypatch.setattr(picture_threads, "vectors", failing)
    models = ServedModels({"a": store})
    served = models.get("a")
    futures = {
        name: served.submit(content) for name, content in (("white", white), ("black", black), ("good", CONTENTS[0]))
    }
    with pytest.raises(ScoringFailed, match="'tiny' gave no answer for this picture: out of memory"):
        futures["white"].result(30)
    with pytest.raises(ScoringFailed, match="not finite"):
        futures["black"].result(30)
    assert futures["good"].result(30).row["error"] == 0
    models.close(1.0)


def test_a_decoder_that_hangs_costs_its_picture(store: LocalStore, hanging: threading.Event) -> None:
    models = ServedModels({"a": store}, limits=ServingLimits(replace(PICTURE, read_seconds=0.2)))
    served = models.get("a")
    hung = [served.submit(b"hang") for _ in range(3)]
    assert [future.result(30).row["reason"] for future in hung] == ["timeout"] * 3
    assert [served.submit(content).result(30).row["error"] for content in CONTENTS] == [0] * 9
    hanging.set()
    models.close(5.0)
    assert models.waiting() == 0


def test_more_hanging_decoders_than_are_replaced_go_on_when_they_hang_no_more(
    store: LocalStore, hanging: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_threads, "_LEFT_BEHIND", 1)
    monkeypatch.setattr(picture_threads, "cpu_count", lambda: 2)
    models = ServedModels({"a": store}, limits=ServingLimits(replace(PICTURE, read_seconds=0.2)))
    served = models.get("a")
    hung = [served.submit(b"hang") for _ in range(3)]
    assert [future.result(30).row["reason"] for future in hung] == ["timeout"] * 3
    hanging.set()
    assert [served.submit(content).result(30).row["error"] for content in CONTENTS] == [0] * 9
    models.close(5.0)


def test_a_picture_that_nobody_waits_for_is_not_decoded(store: LocalStore, held_back: threading.Event) -> None:
    models = ServedModels({"a": store})
    served = models.get("a")
    futures = [served.submit(content) for content in CONTENTS * 4]
    assert futures[-1].cancel()
    held_back.set()
    assert [future.result(30).row["error"] for future in futures[:-1]] == [0] * 35
    models.close(5.0)
    assert models.waiting() == 0


def test_the_end_answers_what_was_accepted(store: LocalStore, held_back: threading.Event) -> None:
    models = ServedModels({"a": store})
    served = models.get("a")
    futures = [served.submit(content) for content in CONTENTS]
    ending = threading.Thread(target=models.close, args=(30.0,))
    ending.start()
    models._ended.wait(30)
    held_back.set()
    ending.join(30)
    assert [future.result(0).row["error"] for future in futures] == [0] * 9
    with pytest.raises(Overloaded):
        served.submit(CONTENTS[0])


def test_the_end_waits_no_longer_than_the_grace_time(store: LocalStore, held_back: threading.Event) -> None:
    models = ServedModels({"a": store})
    futures = [models.get("a").submit(content) for content in CONTENTS * 4]
    assert futures[-1].cancel()  # its client has left
    models.close(0.1)
    with pytest.raises(ScoringFailed, match="ended before"):
        futures[0].result(0)


def test_a_changed_folder_is_swapped_in_without_a_failed_picture(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_models, "_LOOK", 0.01)
    models = ServedModels({"a": store})
    served, first = models.get("a"), models.get("a").version
    before = served.submit(CONTENTS[0]).result(30).row
    write_tiny_model(store.root, 1)
    rows = []
    while not served.swaps:
        rows.append(served.submit(CONTENTS[0]).result(30).row)
    after = served.submit(CONTENTS[0]).result(30).row
    assert served.version != first and after != before
    assert [row for row in rows if row not in (before, after)] == []
    models.close(5.0)
