"""The source of a model to import: which files of a path or a folder are its network, its labels, its description."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_import.predecessor import is_predecessor
from vision_recipes.stores import LocalStore, Store, copy_stream, read_bytes

SUFFIXES = (".keras", ".h5", ".hdf5")
LABEL_NAMES = ("model_labels.csv", "labels.csv", "labels.txt", "class_names.txt", "classes.txt")
MAX_MODEL = 16 << 30
MAX_LABELS = 64 << 20


@dataclass(frozen=True)
class Source:
    """A model to import, the file `model` of `store`; `labels` is a file of `labels_store`, empty without one.

    For a folder of the predecessor plugin, `model` is empty and `predecessor` is its config.json.
    """

    store: Store
    model: str
    labels_store: Store
    labels: str = ""
    predecessor: Mapping[str, Any] = field(default_factory=dict)
    teachable: bool = False

    @property
    def where(self) -> str:
        """Return the words for the model in messages."""
        return _where(self.store, self.model) if self.model else f"model folder {self.store.name!r}"

    @property
    def where_labels(self) -> str:
        """Return the words for the labels file in messages."""
        return _where(self.labels_store, self.labels)

    @property
    def names(self) -> list[str]:
        """The names of the files at the top of the folder."""
        return [path[1:] for path in self.store.paths() if path.count("/") == 1]

    def read_labels(self) -> bytes:
        """Return the bytes of the labels file."""
        return _read(self.labels_store, self.labels, MAX_LABELS)

    def copy(self, path: str, workdir: Path) -> Path:
        """Return a local copy of a file of the folder; the copy's name is none that the folder could choose."""
        target, where = Path(tempfile.mkdtemp(dir=workdir)) / "source", _where(self.store, path)
        try:
            with self.store.open(path) as stream:
                size, _sha256 = copy_stream(stream, target, MAX_MODEL)
        except OSError as err:
            raise ModelFolderError(f"{where} cannot be read: {err}. Check the path and the rights.") from err
        if size > MAX_MODEL:
            raise ModelFolderError(f"{where} is larger than {MAX_MODEL} bytes.")
        return target


def find_source(settings: ImportSettings, folder: Store | None) -> Source:
    """Return the model that the settings name; raises ModelFolderError or SettingsError with what was found."""
    store, model = _find_model(settings.model_file, folder)
    if not model:
        content = _read(store, "/config.json", strict_json.MAX_BYTES)
        config = strict_json.parse(content, _where(store, "/config.json"))
        if not is_predecessor(config):
            raise SettingsError(
                f"model_source_folder: {store.name!r} is a model folder of this plugin. Use it as it is."
            )
        return _with_labels(settings, Source(store, "", store, "/model_labels.csv", config))
    own = PurePosixPath(model)
    names = (f"{own.stem}.labels.csv", f"{own.stem}.labels.txt", *LABEL_NAMES)
    candidates = [str(own.with_name(name)) for name in names]
    labels = next((path for path in candidates if store.size(path) is not None), "")
    return _with_labels(settings, Source(store, model, store, labels, teachable=own.name == "keras_model.h5"))


def _find_model(model_file: str, folder: Store | None) -> tuple[Store, str]:
    if model_file and folder is not None:
        path = "/" + model_file.lstrip("/")
        if path not in folder.paths():
            raise SettingsError(
                f"model_file: {model_file!r} is not in {folder.name!r}, which has {_file_names(folder)}."
            )
        return folder, path
    if model_file:
        local = Path(model_file).expanduser()
        if local.is_dir():
            return _find_model("", LocalStore(local))
        if not local.is_file():
            raise SettingsError(f"model_file: there is no file {model_file!r} (looked from {Path.cwd()}).")
        return LocalStore(local.parent), "/" + local.name
    if folder is None:
        raise SettingsError("model_file: give a .keras or .h5 file, or a model_source_folder.")
    tops = [path for path in folder.paths() if path.count("/") == 1]
    if "/config.json" in tops:
        return folder, ""
    models = [path for path in tops if path.lower().endswith(SUFFIXES)]
    if len(models) != 1:
        raise SettingsError(
            f"model_source_folder: {folder.name!r} has {len(models) or 'no'} .keras or .h5 files "
            f"({_file_names(folder)}). Name the one to import as model_file."
        )
    return folder, models[0]


def _with_labels(settings: ImportSettings, found: Source) -> Source:
    name = settings.labels_file
    if not name:
        return found
    path = "/" + name.lstrip("/")
    if found.store.size(path) is not None or path in found.store.paths():
        return replace(found, labels_store=found.store, labels=path)
    local = Path(name).expanduser()
    if not local.is_file():
        raise SettingsError(f"labels_file: there is no file {name!r}, neither beside the model nor from {Path.cwd()}.")
    return replace(found, labels_store=LocalStore(local.parent), labels="/" + local.name)


def _where(store: Store, path: str) -> str:
    return f"{path.lstrip('/')} in {store.name!r}"


def _read(store: Store, path: str, limit: int) -> bytes:
    where = _where(store, path)
    try:
        content = read_bytes(store, path, limit)
    except OSError as err:
        raise ModelFolderError(f"{where} cannot be read: {err}. It belongs to the model.") from err
    if len(content) > limit:
        raise ModelFolderError(f"{where} is larger than {limit} bytes.")
    return content


def _file_names(folder: Store) -> str:
    paths = [path.lstrip("/") for path in folder.paths()]
    return ", ".join(paths[:6]) + (f" and {len(paths) - 6} more" if len(paths) > 6 else "") if paths else "no files"
