"""The description of a network, from which it is built, converted and saved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder import layer_graph
from vision_recipes.model_folder.checks import check_columns
from vision_recipes.model_folder.config import HeadConfig, Network, Quantisation
from vision_recipes.model_folder.folder import Model
from vision_recipes.model_folder.ood import OodDetector
from vision_recipes.model_folder.reference_pictures import ReferencePictures
from vision_recipes.model_folder.weights import snake_case, stable_names
from vision_recipes.preprocessing import Preprocessing


@dataclass(frozen=True)
class ModelSpec:
    """What a network is. Without a `graph` it is a row of the catalogue.

    With a `head` the network is a base cut at `feature_layer`, with that head on top; without one, `save_model` finds
    the `feature_layer` when it is empty. `notes` is text for the model card. `pack` compresses the weights.
    """

    name: str
    network: Network
    input: Preprocessing
    labels: tuple[str, ...]
    feature_layer: str = ""
    head: HeadConfig | None = None
    graph: layer_graph.Graph | None = None
    trained_on: str = ""
    source: str = ""
    licence: str = ""
    notes: str = ""
    pack: bool = False
    ood_detector: OodDetector | None = None
    reference_pictures: ReferencePictures | None = None
    quantisation: Quantisation | None = None

    @property
    def extra_width(self) -> int:
        """How many values the network takes beside a picture."""
        return self.head.extra_width if self.head else 0

    @property
    def check_columns(self) -> np.ndarray:
        """What the network takes beside a check picture, float32 (extra_width,)."""
        return check_columns(self.head)

    def up_to_features(self) -> ModelSpec:
        """Return the description without the layers of the graph that the feature layer does not depend on."""
        if self.graph is None:
            return self
        names = stable_names([(node.name, snake_case(node.kind)) for node in self.graph.nodes])
        if self.feature_layer not in names:
            raise ModelFolderError(f"The network of {self.name!r} has no layer {self.feature_layer!r}.")
        node = self.graph.nodes[names.index(self.feature_layer)]
        return replace(self, graph=layer_graph.upstream(self.graph, node.name))


def require_keras(model: Model, what: str, instead: str) -> None:
    """Raise ModelFolderError for a network that Keras cannot build: `what` is not possible, `instead` a next step."""
    quantised = model.config.quantisation
    if quantised is not None:
        raise ModelFolderError(
            f"Model {model.name!r} is quantised to int8, so it has a network for OpenVINO only: {what} is not possible "
            f"with it. {instead} Or use a float32 model: {quantised.base!r}, retrained if this one was."
        )
    if model.config.openvino_only:
        raise ModelFolderError(
            f"Model {model.name!r} came as an ONNX file, so it has a network for OpenVINO only: {what} is not possible "
            f"with it. {instead}"
        )


def spec_of(model: Model) -> ModelSpec:
    """Return the description of the network in a model folder; its graph, if it has one, is read and checked.

    The graph has the layers alone whose weights are in the folder.
    """
    config, graph = model.config, None
    if config.files.graph is not None:
        content = model.read(config.files.graph, layer_graph.MAX_BYTES)
        graph = layer_graph.read_graph(content, model.where(config.files.graph))
        graph = layer_graph.upstream(graph, graph.nodes[-1].name)
    spec = ModelSpec(
        name=model.name,
        network=config.network,
        input=config.input,
        labels=model.labels,
        feature_layer=config.feature_layer,
        head=config.head,
        graph=graph,
        source=config.source,
        licence=config.licence,
        quantisation=config.quantisation,
    )
    return spec.up_to_features() if config.head is not None or config.ends_in_features else spec
