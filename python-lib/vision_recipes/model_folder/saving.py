"""Model folders written: every file under its own name, config.json last, then the files of the model before go."""

from __future__ import annotations

import datetime
import hashlib
import logging
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError, OutputError
from vision_recipes.model_folder import checks, hdf5, layer_graph, model_card, networks, openvino_ir, weights
from vision_recipes.model_folder.checks import Check
from vision_recipes.model_folder.config import (
    CONFIG,
    FileEntry,
    Files,
    HeadConfig,
    Layer,
    ModelConfig,
    Network,
    read_config,
)
from vision_recipes.model_folder.labels import write_labels
from vision_recipes.model_folder.ood import Verdict, write_verdict
from vision_recipes.preprocessing import Preprocessing, normalise
from vision_recipes.stores import CHUNK, Store, read_bytes
from vision_recipes.strict_json import LIMIT

log = logging.getLogger("vision_recipes")

OWN_FILES = re.compile(r"(model|head|graph|check|known|model_labels)-[0-9a-f]{8}\.[a-z0-9.]+")
"""Names that only our own runs give; a file with a plainer name is a model's when its config says so."""

ROLES = {
    "labels": "model_labels.csv",
    "weights": "model.weights.h5",
    "head": "head.weights.h5",
    "graph": "graph.json",
    "xml": "model.xml",
    "bin": "model.bin",
    "check": "check.npz",
    "known": "known.npz",
}
"""The files of a model and their plain names; weights always have a piece of their hash in the name."""

CARD = "README.md"
TRAINING_REPORTS = ("history.csv", "metrics.json", "run.json", "validation.csv")
TRAINING_CURVES = "tensorboard_logs/"

PACKAGES = ("vision-recipes", "keras", "tensorflow", "openvino", "numpy", "pillow")


@dataclass(frozen=True)
class ModelSpec:
    """What a network is, for `save_model`.

    `head` and `feature_layer` are set when the network is a base cut at that layer, with a head on top; without
    a head an empty `feature_layer` is found. `notes` is text for the model card. `pack` compresses the weights.
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
    verdict: Verdict | None = None


@dataclass
class Draft:
    """The files of a model before they are in its folder: local paths by role, and reports for people by fixed name."""

    spec: ModelSpec
    layers: tuple[Layer, ...]
    feature_layer: str
    files: dict[str, Path]
    reports: Mapping[str, bytes] = field(default_factory=dict)


def save_model(store: Store, network: Any, spec: ModelSpec, reports: Mapping[str, bytes] | None = None) -> None:
    """Write a keras.Model as a whole model folder: weights, IR, labels, check, card, and config.json last.

    The network takes pixels normalised as `spec.input` says and gives probabilities. `reports` are further files for
    people, by name. The IR is refused when its answers differ from the network's; a model that was in the folder stays
    until config.json is replaced.
    """
    with tempfile.TemporaryDirectory() as workdir:
        work = Path(workdir)
        files = {"weights": work / "weights.h5", "xml": work / "model.xml", "bin": work / "model.bin"}
        hdf5.write_stored(files["weights"], weights.stored_layers(network), pack=spec.pack)
        if spec.graph is not None:
            files["graph"] = work / "graph.json"
            files["graph"].write_bytes(layer_graph.write_graph(spec.graph))
        order = openvino_ir.Order(
            network=spec.network,
            input=spec.input,
            weights=(str(files["weights"]),),
            target=str(files["xml"]),
            n_classes=len(spec.labels),
            feature_layer=spec.feature_layer,
            head=spec.head,
            graph=str(files["graph"]) if spec.graph else None,
        )
        layers = openvino_ir.convert(order)
        check = _check(network, spec)
        extra = None if spec.head is None else spec.head.width - spec.head.features
        check.require(score_ir(files["xml"], check.pictures, extra or 0), f"The OpenVINO form of {spec.name!r}")
        files["check"] = work / "check.npz"
        files["check"].write_bytes(checks.write_check(check))
        feature_layer = spec.feature_layer or networks.find_feature_layer(network)
        commit(store, Draft(spec, layers, feature_layer, files, reports or {}))


def commit(store: Store, draft: Draft) -> None:
    """Put a draft into a folder: its files under names that are free, the reports, config.json, and then tidy up."""
    spec = draft.spec
    with tempfile.TemporaryDirectory() as workdir:
        labels = Path(workdir) / "labels.csv"
        labels.write_bytes(write_labels(spec.labels))
        more = {"labels": labels}
        if spec.verdict is not None:
            more["known"] = Path(workdir) / "known.npz"
            more["known"].write_bytes(write_verdict(spec.verdict))
        files = put_files(store, draft.files | more)
    config = ModelConfig(
        name=spec.name,
        network=spec.network,
        input=spec.input,
        n_classes=len(spec.labels),
        layers=draft.layers,
        feature_layer=draft.feature_layer,
        files=files,
        head=spec.head,
        verdict=spec.verdict.config if spec.verdict else None,
        trained_on=spec.trained_on,
        source=spec.source,
        licence=spec.licence,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        versions=_versions(),
    )
    finish(store, config, {CARD: model_card.write(config, spec.labels, spec.notes), **draft.reports})


def put_files(store: Store, files: Mapping[str, Path]) -> Files:
    """Write files into a folder by role, under plain names or, where others have those, with a piece of their hash."""
    taken = set(store.paths())
    return Files(**{role: _put(store, role, path, taken) for role, path in files.items()})


def finish(store: Store, config: ModelConfig, reports: Mapping[str, bytes]) -> None:
    """Make a model whose files are in the folder the folder's model: reports, then config.json, then old files go."""
    before = _config_before(store)
    content = config.to_json()
    read_config(content, store.name)
    for entry in config.files.entries():
        if store.size("/" + entry.name) not in (None, entry.bytes):
            raise OutputError(
                f"{entry.name} was not written whole into folder {store.name!r}. Check the storage and its space."
            )
    for name, report in reports.items():
        if before is None and name == CARD and _strangers_card(store):
            log.warning("folder %r has a %s of its own, which stays; the model has no card", store.name, CARD)
        else:
            store.write("/" + name, report)
    store.write("/" + CONFIG, content)
    _tidy(store, config, before, set(reports))


