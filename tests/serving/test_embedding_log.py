"""The log of embeddings: what is written comes back, within bounds, and nothing else is believed."""

import time

import numpy as np
import pytest
from inference.memory_store import MemoryStore

from vision_recipes.errors import EmbeddingLogError
from vision_recipes.model_folder.checks import write_npz
from vision_recipes.serving import embedding_log
from vision_recipes.serving.embedding_log import EmbeddingLog, read_embedding_log
from vision_recipes.stores import LocalStore

MODEL, OTHER, WIDTH = "ab" * 32, "cd" * 32, 5


def rows(count, start=0):
    features = np.random.default_rng(start).normal(size=(count, WIDTH)).astype(np.float16).astype(np.float32)
    numbers = range(start, start + count)
    return features, [f"día {n % 3}" for n in numbers], [n / 1e5 for n in numbers], ["known"] * count, list(numbers)


def write(store, count, model=MODEL, most=20_000, start=0):
    log = EmbeddingLog(store, model, most)
    log.add(*rows(count, start))
    log.close()


def test_what_is_written_comes_back_oldest_first(tmp_path):
    log = EmbeddingLog(LocalStore(tmp_path), MODEL)
    for start in range(0, 2400, 400):
        log.add(*rows(400, start))
    log.close()
    found = read_embedding_log(LocalStore(tmp_path), MODEL, WIDTH)
    assert [*found.times] == [*range(2400)] and found.labels[1] == "día 1" and set(found.verdicts) == {"known"}
    assert (found.features[400:800] == rows(400, 400)[0]).all() and found.features.dtype == np.float32
    assert found.probabilities[7] == np.float32(7e-5)
    assert len(list(tmp_path.iterdir())) == 3
    assert [*read_embedding_log(LocalStore(tmp_path), MODEL, WIDTH, rows=30).times] == [*range(2370, 2400)]


def test_pictures_reach_the_folder_though_no_others_come(monkeypatch):
    store = MemoryStore()
    monkeypatch.setattr(embedding_log, "_SECONDS", 0.01)
    log = EmbeddingLog(store, MODEL)
    for start in range(3):
        log.add(*rows(1, start))
        until = time.monotonic() + 10
        while [name[-8:] for name in list(store.files)] != [f"{start + 1:04d}.npz"] and time.monotonic() < until:
            time.sleep(0.01)
        assert len(read_embedding_log(store, MODEL, WIDTH)) == start + 1 and len(store.files) == 1
    log.close()


def test_the_oldest_pictures_go_beyond_the_bound():
    store = MemoryStore()
    for start in range(0, 5000, 100):  # a process that is started again and again
        write(store, 100, most=1000, start=start)
    assert [*read_embedding_log(store, MODEL, WIDTH).times] == [*range(4000, 5000)]
    write(store, 2600, most=1000, start=5000)
    assert len(read_embedding_log(store, MODEL, WIDTH)) <= 1000


def test_features_that_half_precision_cannot_hold():
    store = MemoryStore()
    log = EmbeddingLog(store, MODEL)
    log.add(np.array([[1e6] * WIDTH, [np.nan] * WIDTH]), ["a", "b"], [1, 1], ["", ""], [1, 2])
    log.close()
    found = read_embedding_log(store, MODEL, WIDTH)
    assert found.labels == ("a",) and (found.features == 65504).all()


def test_a_folder_that_cannot_be_written_to_disturbs_nobody(caplog):
    class Full(MemoryStore):
        def write(self, path, content):
            raise OSError("no space")

    write(Full(), 2500)
    assert caplog.text.count("no space") == len(caplog.records) == 1


def test_the_first_features_are_enough():
    store = MemoryStore()
    log = EmbeddingLog(store, MODEL, width=3)
    log.add(*rows(4))
    log.close()
    assert (read_embedding_log(store, MODEL, 2).features == rows(4)[0][:, :2]).all()
    with pytest.raises(EmbeddingLogError, match="features are .4, 3., where the model has 5"):
        read_embedding_log(store, MODEL, WIDTH)


def test_files_that_lie_around_are_left_alone():
    store = MemoryStore()
    store.files["/keep.txt"] = b"mine"
    write(store, 3000, most=1000)
    assert "/keep.txt" in store.files and len(store.files) == 2


def test_the_log_of_another_model_is_named():
    store = MemoryStore()
    with pytest.raises(EmbeddingLogError, match="no log at all"):
        read_embedding_log(store, MODEL, WIDTH)
    write(store, 3, OTHER)
    with pytest.raises(EmbeddingLogError, match=f"only of other models .{OTHER[:16]}.*{MODEL[:16]}"):
        read_embedding_log(store, MODEL, WIDTH)
    write(store, 2)
    assert len(read_embedding_log(store, MODEL, WIDTH)) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-40],
        lambda content: b"",
        lambda content: write_npz({"features": np.zeros((2, WIDTH), np.float16)}),
        lambda content: forged(features=np.zeros((2, WIDTH - 1), np.float16)),
        lambda content: forged(features=np.zeros((2000, WIDTH), np.float16)),
        lambda content: forged(features=np.full((2, WIDTH), np.inf, np.float16)),
        lambda content: forged(times=np.zeros(3)),
        lambda content: forged(texts=b'{"model": "%s", "labels": ["a", 2], "verdicts": ["", ""]}'),
        lambda content: forged(texts=b'{"model": "other", "labels": ["a", "b"], "verdicts": ["", ""]}'),
        lambda content: forged(texts=b"[" * 5000),
        lambda content: forged(texts=b"3"),
    ],
)
def test_a_damaged_file_is_named(spoil):
    store = MemoryStore()
    write(store, 2)
    (path,) = store.files
    store.files[path] = spoil(store.files[path])
    with pytest.raises(EmbeddingLogError, match=rf"{path}.* Delete that file"):
        read_embedding_log(store, MODEL, WIDTH)


def forged(features=None, times=None, texts=b""):
    told = texts.replace(b"%s", MODEL.encode()) or b'{"model": "%s", "labels": ["a", "b"], "verdicts": ["", ""]}'
    return write_npz(
        {
            "features": np.zeros((2, WIDTH), np.float16) if features is None else features,
            "probabilities": np.zeros(2, np.float32),
            "times": np.zeros(2) if times is None else times,
            "texts": np.frombuffer(told.replace(b"%s", MODEL.encode()), np.uint8),
        }
    )
