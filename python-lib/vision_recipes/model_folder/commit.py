"""A model put into its folder: each file under a free name, config.json last, then the previous model's files go."""

from __future__ import annotations

import datetime
import hashlib
import logging
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from vision_recipes.errors import ModelFolderError, OutputError
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder import model_card
from vision_recipes.model_folder.config import CONFIG, FileEntry, Files, Layer, ModelConfig, read_config
from vision_recipes.model_folder.labels import write_labels
from vision_recipes.model_folder.layer_graph import write_graph
from vision_recipes.model_folder.ood import write_ood
from vision_recipes.model_folder.reference_pictures import write_reference
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.resources import plugin_version
from vision_recipes.stores import Store, file_digest, read_bytes
from vision_recipes.strict_json import MAX_BYTES

log = logging.getLogger("vision_recipes")

OWN_FILES = re.compile(r"(model|head|graph|check|known|reference|model_labels)-[0-9a-f]{8}\.[a-z0-9.]+")
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
    "reference": "reference.npz",
}
"""The files of a model and their plain names; weights always have a piece of their hash in the name."""
_ALWAYS_HASHED = ("weights", "head", "graph")

CARD = "README.md"
TRAINING_REPORTS = (
    *("history.csv", "metrics.json", "run.json", "validation.csv", "rejected.csv", "duplicates.csv"),
    *("augmentation.html", "report/index.html"),
)
TRAINING_CURVES = "tensorboard_logs/"

PLUGIN = "vision-recipes"
PACKAGES = (PLUGIN, "keras", "tensorflow", "openvino", "numpy", "pillow")


def commit(
    store: Store,
    spec: ModelSpec,
    layers: tuple[Layer, ...],
    files: Mapping[str, Path],
    reports: Mapping[str, bytes] | None = None,
) -> None:
    """Make a model the folder's model. `files` are local paths by role, `reports` are for people, by fixed name.

    The files with the roles `labels`, `graph`, `known` and `reference` are written from the spec.
    """
    with work_folder() as workdir:
        contents = {"labels": write_labels(spec.labels)}
        if spec.graph is not None:
            contents["graph"] = write_graph(spec.graph)
        if spec.ood_detector is not None:
            contents["known"] = write_ood(spec.ood_detector)
        if spec.reference_pictures is not None:
            contents["reference"] = write_reference(spec.reference_pictures)
        paths = {role: workdir / role for role in contents}
        for role, path in paths.items():
            path.write_bytes(contents[role])
        entries = put_files(store, {**files, **paths})
    config = ModelConfig(
        name=spec.name,
        network=spec.network,
        input=spec.input,
        n_classes=len(spec.labels),
        layers=layers,
        feature_layer=spec.feature_layer,
        files=entries,
        head=spec.head,
        verdict=spec.ood_detector.config if spec.ood_detector else None,
        quantisation=spec.quantisation,
        trained_on=spec.trained_on,
        source=spec.source,
        licence=spec.licence,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        versions=installed_versions(PACKAGES),
    )
    finish(store, config, {CARD: model_card.write(config, spec.labels, spec.notes), **(reports or {})})


def put_files(store: Store, files: Mapping[str, Path]) -> Files:
    """Write files into a folder by role, under plain names or, where others have those, with a piece of their hash."""
    taken = set(store.paths())
    return Files(**{role: _put(store, role, path, taken) for role, path in files.items()})


def finish(store: Store, config: ModelConfig, reports: Mapping[str, bytes]) -> None:
    """Make a model whose files are in the folder the folder's model: reports, then config.json, then old files go."""
    previous = _previous_config(store)
    content = config.to_json()
    read_config(content, store.name)
    for entry in config.files.entries():
        if store.size("/" + entry.name) not in (None, entry.bytes):
            raise OutputError(
                f"{entry.name} was cut off when written into {store.name!r}. Check the storage and its space."
            )
    for name, report in reports.items():
        if previous is None and name == CARD and _has_foreign_card(store):
            log.warning("folder %r has a %s of its own, which stays; the model has no card", store.name, CARD)
        else:
            store.write("/" + name, report)
    store.write("/" + CONFIG, content)
    _tidy(store, config, previous, set(reports))


def _put(store: Store, role: str, path: Path, taken: set[str]) -> FileEntry:
    size, sha256 = path.stat().st_size, file_digest(path, "")
    stem, suffix = ROLES[role].split(".", 1)
    name = f"{stem}.{suffix}"
    if role in _ALWAYS_HASHED or ("/" + name in taken and not _has_content(store, name, sha256, size)):
        name = f"{stem}-{sha256[:8]}.{suffix}"
    with open(path, "rb") as stream:
        store.write("/" + name, stream)
    return FileEntry(name, sha256, size)


def _has_content(store: Store, name: str, sha256: str, size: int) -> bool:
    with suppress(OSError):
        return hashlib.sha256(read_bytes(store, "/" + name, size)).hexdigest() == sha256
    return False


def _has_foreign_card(store: Store) -> bool:
    with suppress(OSError):
        return model_card.ENDING.encode() not in read_bytes(store, "/" + CARD, MAX_BYTES)
    return False


def _previous_config(store: Store) -> ModelConfig | None:
    with suppress(ModelFolderError, OSError):
        return read_config(read_bytes(store, "/" + CONFIG, MAX_BYTES), store.name)
    return None


def _tidy(store: Store, config: ModelConfig, previous: ModelConfig | None, reports: set[str]) -> None:
    """Remove the files of the previous model, and the reports on its training if the new model has none.

    In a folder that held no model, only what a run of ours can have left behind goes.
    """
    needed = {entry.name for entry in config.files.entries()} | reports
    old = {entry.name for entry in previous.files.entries()} if previous else set()
    for path in store.paths():
        name = path.lstrip("/")
        report = previous and config.head is None and (name in TRAINING_REPORTS or name.startswith(TRAINING_CURVES))
        if name not in needed and (report or name in old or OWN_FILES.fullmatch(name)):
            try:
                store.delete(path)
            except (OSError, OutputError) as err:
                log.warning("the new model is in place, but %s of the previous one was not removed: %s", name, err)


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed; that of the plugin is its own, from plugin.json."""
    from importlib import metadata

    found = {}
    for package in packages:
        with suppress(metadata.PackageNotFoundError):
            own = plugin_version() if package == PLUGIN else ""
            found[package] = own or metadata.version(package)
    return found
