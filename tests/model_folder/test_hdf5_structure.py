"""Files whose structure is a trap are refused at once, by the name of the entry, with the caller's next step."""

import zlib

import h5py
import numpy as np
import pytest

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.hdf5 import open_hdf5, read_values


def groups_in_each_other(file):
    groups = [file.create_group(f"g{number}") for number in range(20)]
    for group in groups:
        for number, other in enumerate(groups):
            group[f"link{number}"] = other


def group_in_itself(file):
    file["a/b/c"] = file.create_group("a/b")


def root_in_a_group(file):
    file.create_group("a")["top"] = file["/"]


def one_array_twice(file):
    file["first"] = np.zeros(4)
    file["second"] = file["first"]


def nested_deeply(file):
    for _ in range(300):
        file = file.create_group("a")


def many_groups(file):
    for outer in range(120):
        group = file.create_group(f"g{outer}")
        for inner in range(120):
            group.create_group(f"x{inner}")


def packed_zeros(file):
    file.create_dataset("x", data=np.zeros((8000, 8000), np.float32), compression="gzip", chunks=(1000, 8000))


def never_written(file):
    file.create_dataset("x", (200_000, 20_000), np.float32)


def many_small_zeros(file):
    for number in range(2000):
        file.create_dataset(str(number), (500, 500), np.float32, chunks=(500, 500))


def many_pieces(file):
    file.create_dataset("x", (1000, 1000), np.float32, chunks=(1, 1))


def other_filter(file):
    file.create_dataset("x", (200, 200), np.int32, chunks=(20, 20), scaleoffset=4)


def twice_packed(file):
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((1000,))
    created.set_deflate(9)
    created.set_deflate(9)
    space = h5py.h5s.create_simple((1000,))
    h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, space, created)


def packed_the_other_way_round(file):
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((1000,))
    created.set_deflate(9)
    created.set_shuffle()
    h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((1000,)), created)


def named_type(file):
    file["x"] = np.dtype("f8")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (groups_in_each_other, "'link0' is the same object as another entry"),
        (group_in_itself, "'c' is the same object"),
        (root_in_a_group, "'top' is the same object"),
        (one_array_twice, "'second' is the same object"),
        (nested_deeply, "levels deep"),
        (many_groups, "more than 12000 entries"),
        (packed_zeros, "'x' brings the arrays to 256,000,000 bytes in a file of"),
        (never_written, "'x' brings the arrays to 16,000,000,000 bytes"),
        (many_small_zeros, "brings the arrays to"),
        (many_pieces, "'x' is stored in 1,000,000 pieces"),
        (other_filter, "packed with filter 6, where shuffle"),
        (twice_packed, "packed with gzip, gzip"),
        (packed_the_other_way_round, "packed with gzip, shuffle, where"),
        (named_type, "'x' is no array"),
    ],
)
def test_traps_are_refused_by_the_name_of_the_entry(tmp_path, make, message):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        make(file)
    with (
        pytest.raises(ModelFolderError, match=f"(?s)^weights.h5.*{message}.* Do this[.]$"),
        open_hdf5(tmp_path / "w.h5", "weights.h5", "Do this."),
    ):
        pass


def test_what_is_ordinary_is_read(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("packed", data=np.ones((1000, 1000), np.float32), compression="gzip", shuffle=True)
        file.create_dataset("lzf", data=np.arange(10_000.0), compression="lzf", fletcher32=True)
        file.attrs["layer_names"] = np.array([b"first", b"second"])
        file.attrs["model_config"] = b"{" + b" " * 100_000 + b"}"
        file.attrs.create("names", np.array(["one", "two"], dtype=object), dtype=h5py.string_dtype())
    with open_hdf5(tmp_path / "w.h5", "w.h5") as file:
        assert file["packed"][0, 0] == 1


def test_a_cut_file_says_how_much_is_missing_and_no_message_has_a_path(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["x"] = np.zeros(10_000)
        file.create_dataset("packed", data=np.arange(10_000.0), chunks=(1000,), compression="gzip")
    whole = (tmp_path / "w.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[:9000])
    with (
        pytest.raises(ModelFolderError, match=f"^w.h5 is cut off: it has 9,000 of its {len(whole):,} bytes"),
        open_hdf5(tmp_path / "cut.h5", "w.h5"),
    ):
        pass
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file["packed"].id.write_direct_chunk((0,), zlib.compress(b"nothing")[:-4])
    with (
        pytest.raises(ModelFolderError, match="w.h5 is damaged") as caught,
        open_hdf5(tmp_path / "w.h5", "w.h5") as file,
    ):
        file["packed"][:]
    assert str(tmp_path) not in str(caught.value)


def test_a_piece_that_unpacks_to_more_than_it_should_is_refused(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("x", (1000,), np.float32, chunks=(1000,), compression="gzip", shuffle=True)
        file["x"].id.write_direct_chunk((0,), zlib.compress(b"\0" * (200 << 20)))
        file.create_dataset(
            "y", data=np.random.default_rng(1).normal(size=100_000), chunks=(50_000,), compression="gzip"
        )
    with open_hdf5(tmp_path / "w.h5", "w.h5") as file:
        assert len(read_values(file["y"], "y")) == 100_000
    with (
        pytest.raises(ModelFolderError, match="^x has a piece that unpacks to more than its 4,000 bytes. Do this.$"),
        open_hdf5(tmp_path / "w.h5", "w.h5", "Do this.") as file,
    ):
        read_values(file["x"], "x")