def score_ir(xml: Path, pictures: np.ndarray, extra: int = 0) -> np.ndarray:
    """Return the scores that an IR gives to pictures uint8 (n, height, width, 3), in float32 on the CPU, extras 0."""
    import openvino as ov

    core = ov.Core()
    model = core.read_model(xml)
    for result in [result for result in model.get_results() if openvino_ir.SCORES not in result.output(0).names]:
        model.remove_result(result)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    rows = []
    for picture in pictures:
        inputs = {openvino_ir.PIXELS: picture[None].astype(np.float32)}
        if extra:
            inputs[openvino_ir.EXTRA] = np.zeros((1, extra), np.float32)
        rows.append(compiled(inputs)[openvino_ir.SCORES][0].copy())
    return np.stack(rows)


def _check(network: Any, spec: ModelSpec) -> Check:
    import keras

    pictures = checks.draw_pictures(spec.input.width, spec.input.height)
    inputs = [normalise(pictures, spec.input)]
    if spec.head is not None and spec.head.extra:
        inputs.append(np.zeros((len(pictures), spec.head.width - spec.head.features), np.float32))
    scores = np.asarray(
        keras.ops.convert_to_numpy(network(inputs if len(inputs) > 1 else inputs[0], training=False)), np.float32
    )
    if scores.shape != (len(pictures), len(spec.labels)):
        raise ModelFolderError(
            f"The network {spec.name!r} gives {scores.shape[-1]} scores, but there are {len(spec.labels)} labels."
        )
    if not np.isfinite(scores).all():
        raise ModelFolderError(
            f"The network {spec.name!r} gives scores that are not finite numbers, so it is not saved."
        )
    if scores.min() < -1e-4 or scores.max() > 1 + 1e-4:
        raise ModelFolderError(
            f"The network {spec.name!r} gives scores from {scores.min():.3g} to {scores.max():.3g}, not probabilities; "
            "end it with a softmax or sigmoid activation."
        )
    return Check(pictures, scores)


def _put(store: Store, role: str, path: Path, taken: set[str]) -> FileEntry:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    size, sha256 = path.stat().st_size, digest.hexdigest()
    stem, ending = ROLES[role].split(".", 1)
    plain, own = f"{stem}.{ending}", f"{stem}-{sha256[:8]}.{ending}"
    free = "/" + plain not in taken or _holds(store, plain, sha256, size)
    name = plain if free and role in ("labels", "xml", "bin", "check", "known") else own
    with open(path, "rb") as stream:
        store.write("/" + name, stream)
    return FileEntry(name, sha256, size)


def _holds(store: Store, name: str, sha256: str, size: int) -> bool:
    with suppress(OSError):
        return hashlib.sha256(read_bytes(store, "/" + name, size)).hexdigest() == sha256
    return False


def _strangers_card(store: Store) -> bool:
    with suppress(OSError):
        return model_card.ENDING.encode() not in read_bytes(store, "/" + CARD, LIMIT)
    return False


def _config_before(store: Store) -> ModelConfig | None:
    with suppress(ModelFolderError, OSError):
        return read_config(read_bytes(store, "/" + CONFIG, LIMIT), store.name)
    return None


def _tidy(store: Store, config: ModelConfig, before: ModelConfig | None, reports: set[str]) -> None:
    """Remove the files of the model before, and what people were told about its training if it was not this one's.

    In a folder that held no model, only what a run of ours can have left behind goes.
    """
    wanted = {entry.name for entry in config.files.entries()} | reports
    former = {entry.name for entry in before.files.entries()} if before else set()
    for path in store.paths():
        name = path.lstrip("/")
        told = before and config.head is None and (name in TRAINING_REPORTS or name.startswith(TRAINING_CURVES))
        if name not in wanted and (told or name in former or OWN_FILES.fullmatch(name)):
            try:
                store.delete(path)
            except (OSError, OutputError) as err:
                log.warning("the new model is in place, but %s of the one before could not be removed: %s", name, err)


def _versions() -> dict[str, str]:
    from importlib import metadata

    found = {}
    for package in PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found
