"""Weights files: only what lies in the file itself is read, and only numbers that fit."""

import pickle

import h5py
import numpy as np
import pytest

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder import weights
from vision_recipes.model_folder.hdf5 import StoredLayer, open_hdf5, read_stored, read_values, write_stored

LAYERS = {
    "first": StoredLayer("conv2d", [np.ones((3, 3, 3, 4), np.float32), np.zeros(4, np.float32)]),
    "nothing": StoredLayer("activation", []),
    "outer": StoredLayer("sequential", []),
    "outer/inner": StoredLayer("sequential/conv2d", [np.full((1, 1, 4, 2), 2.0, np.float32)]),
    "second": StoredLayer("conv2d", [np.arange(4, dtype=np.float32)]),
    "count": StoredLayer("normalization", [np.int64(3)]),
}


@pytest.mark.parametrize("pack", [False, True])
def test_layers_are_read_by_name_with_their_kinds(tmp_path, pack):
    write_stored(tmp_path / "w.h5", LAYERS, pack=pack)
    with open_hdf5(tmp_path / "w.h5", "w.h5") as file:
        stored = read_stored(file, "w.h5")
        assert {name: layer.kinds for name, layer in stored.items()} == {n: layer.kinds for n, layer in LAYERS.items()}
        for name, layer in stored.items():
            for found, written in zip(layer.variables, LAYERS[name].variables, strict=True):
                np.testing.assert_array_equal(read_values(found, name), written)


def test_the_same_layers_give_the_same_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        write_stored(tmp_path / name, LAYERS, pack=True)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_places_are_those_of_keras(tmp_path):
    write_stored(tmp_path / "w.h5", LAYERS)
    with h5py.File(tmp_path / "w.h5") as file:
        assert set(file["layers"]) == {"conv2d", "conv2d_1", "activation", "sequential", "normalization"}
        assert set(file["layers/sequential/layers"]) == {"conv2d"}


def soft_link(file, other):
    file["layers/conv2d/vars/1"] = h5py.SoftLink("/layers/conv2d/vars/0")


def external_link(file, other):
    file["layers/conv2d/vars/1"] = h5py.ExternalLink(str(other), "/secret")


def external_storage(file, other):
    file.create_dataset("layers/conv2d/vars/1", (4,), np.float32, external=[(str(other), 0, 16)])


def virtual(file, other):
    layout = h5py.VirtualLayout((4,), np.float32)
    layout[:] = h5py.VirtualSource(str(other), "secret", (4,))
    file.create_virtual_dataset("layers/conv2d/vars/1", layout)


@pytest.mark.parametrize("evil", [soft_link, external_link, external_storage, virtual])
def test_data_from_elsewhere_is_refused(tmp_path, evil):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.arange(4, dtype=np.float32)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["layers/conv2d/vars/0"] = np.zeros(4, np.float32)
        file["layers/conv2d/vars"].attrs["name"] = "first"
        evil(file, other)
    with pytest.raises(ModelFolderError, match="refused"), open_hdf5(tmp_path / "w.h5", "w.h5") as file:
        read_stored(file, "w.h5")


@pytest.mark.parametrize(
    "content", [b"", b"<html>Not found</html>", b"\x89HDF\r\n\x1a\n" + b"\0" * 100], ids=["empty", "html", "cut"]
)
def test_what_is_no_hdf5_is_named_with_its_size(tmp_path, content):
    (tmp_path / "w.h5").write_bytes(content)
    message = f"w.h5 \\({len(content)} bytes\\) is cut off or is not an HDF5"
    with pytest.raises(ModelFolderError, match=message), open_hdf5(tmp_path / "w.h5", "w.h5"):
        pass


@pytest.mark.parametrize(
    "values", [np.array([1.0, np.nan]), np.array([np.inf]), np.array([b"text"]), np.array([1 + 2j])]
)
def test_only_finite_numbers_are_read(tmp_path, values):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["x"] = values
    with h5py.File(tmp_path / "w.h5") as file, pytest.raises(ModelFolderError, match="not finite|not numbers"):
        read_values(file["x"], "w.h5: layer 'x'")


def test_layers_without_names_or_with_gaps_are_refused(tmp_path):
    write_stored(tmp_path / "w.h5", LAYERS)
    with h5py.File(tmp_path / "w.h5", "a") as file:
        del file["layers/conv2d/vars"].attrs["name"]
    with open_hdf5(tmp_path / "w.h5", "w.h5") as file, pytest.raises(ModelFolderError, match="no name of its own"):
        read_stored(file, "w.h5")
    write_stored(tmp_path / "v.h5", LAYERS)
    with h5py.File(tmp_path / "v.h5", "a") as file:
        del file["layers/conv2d/vars/0"]
    with open_hdf5(tmp_path / "v.h5", "v.h5") as file, pytest.raises(ModelFolderError, match="not numbered"):
        read_stored(file, "v.h5")


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_pickles_in_attributes_are_never_loaded(tmp_path):
    write_stored(tmp_path / "w.h5", LAYERS)
    evil = np.void(pickle.dumps(Evil(tmp_path / "ran"), protocol=0))
    with h5py.File(tmp_path / "w.h5", "a") as file:
        for item in (file, file["layers"], file["layers/conv2d/vars"], file["layers/conv2d/vars/0"]):
            for name in ("CLASS", "TITLE", "FILTERS", "evil"):
                item.attrs[name] = evil
    with open_hdf5(tmp_path / "w.h5", "w.h5") as file:
        for layer in read_stored(file, "w.h5").values():
            for item in layer.variables:
                read_values(item, "w.h5")
    assert not (tmp_path / "ran").exists()
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file["layers/conv2d/vars"].attrs["name"] = evil
    with open_hdf5(tmp_path / "w.h5", "w.h5") as file, pytest.raises(ModelFolderError, match="no name of its own"):
        read_stored(file, "w.h5")
    assert not (tmp_path / "ran").exists()


class OneLayer:
    """As much of a Keras network as giving it weights takes: one layer with one variable."""

    class Dense:
        name = "dense"
        given = None

        def save_own_variables(self, store):
            store["0"] = np.zeros((2, 3), np.float32)

        def load_own_variables(self, store):
            self.given = store["0"]

    def __init__(self):
        self.layers = [self.Dense()]


def test_a_shape_that_does_not_fit_is_refused_unread(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("layers/dense/vars/0", (1 << 10, 1 << 11), np.float32, chunks=(1024, 1024))
        file["layers/dense/vars"].attrs["name"] = "dense"
    network = OneLayer()
    with (
        pytest.raises(
            ModelFolderError, match=r"'dense' needs \[\(2, 3\)\] and has shapes \[\(1024, 2048\)\]. Do this."
        ),
        open_hdf5(tmp_path / "w.h5", "w.h5", "Do this.") as file,
    ):
        stored = {name: layer.variables for name, layer in read_stored(file, "w.h5").items()}
        weights.set_weights(network, stored, "w.h5")
    assert network.layers[0].given is None
