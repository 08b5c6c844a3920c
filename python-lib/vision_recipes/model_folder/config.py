"""config.json of a model folder, format version 3: what it may say, read strictly."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError
from vision_recipes.preprocessing import ExtraColumn, Preprocessing, check_preprocessing
from vision_recipes.strict_json import require

VERSION = 3
CONFIG = "config.json"
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
MAX_CLASSES = 100_000
MAX_BYTES = 8 << 30
POOLED = "head_pooling"
"""The layer with the vector that a head takes."""

INT8 = "int8"
POOLINGS = ("avg", "max", "none")
COLUMN_FORMULAS = ("additive", "interactions", "hidden")
MAX_PRODUCTS, MAX_HIDDEN = 400_000, 4096
"""How many products of features and columns, and how many hidden units, a head may have."""

MAX_COMPONENTS, MAX_LANDMARKS = 4096, 4096
"""The size of a head's kernel layer."""


@dataclass(frozen=True)
class FileEntry:
    """A file that belongs to the model: its name in the folder, SHA-256 in hex and size in bytes."""

    name: str
    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        plain = FILE_NAME.fullmatch(self.name) and self.name != CONFIG
        require(plain, f"name {self.name[:60]!r} is not a plain file name")
        require(re.fullmatch("[0-9a-f]{64}", self.sha256), "sha256 must be 64 hexadecimal digits")
        require(0 < self.bytes <= MAX_BYTES, f"bytes must be between 1 and {MAX_BYTES}, not {self.bytes}")


@dataclass(frozen=True)
class Files:
    """The files of a model: `head` holds the weights of a head trained on features, `graph` an imported network.

    A network that came as an ONNX file is its IR alone: it has neither `weights` nor `graph`. `known` holds
    what out-of-distribution detection compares pictures with, `reference` what is kept of the pictures themselves.
    """

    labels: FileEntry
    xml: FileEntry
    bin: FileEntry
    check: FileEntry
    weights: FileEntry | None = None
    head: FileEntry | None = None
    graph: FileEntry | None = None
    known: FileEntry | None = None
    reference: FileEntry | None = None

    def entries(self) -> list[FileEntry]:
        """Return the entry of every file."""
        return [entry for entry in vars(self).values() if entry is not None]

    def __post_init__(self) -> None:
        names = [entry.name for entry in self.entries()]
        require(len(set(names)) == len(names), "two of the files have the same name")
        require(self.weights or not self.graph, "files.weights is missing, though there is a graph")


@dataclass(frozen=True)
class Network:
    """How the network is built: a row of the catalogue with its arguments, or the graph file of the folder.

    `classes` is the number of units of the network's own top; `top` says whether it is part of the network.
    """

    architecture: str
    arguments: dict[str, float | bool] = field(default_factory=dict)
    classes: int = 1000
    top: bool = True

    def __post_init__(self) -> None:
        name = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_. ()+-]{0,99}", self.architecture)
        require(name, f"architecture {self.architecture[:60]!r} is not a name")
        require(1 <= self.classes <= MAX_CLASSES, f"classes must be between 1 and {MAX_CLASSES}, not {self.classes}")
        unknown = sorted(set(self.arguments) - {"alpha", "minimalistic"})
        require(not unknown, f"arguments {unknown} are not among alpha, minimalistic")
        require(0 < self.arguments.get("alpha", 1.0) <= 10, "alpha must be between 0 and 10")


