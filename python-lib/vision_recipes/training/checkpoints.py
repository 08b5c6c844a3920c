"""The best weights so far, kept in the cache folder, so that a training that was killed resumes from them."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vision_recipes.stores import Store, read_bytes
from vision_recipes.training.epochs import Epoch

log = logging.getLogger("vision_recipes")

_SLACK = 1 << 16


@dataclass(frozen=True)
class Checkpoints:
    """Checkpoints of one training; `key` is a hash of all that determines it, so that no other training takes them."""

    store: Store
    key: str

    @property
    def path(self) -> str:
        """The file in the store."""
        return f"/training/{hashlib.sha256(self.key.encode()).hexdigest()[:32]}.npz"

    def save(self, epochs: Sequence[Epoch], weights: Sequence[np.ndarray]) -> None:
        """Save the weights after the last of the epochs."""
        history = np.frombuffer(json.dumps([asdict(epoch) for epoch in epochs]).encode(), np.uint8)
        stream = io.BytesIO()
        arrays: dict[str, Any] = {f"weight{place}": values for place, values in enumerate(weights)}
        np.savez(stream, epochs=history, **arrays)
        self.store.write(self.path, stream.getvalue())

    def load(self, like: Sequence[np.ndarray]) -> tuple[list[Epoch], list[np.ndarray]] | None:
        """Return the epochs and the weights after the last of them, or None; weights must fit `like` and be finite."""
        limit = sum(values.nbytes + _SLACK for values in like) + (1 << 24)
        try:
            return _read(read_bytes(self.store, self.path, limit), like, limit)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, NotImplementedError) as err:
            log.warning("training starts anew: its checkpoint in the cache folder cannot be used (%s)", err)
            return None

    def clear(self) -> None:
        """Delete the checkpoint: the training has ended."""
        self.store.delete(self.path)


def _read(content: bytes, like: Sequence[np.ndarray], limit: int) -> tuple[list[Epoch], list[np.ndarray]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > limit:
            raise ValueError("it is too large")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        weights = [np.asarray(arrays[f"weight{place}"]) for place in range(len(like))]
        epochs = [Epoch(**row) for row in json.loads(arrays["epochs"].tobytes())]
    for found, expected in zip(weights, like, strict=True):
        if found.shape != expected.shape or found.dtype != expected.dtype or not np.isfinite(found).all():
            raise ValueError(f"weights {found.shape} {found.dtype} do not fit")
    if not epochs:
        raise ValueError("it has no epochs")
    return epochs, weights
