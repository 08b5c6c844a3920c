"""The drop-downs of the components: from data alone, and a sentence where there is nothing to choose from."""

import importlib.util
import subprocess
import sys

import pytest
from model_folder.small import LABELS

from vision_recipes.model_folder.model_card import layer_choices, summarise


@pytest.fixture
def offer(root, monkeypatch, small):
    """Return the function of a file of resource/, with the model folder `mine` to read and none else."""
    from vision_recipes.stores import LocalStore

    def folder_to_read(project, name):
        return small.store if name == "PROJECT.mine" else LocalStore(small.store.root / "nowhere", name)

    def load(file):
        ports = type(sys)("dss_ports")
        ports.folder_to_read = folder_to_read
        monkeypatch.setitem(sys.modules, "dss_ports", ports)
        found = importlib.util.spec_from_file_location(file, root / "resource" / f"{file}.py")
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        return module.do

    return load


def role(name, folder):
    return {"role": name, "fullName": folder}


def test_layers_are_offered_from_the_scores_backwards(offer):
    inputs = [role("image_folder", "PROJECT.photos"), role("model_folder", "PROJECT.mine")]
    choices = offer("layer_choices")({}, {}, {}, inputs)["choices"]
    assert [choice["value"] for choice in choices] == [-1, -2, -3, -4]
    labels = [choice["label"] for choice in choices]
    assert labels[0] == f"-1: scores (Dense), {len(LABELS)} values"
    assert labels[2] == "-3: active (Activation), 6 values, averaged from 7 x 9; what retraining works on"


def test_without_a_model_the_layers_are_those_of_the_default_network(offer, vision_cache, monkeypatch):
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(vision_cache))
    choices = offer("layer_choices")({}, {}, {}, [])["choices"]
    assert choices[1]["value"] == -2
    assert len(choices) > 100


def test_of_a_broken_model_the_list_contains_a_sentence(offer):
    (broken,) = offer("layer_choices")({}, {}, {}, [role("model_folder", "PROJECT.empty")])["choices"]
    assert broken["value"] == -2
    assert "no config.json" in broken["label"]


def test_models_are_offered_with_their_sizes(offer):
    choices = offer("model_choices")({}, {}, {}, [])["choices"]
    assert choices[0]["value"] == "efficientnet_lite0"
    assert len(choices) > 30


def test_the_summary_lists_every_layer(small):
    summary = summarise(small.config)
    assert all(layer.name in summary for layer in small.layers)
    assert summary.splitlines()[-1] == "203 parameters; features for retraining come from active"


def test_choices_and_summary_import_no_framework(small):
    code = (
        "import sys; from vision_recipes.model_folder import open_model; from vision_recipes.stores import LocalStore;"
        "from vision_recipes.model_folder.model_card import layer_choices, summarise;"
        "config = open_model(LocalStore(sys.argv[1])).config; print(len(layer_choices(config)), len(summarise(config)));"
        "assert not {'keras', 'tensorflow', 'openvino', 'h5py', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, small.store.root], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == str(len(layer_choices(small.config)))