@dataclass(frozen=True)
class HeadConfig:
    """The layers on top of the feature layer of a retrained network.

    `features` counts the values of a picture's vector; the extra columns come after them. The vector is the feature
    layer's output after `pooling` (one of POOLINGS, "none" flattens), and after it the mean and the maximum of each
    of the inner `layers`. `probabilities` is "softmax" or "sigmoid".
    `columns` is one of COLUMN_FORMULAS, which head_formulas.py describes, and `hidden` the number of units of "hidden".
    A kernel layer has `components` and `landmarks`, which are 0 without one.
    """

    features: int
    pooling: str = "avg"
    dropout: float = 0.0
    probabilities: str = "softmax"
    extra: tuple[ExtraColumn, ...] = ()
    layers: tuple[str, ...] = ()
    columns: str = "additive"
    hidden: int = 0
    components: int = 0
    landmarks: int = 0

    @property
    def extra_width(self) -> int:
        """How many values the extra columns have."""
        return sum(column.width for column in self.extra)

    def __post_init__(self) -> None:
        require(self.pooling in POOLINGS, f"pooling {self.pooling[:60]!r} is not one of {', '.join(POOLINGS)}")
        known = self.probabilities in ("softmax", "sigmoid")
        require(known, f"probabilities {self.probabilities[:60]!r} is not softmax or sigmoid")
        require(1 <= self.features <= 50_000_000, f"features must be at least 1, not {self.features}")
        require(0 <= self.dropout < 1, f"dropout must be from 0 to below 1, not {self.dropout}")
        columns, products = self.columns, self.features * self.extra_width
        require(columns in COLUMN_FORMULAS, f"columns {columns[:60]!r} is not one of {', '.join(COLUMN_FORMULAS)}")
        require(columns == "additive" or self.extra, f"columns is {columns}, but extra has no columns")
        require(columns != "interactions" or products <= MAX_PRODUCTS, f"{products} products of features and columns")
        fits = 1 <= self.hidden <= MAX_HIDDEN if columns == "hidden" else self.hidden == 0
        require(fits, f"hidden must be from 1 to {MAX_HIDDEN} with columns hidden, else 0, not {self.hidden}")
        given = f"components {self.components}, landmarks {self.landmarks}"
        within = 1 <= self.components <= MAX_COMPONENTS and 1 <= self.landmarks <= MAX_LANDMARKS
        none = self.components == self.landmarks == 0
        require(none or within, f"{given}: must be from 1 to {MAX_COMPONENTS} and {MAX_LANDMARKS}, or both 0")
        require(none or columns == "additive", f"{given}: columns must be additive with a kernel layer, not {columns}")


@dataclass(frozen=True)
class OodConfig:
    """The threshold of out-of-distribution detection: a picture is known when its score is `limit` at most.

    Of the validation pictures the fraction `known` is within the limit; of these the fraction `precision` gets its true
    label.
    """

    limit: float = 0.0
    known: float = 1.0
    precision: float = 1.0


@dataclass(frozen=True)
class Quantisation:
    """That a network computes in int8: the float32 model `base` it was made from, and how the two compare.

    The ranges of its numbers come from `calibrated_on` pictures. Of `compared_on` other pictures, `agreement` is the
    fraction that both give the same best label (and verdict), and of the `labelled` ones among them `accuracy` and
    `base_accuracy` the fractions that either gives the true one. A model retrained on an int8 network has no such
    comparison: `compared_on` is 0.
    """

    base: str
    base_hash: str
    calibrated_on: int
    compared_on: int = 0
    agreement: float = 0.0
    labelled: int = 0
    accuracy: float = 0.0
    base_accuracy: float = 0.0

    def without_comparison(self) -> Quantisation:
        """Return it for a model retrained on the int8 network."""
        return Quantisation(self.base, self.base_hash, self.calibrated_on)

    def __post_init__(self) -> None:
        counts = self.calibrated_on, self.compared_on, self.labelled
        require(min(counts) >= 0, f"calibrated_on, compared_on and labelled must be 0 or more, not {counts}")
        fractions = self.agreement, self.accuracy, self.base_accuracy
        is_within = all(0 <= value <= 1 for value in fractions)
        require(is_within, f"agreement, accuracy and base_accuracy must be from 0 to 1, not {fractions}")


