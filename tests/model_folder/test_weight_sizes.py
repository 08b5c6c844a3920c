"""A folder whose description asks for other weights than it has is refused before a framework is loaded."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest
from model_folder.small import GRAPH, INPUT, LABELS, change_config, local

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder import Network, networks, open_model
from vision_recipes.model_folder.heads import About, save_with_head
from vision_recipes.model_folder.layer_graph import Graph, Node, write_graph
from vision_recipes.model_folder.spec import ModelSpec, spec_of


def with_graph(folder, *nodes):
    """Put a graph of the small network's first layers and `nodes` into its folder, as config.json lists it."""
    content = write_graph(Graph((*GRAPH.nodes[:4], *nodes)))
    (folder / "graph-00000000.json").write_bytes(content)
    entry = {"name": "graph-00000000.json", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    change_config(folder, lambda data: data["files"].update(graph=entry))


def dense(name, units, source):
    return Node(name, "Dense", {"units": units}, (source,))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            (dense("big", 330_000, "pooled"), dense("bigger", 330_000, "big"), dense("scores", 5, "bigger")),
            "'big' needs",
        ),
        ((dense("scores", 330_000, "pooled"),), r"'scores' needs \[\(6, 330000\), \(330000,\)\] and has shapes"),
        ((Node("wide", "UpSampling2D", {"size": 9000}, ("active",)), dense("scores", 5, "wide")), "too large"),
    ],
)
def test_a_graph_that_the_weights_do_not_fit_is_refused_without_keras(small, nodes, message):
    with_graph(small.store.root, *nodes)
    code = (
        "import sys; from vision_recipes.model_folder import networks, open_model; "
        "from vision_recipes.stores import LocalStore\n"
        "try: networks.check_size(open_model(LocalStore(sys.argv[1], 'net')))\n"
        "except Exception as err: print(err)\n"
        "assert not {'keras', 'tensorflow', 'openvino'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(small.store.root)], capture_output=True, text=True, check=True
    )
    with pytest.raises(ModelFolderError, match=f"model folder .*{message}.*vision-import into the folder|too large"):
        networks.check_size(open_model(small.store))
    assert "in model folder 'net'" in done.stdout


def test_what_the_output_does_not_depend_on_is_not_built(small, tmp_path):
    with_graph(small.store.root, dense("unused", 330_000, "pooled"), GRAPH.nodes[4])
    networks.check_size(open_model(small.store))
    assert [node.name for node in spec_of(open_model(small.store)).graph.nodes] == [node.name for node in GRAPH.nodes]


def test_a_new_last_layer_leaves_the_old_one_out(small, tmp_path):
    import numpy as np

    from vision_recipes.model_folder.heads import Head

    head = Head(np.zeros((6, 3), np.float32), np.zeros(3, np.float32), ("a", "b", "c"))
    save_with_head(local(tmp_path / "mine"), small, head, About("mine"))
    mine = open_model(local(tmp_path / "mine"))
    networks.check_size(mine)
    assert [node.name for node in spec_of(mine).graph.nodes] == ["input", "convolved", "active"]
    change_config(tmp_path / "mine", lambda data: data["head"].update(features=5_000_000))
    with pytest.raises(
        ModelFolderError, match=r"'head_scores' needs \[\(5000000, 3\), \(3,\)\] and has shapes \[\(6, 3\)"
    ):
        networks.check_size(open_model(local(tmp_path / "mine")))


@pytest.mark.keras
def test_a_network_of_the_catalogue_with_another_top_is_compared_before_it_is_built(small):
    row_size = replace(INPUT, width=2048, height=2048)
    spec = ModelSpec("x", Network("VGG16", classes=100_000), row_size, LABELS)
    files = small.weights(small.store.root)
    with pytest.raises(ModelFolderError, match="the network that it is for needs 9,031,134,688. Do this."):
        networks.require_fit(spec, files, "Do this.")
    with pytest.raises(ModelFolderError, match="has 203 numbers, but the network that it is for needs"):
        networks.require_fit(replace(spec, network=Network("MobileNet", {"alpha": 10.0}, top=False)), files, "")
    networks.require_fit(replace(spec, network=Network("ResNet50", top=False)), files, "")
