"""The source of a model to import: which files of a path or a folder are its network, its labels, its description."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError, OutputError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_import.archives import ArchiveStore
from vision_recipes.model_import.label_files import has_labels
from vision_recipes.model_import.other_formats import START, first_member, format_of_file, format_of_names, sentence
from vision_recipes.model_import.predecessor import is_predecessor
from vision_recipes.stores import LinkOutside, LocalStore, Store, copy_stream, read_bytes

SUFFIXES = (".keras", ".h5", ".hdf5", ".onnx")
KINDS = "a .keras, .h5 or .onnx file"
ONNX_VERSIONS = bytes(range(3, 32))
ONNX_FIELDS = bytes((0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72))
KERAS_MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
HDF5 = b"\x89HDF\r\n\x1a\n"
LABEL_NAMES = (
    *("model_labels.csv", "labels.csv", "labels.txt", "class_names.txt", "classes.txt", "labels.json"),
    *("class_names.json", "classes.json", "class_indices.json", "id2label.json"),
)
LABELS_INSIDE = ("metadata.json", "config.json")
"""Files in which labels may be among other things: of Teachable Machine and of Hugging Face."""

MAX_MODEL = 16 << 30
MAX_LABELS = 64 << 20
_FROM_WHERE = "Give a path from the folder of the project, or one that starts at the root."


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
        with _reading(where), self.store.open(path) as stream:
            size, _sha256 = copy_stream(stream, target, MAX_MODEL)
        if size > MAX_MODEL:
            raise ModelFolderError(f"{where} is larger than {MAX_MODEL} bytes.")
        return target


def find_source(settings: ImportSettings, folder: Store | None) -> Source:
    """Return the model that the settings name; raises ModelFolderError or SettingsError with what was found."""
    store, model = _find_model(settings.model_file, folder)
    if not model:
        config = _config(store)
        if not is_predecessor(config):
            raise SettingsError(
                f"model_source_folder: {store.name!r} is a model folder of this plugin. Use it as it is."
            )
        return _with_labels(settings, Source(store, "", store, "/model_labels.csv", config))
    store, model = _inside(store, model)
    own = PurePosixPath(model)
    found = Source(store, model, store, teachable=own.name == "keras_model.h5")
    return _with_labels(settings, found) if settings.labels_file else replace(found, labels=_labels_beside(store, own))


def _find_model(model_file: str, folder: Store | None) -> tuple[Store, str]:
    """Return the folder and the path in it of the model; the path is empty for a folder with a config.json of ours."""
    if model_file and folder is not None:
        path = "/" + model_file.strip("/")
        paths = folder.paths()
        if path not in paths:
            _refuse_folder([entry[len(path) + 1 :] for entry in paths if entry.startswith(f"{path}/")], model_file)
            raise SettingsError(
                f"model_file: {model_file!r} is not in {folder.name!r}, which has {_file_names(folder)}."
            )
        return folder, path
    if model_file:
        local = Path(model_file).expanduser()
        if local.is_dir():
            return _find_model("", LocalStore(local))
        if not local.is_file():
            raise SettingsError(f"model_file: there is no file {model_file!r}. {_FROM_WHERE}")
        return NamedFileStore(local), "/" + local.name
    if folder is None:
        raise SettingsError(f"model_file: give {KINDS}, or a model_source_folder.")
    tops = [path for path in folder.paths() if path.count("/") == 1]
    models = [path for path in tops if path.lower().endswith(SUFFIXES)]
    if "/config.json" in tops and _is_ours(folder):
        return folder, ""
    if not models:
        _refuse_folder([path[1:] for path in folder.paths()], folder.name)
        models = [path for path in tops if path.lower().endswith(".zip")]
    if len(models) != 1:
        raise SettingsError(
            f"model_source_folder: {folder.name!r} has {len(models) or 'no'} models of the kinds that are read "
            f"({_file_names(folder)}). Name {KINDS} in it as model_file."
        )
    return folder, models[0]


def _inside(store: Store, model: str) -> tuple[Store, str]:
    """Return the model, or the only one in an archive; raises ModelFolderError for a file that is no model."""
    where = _where(store, model)
    with _reading(where):
        start = read_bytes(store, model, START - 1)
    first = first_member(start)
    if model.lower().endswith(".keras") and first or first in KERAS_MEMBERS or start[:8] == HDF5 or is_onnx(start):
        return store, model
    found = format_of_file(start, model)
    if first and not found:
        with _reading(where):
            return _member(ArchiveStore(store, model), where)
    if found:
        raise ModelFolderError(f"{where} {sentence(found)}")
    return store, model


def _member(archive: ArchiveStore, where: str) -> tuple[Store, str]:
    names = [path[1:] for path in archive.paths()]
    models = [name for name in names if name.lower().endswith(SUFFIXES)]
    if len(models) == 1:
        return archive, "/" + models[0]
    found = "" if models else format_of_names(names)
    if found:
        raise ModelFolderError(f"{where} {sentence(found)}")
    raise ModelFolderError(
        f"{where} is an archive of {', '.join(names[:6]) or 'nothing'}. Unpack it, and name {KINDS} as model_file."
    )


def _refuse_folder(names: list[str], name: str) -> None:
    """Raise ModelFolderError when the names of a folder's files tell that it is an export that cannot be imported."""
    found = format_of_names(names) if not any(entry.lower().endswith(SUFFIXES) for entry in names) else ""
    if found:
        raise ModelFolderError(f"{name!r} {sentence(found)}")