@dataclass(frozen=True)
class Layer:
    """A layer whose output can be extracted.

    `index` counts the layers of the network from its input, as Keras does, and names the output `layer:<index>` of the
    IR. `shape` is without the batch, None where it varies; `size` is the length of its vector after average pooling.
    """

    index: int
    name: str
    kind: str
    shape: tuple[int | None, ...]
    size: int
    parameters: int = 0

    @property
    def output(self) -> str:
        """Name of the IR's output."""
        return f"layer:{self.index}"


@dataclass(frozen=True)
class ModelConfig:
    """The whole of config.json. `layers` are in the order of the network, the last one gives the scores."""

    name: str
    network: Network
    input: Preprocessing
    n_classes: int
    layers: tuple[Layer, ...]
    feature_layer: str
    files: Files
    head: HeadConfig | None = None
    verdict: OodConfig | None = None
    quantisation: Quantisation | None = None
    trained_on: str = ""
    source: str = ""
    licence: str = ""
    created: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names, indices = {layer.name for layer in self.layers}, {layer.index for layer in self.layers}
        scores, count = self.layers[-1].shape if self.layers else (), len(self.layers)
        n = self.n_classes
        require(2 <= n <= MAX_CLASSES, f"n_classes must be between 2 and {MAX_CLASSES}, not {n}")
        check_preprocessing(self.input)
        require(1 <= count == len(names) <= 5000, "layers must be between 1 and 5000, each with a name of its own")
        require(len(indices) == count, "two layers have the same index")
        require(self.feature_layer in names, f"feature_layer {self.feature_layer[:60]!r} is not among the layers")
        require(scores == (n,), f"the last layer gives {scores}, not one score for each of {n} classes")
        inner = self.head.layers if self.head else ()
        require(not (self.quantisation and self.files.weights), "a quantised model has no weights beside its IR")
        require(set(inner) <= names and len(set(inner)) == len(inner), "head.layers must be names of layers, each once")

    @property
    def ends_in_features(self) -> bool:
        """Whether the network is cut at its feature layer, and its "scores" are the averaged features."""
        return self.head is None and self.layers[-1].name == POOLED

    @property
    def openvino_only(self) -> bool:
        """Whether the network is its IR alone, so that Keras cannot build it."""
        return self.files.weights is None

    def layer_named(self, name: str) -> Layer:
        """Return a layer by its name; the name must be one of the layers."""
        return next(layer for layer in self.layers if layer.name == name)

    def hash(self) -> str:
        """Return a hash of all that determines the model's scores for given pixels, as 64 hexadecimal digits."""
        files = self.files
        weights = [entry.sha256 for entry in (files.weights, files.head, files.graph) if entry is not None]
        weights += [INT8] if self.quantisation else []
        parts = strict_json.write(self.input), files.xml.sha256, files.bin.sha256, strict_json.write(self.head), weights
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> bytes:
        """Return the bytes of config.json."""
        data = {"format": "vision-recipes model", "version": VERSION} | strict_json.write(self)
        if self.quantisation is None:  # earlier versions of the plugin do not know the key
            del data["quantisation"]
        return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def read_config(content: bytes, folder: str) -> ModelConfig:
    """Return what config.json says, checked; raises ModelFolderError that names the folder and what is wrong."""
    where = f"config.json of model folder {folder!r}"
    data = strict_json.parse(content, where)
    version = data.pop("version", None)
    kind = data.pop("format", None)
    if version is None and "architecture" in data:
        raise ModelFolderError(
            f"Model folder {folder!r} was made by the predecessor plugin (Deep learning on images). "
            "Run the macro vision-import with it as model_source_folder, then use the folder that it makes."
        )
    if kind != "vision-recipes model" or version != VERSION:
        raise ModelFolderError(
            f"{where} has format {str(kind)[:60]!r}, version {str(version)[:20]}; this plugin "
            f"reads version {VERSION} of 'vision-recipes model'. Update the plugin, or run vision-download or "
            "vision-import into the folder."
        )
    return strict_json.read(ModelConfig, data, where)
