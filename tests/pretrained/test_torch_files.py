"""Weights of PyTorch read as data: right numbers from whole files, a sentence for every other file, nothing ever run."""

import os
import pickle

import numpy as np
import pytest
from pretrained import torch_weights as made

from vision_recipes.errors import DownloadError
from vision_recipes.model_folder import catalogue
from vision_recipes.pretrained.packages import installed_file
from vision_recipes.pretrained.torch_files import read_tensors

ONE = np.zeros(6, "<f4")


@pytest.fixture
def read(tmp_path):
    def read_bytes(content):
        (tmp_path / "w.pth").write_bytes(content)
        return read_tensors(tmp_path / "w.pth")

    return read_bytes


def test_tensors_come_with_their_axes_in_order(read):
    found = read(made.small_file())
    assert found["a.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_array_equal(found["b"], np.arange(24).reshape(3, 2, 4).transpose(2, 0, 1))


def test_the_published_file_is_read():
    found = read_tensors(installed_file(catalogue.find(catalogue.DEFAULT)))
    assert len(found) == 296
    assert found["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert found["_blocks.11._depthwise_conv.weight"].shape == (672, 1, 5, 5)
    assert found["_bn0.num_batches_tracked"].dtype == np.int64


class Runs:
    def __reduce__(self):
        return os.system, ("touch ran",)


def one(value):
    return made.file_of(made.table({"a": value}), {"1": ONE})


def tuples(depth, kind=b"N"):
    """Tuples of the same tuple, 2 to the power of `depth` when somebody walks through them."""
    return kind + b"q\x00h\x00\x86" * depth


HOSTILE = {
    "a call": (pickle.dumps(Runs(), 2), "posix.system|nt.system"),
    "a call in the table": (one(pickle.dumps(Runs(), 2)[2:-1]), "posix.system|nt.system"),
    "a call of protocol 4": (one(b"\x8c\x02os\x8c\x06system\x93"), "SHORT_BINUNICODE"),
    "an instance": (one(b"(ios\nsystem\n"), "INST"),
    "a builtin": (one(b"cbuiltins\neval\n"), "builtins.eval"),
    "a name with dots": (one(b"ctorch\nFloatStorage.__class__\n"), "torch.FloatStorage.__class__"),
    "a list of names": (one(b"ctorch._utils\n_rebuild_tensor_v2\n)R"), "other arguments"),
    "an extension": (one(b"\x82\x01"), "EXT1"),
    "a buffer": (one(b"\x97"), "NEXT_BUFFER"),
    "a state for an object": (one(b"}}b"), "something else than tensors"),
    "a storage of another kind": (one(made.tensor(made.storage("1", 6, b"cbuiltins\neval\n"), (6,), (1,))), "eval"),
    "a storage elsewhere": (one(made.tensor(made.storage("1", 6, view=b"]"), (6,), (1,))), "outside itself"),
    "tuples without end as a kind": (one(made.tensor(made.storage("1", 6, tuples(60)), (6,), (1,))), "outside itself"),
    "tuples without end as a size": (
        one(b"ctorch._utils\n_rebuild_tensor_v2\n(" + made.storage("1", 6) + b"K\x00" + tuples(60) + b")\x89}tR"),
        "not a size|without a shape",
    ),
    "a number of many digits": (b"\x80\x02\x8a\xff" + b"\x7f" * 255 + b".", "2,0.. bits"),
    "a huge number": (b"\x80\x02\x8b\xff\xff\xff\x7f" + b"\x01" * 50 + b".", "not enough data"),
    "a long text": (one(made.text("x" * 5000)), "5,000 characters"),
    "steps without end": (b"\x80\x02" + b"N" * 200_001 + b".", "200,000 steps"),
    "more numbers than there are": (
        made.file_of(made.table({"a": made.tensor(made.storage("1", 2**31 - 1), (6,), (1,))}), {"1": ONE}),
        "cut off or damaged",
    ),
    "a tensor past its numbers": (one(made.tensor(made.storage("1", 6), (7,), (1,))), "more than the 6 numbers"),
    "an offset past its numbers": (one(made.tensor(made.storage("1", 6), (6,), (1,), 1)), "buffer"),
    "strides past its numbers": (one(made.tensor(made.storage("1", 6), (2, 3), (1000, 1))), "strides"),
    "a negative stride": (one(made.tensor(made.storage("1", 6), (6,), (-1,))), "-1 is not a size"),
    "a negative side": (one(made.tensor(made.storage("1", 6), (-6,), (1,))), "-6 is not a size"),
    "a tensor of any size": (one(made.tensor(made.storage("1", 6), (2**30, 2**30), (0, 0))), "more than the 6 numbers"),
    "many dimensions": (one(made.tensor(made.storage("1", 6), (1,) * 40, (1,) * 40)), "without a shape"),
    "numbers of nobody": (made.file_of(made.table({"a": made.tensor(made.storage("1", 6), (6,), (1,))}), {"2": ONE}), "not those"),
    "no tensors": (made.file_of(made.table({}), {}), "something else than tensors"),
    "a name twice": (
        made.file_of(
            b"\x80\x02" + made.ORDERED_DICT + b"(" + 2 * (made.text("a") + b"N") + b"u.", {}
        ),
        "given twice",
    ),
    "bytes after the end": (made.small_file() + b"x", "1 bytes come after its end"),
    "another magic number": (pickle.dumps(5, 2) * 3, "does not begin"),
    "nothing": (b"", "exhausted"),
    "a zip archive": (b"PK\x03\x04" + bytes(100), "not a table of tensors"),
    "a web page": (b"<html><body>Not found</body></html>", "not a table of tensors"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_table_of_tensors_is_refused_and_nothing_runs(kind, read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, reason = HOSTILE[kind]
    with pytest.raises(DownloadError, match=reason) as caught:
        read(content)
    assert "is not a table of tensors" in str(caught.value)
    assert len(str(caught.value)) < 500
    assert [path.name for path in tmp_path.iterdir()] == ["w.pth"]


def test_a_file_cut_anywhere_is_refused(read):
    whole = made.small_file()
    for length in range(len(whole)):
        with pytest.raises(DownloadError):
            read(whole[:length])


def test_any_flipped_byte_gives_numbers_or_a_sentence(read):
    whole, draw = made.small_file(), np.random.default_rng(0)
    for _try in range(1500):
        damaged = bytearray(whole)
        for place in draw.integers(0, len(whole), draw.integers(1, 4)):
            damaged[place] = draw.integers(256)
        try:
            found = read(bytes(damaged))
        except DownloadError:
            continue
        assert sum(values.size for values in found.values()) <= 60
