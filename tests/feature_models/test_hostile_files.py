"""Feature models from untrusted sources: each is refused by the name of its file, and nothing in it is executed."""

import hashlib
import io
import json
import os
import pickle
import shutil
import zipfile

import numpy as np
import pytest
from feature_models.feature_tables import labelled, train

from vision_recipes.errors import ModelFolderError
from vision_recipes.feature_models.feature_model_folder import open_feature_model
from vision_recipes.model_folder.checks import write_npz
from vision_recipes.stores import LocalStore


class Bomb:
    """What a pickle that is opened would do."""

    def __reduce__(self):
        return (os.mkdir, ("executed",))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train(labelled(60), LocalStore(folder), models=["forest"], search_minutes=0)
    return folder


@pytest.fixture
def folder(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy = tmp_path / "model"
    shutil.copytree(trained, copy)
    return copy


def config(folder):
    return json.loads((folder / "config.json").read_text(encoding="utf-8"))


def put(folder, content=None, **changes):
    """Write a model's file with a config that vouches for it."""
    data = config(folder) | changes
    if content is not None:
        (folder / data["model"]["name"]).write_bytes(content)
        data["model"] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "config.json").write_text(json.dumps(data), encoding="utf-8")


def arrays(folder):
    with np.load(folder / config(folder)["model"]["name"]) as found:
        return dict(found)


def changed(name, change):
    def make(folder):
        values = arrays(folder)
        values[name] = change(values[name].copy())
        shapes = {one: list(array.shape) for one, array in values.items()}
        put(folder, write_npz(values), arrays=shapes)

    return make


def archived(*members, compression=zipfile.ZIP_DEFLATED):
    def make(folder):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", compression) as archive:
            for name, content in members:
                archive.writestr(name, content)
        put(folder, stream.getvalue())

    return make


def npy(values):
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=True)
    return stream.getvalue()


def header(text):
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def members(folder, **replaced):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, values in arrays(folder).items():
            archive.writestr(f"{name}.npy", replaced.get(name, npy(values)))
    put(folder, stream.getvalue())


def replaced(name, content):
    return lambda folder: members(folder, **{name: content() if callable(content) else content})


def pointing(place, value):
    def change(values):
        values[place] = value
        return values

    return change


def written(text):
    return lambda folder: (folder / "config.json").write_text(text, encoding="utf-8")


def twice(folder):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, values in arrays(folder).items():
            archive.writestr(f"{name}.npy", npy(values))
        with pytest.warns(UserWarning):
            archive.writestr("roots.npy", npy(np.array([Bomb()], object)))
    put(folder, stream.getvalue())


def named(name):
    def make(folder):
        data = config(folder)
        put(folder, model=data["model"] | {"name": name})

    return make


def alone(name):
    def make(folder):
        for path in folder.iterdir():
            path.unlink()
        (folder / name).write_bytes(pickle.dumps(Bomb()))

    return make


def cut_off(folder):
    path = folder / config(folder)["model"]["name"]
    path.write_bytes(path.read_bytes()[:-100])


def wider(folder):
    data = config(folder)
    put(folder, vector=data["vector"] | {"length": 7})


def more_classes(folder):
    put(folder, classes=[*config(folder)["classes"], "another"])