def _is_ours(folder: Store) -> bool:
    """Return whether a folder's config.json is that of a model folder, of this plugin or of its predecessor."""
    config = _config(folder)
    return is_predecessor(config) or config.get("format") == "vision-recipes model"


def _config(store: Store) -> dict[str, Any]:
    content = _read(store, "/config.json", strict_json.MAX_BYTES)
    return strict_json.parse(content, _where(store, "/config.json"))


def _labels_beside(store: Store, model: PurePosixPath) -> str:
    """Return the path of the labels that lie beside a model; empty without any."""
    stem = model.stem
    for name in (f"{stem}.labels.csv", f"{stem}.labels.txt", f"{stem}.labels.json", *LABEL_NAMES, *LABELS_INSIDE):
        path = str(model.with_name(name))
        if store.size(path) is None:
            continue
        if name not in LABELS_INSIDE or has_labels(_read(store, path, MAX_LABELS)):
            return path
    return ""


def _with_labels(settings: ImportSettings, found: Source) -> Source:
    name = settings.labels_file
    if not name:
        return found
    path = "/" + name.lstrip("/")
    if found.store.size(path) is not None or path in found.store.paths():
        return replace(found, labels_store=found.store, labels=path)
    local = Path(name).expanduser()
    if not local.is_file():
        raise SettingsError(f"labels_file: there is no file {name!r} beside the model or in the project. {_FROM_WHERE}")
    return replace(found, labels_store=NamedFileStore(local), labels="/" + local.name)


class NamedFileStore(LocalStore):
    """The folder of a local file that the user named: that file alone may be a link to anywhere."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self._named = "/" + path.name

    def open(self, path: str) -> BinaryIO:
        """Return a stream over a file of the folder, or over the file that the named link leads to."""
        if path != self._named:
            return super().open(path)
        target = (self.root / path[1:]).resolve()
        return LocalStore(target.parent, self.name).open("/" + target.name)


def is_onnx(start: bytes) -> bool:
    """Return whether a file starts as ONNX files do: with the version of the format, then a field of a model."""
    return start[:1] == b"\x08" and start[1:2] in ONNX_VERSIONS and start[2:3] in ONNX_FIELDS


def _where(store: Store, path: str) -> str:
    return f"{path.lstrip('/')} in {store.name!r}"


def _read(store: Store, path: str, limit: int) -> bytes:
    where = _where(store, path)
    with _reading(where):
        content = read_bytes(store, path, limit)
    if len(content) > limit:
        raise ModelFolderError(f"{where} is larger than {limit} bytes.")
    return content


@contextmanager
def _reading(where: str) -> Iterator[None]:
    """Turn errors of reading a file, and of copying it, into ones for the user."""
    try:
        yield
    except LinkOutside as err:
        raise ModelFolderError(f"{where} is a link to a place outside the folder. Name the file that it is.") from err
    except OSError as err:
        if err.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"There is no space left for a copy of {where}. Free some space, or set TMPDIR to a folder with more."
            ) from err
        reason = err.strerror or str(err)
        raise ModelFolderError(f"{where} cannot be read: {reason}. Check the path and the rights.") from err


def _file_names(folder: Store) -> str:
    paths = [path.lstrip("/") for path in folder.paths()]
    return ", ".join(paths[:6]) + (f" and {len(paths) - 6} more" if len(paths) > 6 else "") if paths else "no files"
