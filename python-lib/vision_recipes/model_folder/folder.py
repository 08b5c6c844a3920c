"""A model folder opened: trusted only as far as config.json names its files, each verified before it is used."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vision_recipes.errors import ModelFolderError, VisionError
from vision_recipes.model_folder import labels
from vision_recipes.model_folder.config import CONFIG, FileEntry, Layer, ModelConfig, read_config
from vision_recipes.preprocessing import ExtraColumn, Preprocessing
from vision_recipes.stores import Store, copy_stream, read_bytes
from vision_recipes.strict_json import MAX_BYTES

if TYPE_CHECKING:
    from vision_recipes.model_folder.checks import Check
    from vision_recipes.model_folder.ood import OodDetector
    from vision_recipes.model_folder.reference_pictures import ReferencePictures

NEXT_STEP = "Run the macro vision-download or vision-import into the folder, or retrain the model again."


def open_model(store: Store) -> Model:
    """Return the model in a folder, its description and labels checked; weights are verified when first used.

    Never imports a framework. Raises ModelFolderError naming the file and what to do.
    """
    config = read_config(_read_config_bytes(store), store.name)
    for entry in config.files.entries():
        size = store.size("/" + entry.name)
        if size is not None and size != entry.bytes:
            raise ModelFolderError(
                f"{entry.name} in model folder {store.name!r} has {size} bytes, not the {entry.bytes} that config.json "
                f"lists: it is cut off or not the model's. {NEXT_STEP}"
            )
    model = Model(store, config)
    entry = config.files.labels
    model.labels = labels.read_labels(model.read(entry, labels.MAX_BYTES), model.where(entry), config.n_classes)
    model.label_keys = labels.unique_keys(model.labels)
    return model


@dataclass
class Model:
    """An opened model. `labels` are in output order, as written; `label_keys` are made unique, as `crane (134)`."""

    store: Store
    config: ModelConfig
    labels: tuple[str, ...] = ()
    label_keys: tuple[str, ...] = ()
    fetched: dict[str, Path] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """What people call the model."""
        return self.config.name

    @property
    def preprocessing(self) -> Preprocessing:
        """What happens to a picture before the network."""
        return self.config.input

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that can be extracted, in the order of the network."""
        return self.config.layers

    @property
    def feature_layer(self) -> Layer:
        """The layer whose pooled output is a picture's feature vector."""
        return self.config.layer_named(self.config.feature_layer)

    @property
    def folder_hash(self) -> str:
        """A hash of all that determines the outputs, for caches."""
        return self.config.hash()

    @property
    def extra_columns(self) -> tuple[ExtraColumn, ...]:
        """The table columns that the network takes beside a picture; empty for most."""
        return self.config.head.extra if self.config.head else ()

    @cached_property
    def check(self) -> Check:
        """The pictures and scores that every engine is verified with."""
        from vision_recipes.model_folder import checks

        entry, shape = self.config.files.check, (self.preprocessing.height, self.preprocessing.width)
        check = checks.read_check(self.read(entry, checks.MAX_BYTES), self.where(entry), shape, self.config.n_classes)
        return check if self.config.quantisation is None else replace(check, tolerance=checks.INT8_TOLERANCE)

    @cached_property
    def ood_detector(self) -> OodDetector | None:
        """How to tell pictures like the training pictures from others; None for a model that was not retrained here."""
        entry, config, head = self.config.files.known, self.config.verdict, self.config.head
        if entry is None or config is None or head is None:
            return None
        from vision_recipes.model_folder import ood

        content = self.read(entry, ood.MAX_BYTES)
        return ood.read_ood(content, self.where(entry), config, head.features, self.config.n_classes)

    @cached_property
    def reference_pictures(self) -> ReferencePictures | None:
        """What is kept of the pictures that the model was made from; None if it was not retrained or keeps nothing."""
        entry = self.config.files.reference
        if entry is None or self.config.head is None:
            return None
        from vision_recipes.model_folder import reference_pictures as reference

        width, content = reference.feature_width(self.config), self.read(entry, reference.MAX_BYTES)
        return reference.read_reference(content, self.where(entry), width, self.config.n_classes)

    def layer(self, index: int) -> Layer:
        """Return a layer by its index, negative ones from the end; raises ModelFolderError when there is none."""
        found = next((layer for layer in self.layers if layer.index == index), None)
        if index < 0 and -index <= len(self.layers):
            found = self.layers[index]
        if found is None:
            raise ModelFolderError(
                f"Model {self.name!r} has no layer {index}: its layers are {self.layers[0].index} to "
                f"{self.layers[-1].index}, or counted from the end -{len(self.layers)} to -1."
            )
        return found

    def where(self, entry: FileEntry) -> str:
        """Return the words for a file in messages."""
        return f"{entry.name} in model folder {self.store.name!r}"

    def read(self, entry: FileEntry, limit: int) -> bytes:
        """Return the bytes of a file, verified."""
        if entry.bytes > limit:
            raise ModelFolderError(f"{self.where(entry)} is larger than {limit} bytes. {NEXT_STEP}")
        try:
            content = read_bytes(self.store, "/" + entry.name, entry.bytes)
        except OSError as err:
            raise self._unreadable(entry, err) from err
        self._require(entry, len(content), hashlib.sha256(content).hexdigest())
        return content

    def fetch(self, entry: FileEntry, workdir: str | os.PathLike[str], name: str) -> Path:
        """Return a local copy of a file, verified while it is copied; a second call copies nothing if it is there."""
        target = Path(workdir) / name
        if self.fetched.get(entry.sha256) == target and target.exists():
            return target
        what = f"a copy of {self.where(entry)}, {entry.bytes / 1e6:.1f} MB"
        try:
            os.makedirs(workdir, exist_ok=True)  # a job that cleans up may have removed it
            with self.store.open("/" + entry.name) as stream:
                size, digest = copy_stream(stream, target, entry.bytes, what)
            self._require(entry, size, digest)
        except OSError as err:
            target.unlink(missing_ok=True)
            raise self._unreadable(entry, err) from err
        except VisionError:
            target.unlink(missing_ok=True)
            raise
        self.fetched[entry.sha256] = target
        return target

    def ir(self, workdir: str | os.PathLike[str]) -> Path:
        """Return the path of a verified model.xml in `workdir`, model.bin beside it.

        Input `pixels`: float32 (n, height, width, 3), raw RGB of 0 .. 255; `extra` too if the head has such columns.
        Results: `scores` first, then `layer:<index>` for every layer of `layers`.
        """
        self.fetch(self.config.files.bin, workdir, "model.bin")
        return self.fetch(self.config.files.xml, workdir, "model.xml")

    def weights(self, workdir: str | os.PathLike[str]) -> list[tuple[Path, str]]:
        """Return verified copies of the network's weights, then of the head's if it has a file: path, words for it."""
        files = (self.config.files.weights, "network.weights.h5"), (self.config.files.head, "head.weights.h5")
        return [(self.fetch(entry, workdir, name), self.where(entry)) for entry, name in files if entry is not None]

    def _require(self, entry: FileEntry, size: int, digest: str) -> None:
        if size != entry.bytes or digest != entry.sha256:
            raise ModelFolderError(
                f"{self.where(entry)} is not the file that config.json lists: {size} bytes, SHA-256 {digest[:12]}…, "
                f"where {entry.bytes} bytes with {entry.sha256[:12]}… are expected. {NEXT_STEP}"
            )

    def _unreadable(self, entry: FileEntry, err: OSError) -> ModelFolderError:
        reason = f"cannot be read ({err})"
        if isinstance(err, FileNotFoundError):
            reason = "is missing (never written, or removed since by another job)"
        return ModelFolderError(f"{self.where(entry)} {reason}, so the model is incomplete. {NEXT_STEP}")


def _read_config_bytes(store: Store) -> bytes:
    try:
        return read_bytes(store, "/" + CONFIG, MAX_BYTES)
    except FileNotFoundError as err:
        found = ", ".join(path.lstrip("/") for path in store.paths()[:8])
        raise ModelFolderError(
            f"Folder {store.name!r} has no {CONFIG}, so it is not a model folder (found: {found or 'nothing'}). "
            f"{NEXT_STEP}"
        ) from err
    except OSError as err:
        raise ModelFolderError(f"{CONFIG} in model folder {store.name!r} cannot be read: {err}. {NEXT_STEP}") from err