HOSTILE = {
    "a pickle in place of the arrays": (lambda folder: put(folder, pickle.dumps(Bomb())), "is a pickle"),
    "an old pickle": (lambda folder: put(folder, pickle.dumps(Bomb(), protocol=0)), "npz .*cannot be read"),
    "a pickle inside the archive": (archived(("data.pkl", pickle.dumps(Bomb()))), "npz .*cannot be read"),
    "a pickle called as an array": (replaced("roots", lambda: pickle.dumps(Bomb())), "npz .*cannot be read"),
    "an array of objects": (replaced("values", lambda: npy(np.array([Bomb()], object))), "npz .*cannot be read"),
    "a structured array with objects": (
        replaced("start", lambda: npy(np.zeros(1, [("a", object)]))),
        "npz .*cannot be read",
    ),
    "a skops file": (
        archived(("schema.json", '{"__class__": "eval", "__module__": "builtins", "__loader__": "MethodNode"}')),
        "npz .*cannot be read",
    ),
    "only a joblib file": (alone("model.joblib"), "model.joblib is not opened"),
    "only a pickle": (alone("model.pkl"), "model.pkl is not opened"),
    "only a skops file": (alone("model.skops"), "model.skops is not opened"),
    "a path out of the folder": (named("../model.npz"), "config.json .*plain file name"),
    "a pickle that the config names": (named("model.pkl"), "config.json .*not a .npz file"),
    "a member with a path": (archived(("../../roots.npy", npy(np.zeros(3)))), "npz .*cannot be read"),
    "a member twice": (twice, "npz .*cannot be read"),
    "a bomb of zeros": (archived(("roots.npy", b"\0" * (64 << 20))), "npz .*cannot be read"),
    "a header of a giant array": (
        replaced("roots", header("{'descr': '<i4', 'fortran_order': False, 'shape': (1099511627776,), }\n")),
        "npz .*cannot be read",
    ),
    "a header of giant items": (
        replaced("roots", header("{'descr': '|S2000000000', 'fortran_order': False, 'shape': (1,), }\n")),
        "npz .*cannot be read",
    ),
    "a header that calls something": (
        replaced("roots", header("{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (1,), }\n")),
        "npz .*cannot be read",
    ),
    "a file that is cut off": (cut_off, "npz .*is not the file"),
    "a node that leads back": (changed("left", pointing(-1, 0)), "npz .*lead on to later ones"),
    "a node out of the tree": (changed("right", pointing(0, 1 << 30)), "npz .*lead on to later ones"),
    "a feature that there is not": (changed("feature", pointing(0, 1 << 20)), "npz .*feature are out of range"),
    "a root below 0": (changed("roots", pointing(0, -5)), "npz .*roots are out of range"),
    "numbers that are not finite": (changed("values", pointing((0, 0), np.nan)), "npz .*not finite"),
    "an array of another type": (changed("threshold", lambda values: values.astype(np.float16)), "npz .*"),
    "vectors of another length": (wider, "npz .*basis_mean is"),
    "more classes than values": (more_classes, "npz .*start is"),
    "sizes below 0": (lambda folder: put(folder, arrays=config(folder)["arrays"] | {"roots": [-1]}), "config.json"),
    "giant sizes": (lambda folder: put(folder, arrays=config(folder)["arrays"] | {"roots": [1 << 60]}), "config.json"),
    "an unknown kind": (lambda folder: put(folder, kind="os.system"), "config.json .*kind 'os.system'"),
    "an unknown key": (lambda folder: put(folder, __reduce__="os.system"), "config.json .*__reduce__ is not a known"),
    "a config that is too deep": (written('{"a":' * 100_000), "config.json .*not valid JSON"),
    "a config with a key twice": (written('{"format": "a", "format": "b"}'), "config.json .*given twice"),
    "a config with infinity": (written('{"format": Infinity}'), "config.json .*not a number"),
    "another format": (written('{"format": "pickle", "version": 1}'), "config.json .*has format 'pickle'"),
    "a picture model": (written('{"format": "vision-recipes model"}'), "a model of pictures"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused_by_name(name, folder):
    make, words = HOSTILE[name]
    make(folder)
    with pytest.raises(ModelFolderError, match=words):
        open_feature_model(LocalStore(folder))
    assert not (folder.parent / "executed").exists()


def test_the_bomb_would_go_off(folder):
    pickle.loads(pickle.dumps(Bomb()))
    assert (folder.parent / "executed").exists()


def test_the_model_itself_opens(folder):
    assert open_feature_model(LocalStore(folder)).config.classes == ("c0", "c1", "c2")
