"""Writing a model folder: complete or not at all, the previous model stays until the new one is in place."""

import json
from pathlib import Path

import numpy as np
import pytest
from model_folder.small import GRAPH, INPUT, LABELS, local, write_small_model

from vision_recipes.errors import ModelFolderError, OutputError
from vision_recipes.model_folder import Network, open_model
from vision_recipes.model_folder.networks import rebuild
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import normalise


class BreakingStore:
    """A local folder whose storage fails at the n-th change."""

    def __init__(self, store, changes):
        self._store, self.left, self.name = store, changes, store.name

    def __getattr__(self, name):
        return getattr(self._store, name)

    def _spend(self):
        self.left -= 1
        if self.left < 0:
            raise OutputError("the storage is full")

    def write(self, path, content):
        self._spend()
        self._store.write(path, content)

    def delete(self, path):
        self._spend()
        self._store.delete(path)


def usable(store, workdir):
    model = open_model(store)
    model.ir(workdir)
    model.weights(workdir)
    return model


def test_a_failure_at_any_write_leaves_the_old_model_whole(folder, tmp_path, small):
    before, labels = small.folder_hash, ("a", "b", "c", "d", "e")
    expected = write_small_model(local(tmp_path / "new"), seed=1, labels=labels).folder_hash
    seen = []
    for changes in range(40):
        store = BreakingStore(local(folder), changes)
        try:
            write_small_model(store, seed=1, labels=labels)
        except OutputError:
            seen.append(usable(local(folder), tmp_path).folder_hash)
        else:
            break
    assert set(seen) == {before}
    assert usable(local(folder), tmp_path).folder_hash == expected
    assert len(seen) > 7


def test_files_of_the_previous_model_go_and_others_stay(folder, small):
    store = local(folder)
    reports = ("/tensorboard_logs/events", "/history.csv", "/rejected.csv", "/report/index.html")
    for name in ("/notes.txt", *reports, "/model-0123abcd.bin"):
        store.write(name, b"x")
    write_small_model(store, seed=1)
    names = {path.lstrip("/") for path in store.paths()}
    entries = {entry.name for entry in open_model(store).config.files.entries()}
    assert names == entries | {"config.json", "README.md", "notes.txt"}
    assert not entries & {small.config.files.bin.name, small.config.files.weights.name}


def test_the_same_model_written_twice_changes_no_name(folder, small):
    write_small_model(local(folder))
    assert open_model(local(folder)).config.files == small.config.files


def test_file_names_in_a_fresh_folder_are_the_plain_ones(folder):
    names = {path.name for path in folder.iterdir()}
    assert {"config.json", "model_labels.csv", "model.xml", "model.bin", "check.npz", "README.md"} <= names


def test_the_card_escapes_what_labels_bring(tmp_path):
    write_small_model(local(tmp_path / "m"), labels=("<script>", "[x](http://y)", "a", "b", "c"))
    card = (tmp_path / "m" / "README.md").read_text()
    assert "<script>" not in card
    assert "[x](" not in card


@pytest.mark.keras
def test_keras_networks_are_saved_converted_and_rebuilt(small, tmp_path):
    network = rebuild(small)
    scores = np.asarray(network(normalise(small.check.pictures, small.preprocessing)))
    assert small.check.difference(scores) < 1e-5
    store = local(tmp_path / "saved")
    save_model(store, network, ModelSpec("again", Network("small", classes=5), INPUT, LABELS, graph=GRAPH, pack=True))
    again = open_model(store)
    assert [layer.name for layer in again.layers] == [layer.name for layer in small.layers]
    assert [layer.shape for layer in again.layers] == [layer.shape for layer in small.layers]
    assert again.config.feature_layer == "active"
    assert again.check.difference(small.check.scores) < 1e-5
    rebuilt = rebuild(again)
    for mine, theirs in zip(rebuilt.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    path, _ = again.weights(tmp_path)[0]
    network.set_weights([values * 0 for values in network.get_weights()])
    network.load_weights(path)
    np.testing.assert_array_equal(network.get_weights()[0], rebuilt.get_weights()[0])


@pytest.mark.keras
def test_scores_that_are_not_probabilities_are_not_saved(small, tmp_path):
    network = rebuild(small)
    network.layers[-1].activation = lambda scores: scores * 100
    spec = ModelSpec("wild", Network("small", classes=5), INPUT, LABELS, graph=GRAPH)
    with pytest.raises(ModelFolderError, match="not probabilities|does not give the scores"):
        save_model(local(tmp_path / "wild"), network, spec)
    assert local(tmp_path / "wild").paths() == []


def test_versions_and_hashes_are_written(folder):
    data = json.loads((folder / "config.json").read_text())
    assert data["version"] == 3
    assert data["versions"]["openvino"]
    plugin = Path(__file__).parents[2] / "plugin.json"  # not what the installed package says, which may be stale
    assert data["versions"]["vision-recipes"] == json.loads(plugin.read_text(encoding="utf-8"))["version"]
    assert all(len(entry["sha256"]) == 64 for entry in data["files"].values() if entry)


def test_files_of_other_people_are_neither_deleted_nor_overwritten(tmp_path, caplog):
    folder = tmp_path / "mine"
    (folder / "tensorboard_logs").mkdir(parents=True)
    mine = ("README.md", "model.h5", "model.json", "graph.json", "head.csv", "metrics.json", "tensorboard_logs/events")
    for name in mine:
        (folder / name).write_text("mine", encoding="utf-8")
    write_small_model(local(folder))
    assert [name for name in mine if (folder / name).read_text(encoding="utf-8") != "mine"] == []
    assert "README.md of its own" in caplog.text
    usable(local(folder), tmp_path)


def test_leftovers_of_a_killed_run_go_and_its_card_is_replaced(tmp_path):
    folder = tmp_path / "left"
    write_small_model(local(folder))
    (folder / "config.json").unlink()
    (folder / "model-0123abcd.weights.h5").write_bytes(b"left behind")
    write_small_model(local(folder), seed=1, labels=("a", "b", "c", "d", "e"))
    assert not (folder / "model-0123abcd.weights.h5").exists()
    assert "Classes: 5" in (folder / "README.md").read_text(encoding="utf-8")
