"""What an endpoint keeps of the pictures it answered, for vision-monitor: features and answers, no pictures or names.

A log is a folder of `.npz` files of at most 1000 pictures. A file is written whole and replaced by a longer one until
it is full; the oldest files go when there are too many pictures. Several processes and models may share a folder.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from vision_recipes import strict_json
from vision_recipes.errors import EmbeddingLogError, VisionError
from vision_recipes.model_folder.checks import read_npz, write_npz
from vision_recipes.stores import Store, read_bytes

log = logging.getLogger("vision_recipes")

ROWS = 20_000
"""How many pictures a log keeps, unless asked for another number."""

_ROWS_OF_FILE, _BYTES_OF_FILE, _MAX_FILES = 1000, 16 << 20, 1000
_TEXT_BYTES = 16 << 20
_DELETE = "Delete that file, then run again."
_WAITING = 8
"""How many files may wait for a slow folder, in memory."""

_SECONDS = 60.0
"""How long a picture waits at most until it is written to the folder."""

_NAME = re.compile(r"/embeddings-(?P<model>[0-9a-f]{16})-(?P<began>\d{13}-[0-9a-f]{8})-(?P<rows>\d{4})\.npz")
_MODEL_DIGITS = 16
_FEATURES, _PROBABILITIES, _TIMES, _TEXTS = "features", "probabilities", "times", "texts"
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Embeddings:
    """What a log says of n pictures, the oldest first.

    `features` float32 (n, d), as the network's head takes them (stored in half precision); `labels` are the predicted
    ones, `probabilities` float32 (n,) theirs, `verdicts` "" without a detector, `times` float64 (n,) in seconds since
    1970.
    """

    features: np.ndarray
    labels: tuple[str, ...]
    probabilities: np.ndarray
    verdicts: tuple[str, ...]
    times: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


class EmbeddingLog:
    """The log of one model in a folder, to write; `model_hash` is Model.folder_hash. It may be shared by threads.

    Files are written in the background. A folder that cannot be written to costs log rows and a warning, nothing else.
    """

    def __init__(self, folder: Store, model_hash: str, rows: int = ROWS, *, width: int | None = None) -> None:
        """Make the log; of each picture the first `width` features are kept (reference_pictures.feature_width)."""
        self._folder, self._model_hash, self._rows, self._width = folder, model_hash, max(rows, 1), width
        self._lock = threading.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="embedding-log")
        self._writing: list[Future[None]] = []
        self._failed = self._closed = False
        self._buffer: list[tuple[np.ndarray, str, float, str, float]] = []
        self._unsaved = 0
        self._timer: threading.Timer | None = None
        self._began, self._path = _new_name(), ""

    def add(
        self,
        features: np.ndarray,
        labels: Sequence[str],
        probabilities: Sequence[float] | np.ndarray,
        verdicts: Sequence[str],
        times: Sequence[float] | np.ndarray,
    ) -> None:
        """Add n pictures: features (n, d), predicted labels with their probabilities, verdicts, seconds since 1970.

        Returns at once. A picture whose features are not finite is left out.
        """
        features = features[:, : self._width]
        kept = np.clip(features, -_LARGEST, _LARGEST).astype(np.float16)
        finite = np.isfinite(features).all(axis=1)
        with self._lock:
            for row in zip(kept[finite], *(_picked(part, finite) for part in (labels, probabilities, verdicts, times))):  # noqa: B905
                self._buffer.append((row[0], str(row[1]), float(row[2]), str(row[3]), float(row[4])))
                self._unsaved += 1
                if len(self._buffer) >= self._rows_of_file(kept.shape[1]):
                    self._save(full=True)
            self._save_later()

    def _save_later(self) -> None:
        """Have what is left written in a while, whether or not other pictures come."""
        if self._unsaved and self._timer is None:
            self._timer = threading.Timer(_SECONDS, self._save_now)
            self._timer.daemon = True
            self._timer.start()

    def _save_now(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._timer = None
            if self._unsaved:
                self._save(full=False)
            self._save_later()

    def close(self) -> None:
        """Write what is left, and wait until it is in the folder."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            if self._unsaved:
                self._save(full=False, wait=True)
        self._writer.shutdown()

    def _rows_of_file(self, width: int) -> int:
        return max(1, min(_ROWS_OF_FILE, self._rows, _BYTES_OF_FILE // (2 * width)))

    def _save(self, *, full: bool, wait: bool = False) -> None:
        """Send the buffer to the folder, behind those that are still under way; when they are many, it is lost."""
        self._writing = [writing for writing in self._writing if not writing.done()]
        if wait or len(self._writing) < (_WAITING if full else 1):
            name = f"/embeddings-{self._model_hash[:_MODEL_DIGITS]}-{self._began}-{len(self._buffer):04d}.npz"
            self._writing.append(self._writer.submit(self._write, list(self._buffer), name, self._path))
            self._path, self._unsaved = name, 0
        elif full:
            log.warning(
                "the log of embeddings in %r is too slow: %d pictures are lost", self._folder.name, self._unsaved
            )
        if full:
            self._buffer, self._unsaved = [], 0
            self._began, self._path = _new_name(), ""

    def _write(self, rows: list[tuple[np.ndarray, str, float, str, float]], name: str, replaced: str) -> None:
        """Write one file, then remove the shorter one that it replaces, and the oldest ones beyond the bound."""
        try:
            self._folder.write(name, _encode(rows, self._model_hash))
            if replaced:
                self._folder.delete(replaced)
            for path in _beyond(self._folder.paths(), self._rows):
                self._folder.delete(path)
            self._failed = False
        except Exception as err:  # storages raise anything; answers must never wait for a log
            if not self._failed:
                log.warning(
                    "the log of embeddings cannot be written to %r: %s. Check its rights and free space; pictures are "
                    "answered without it meanwhile.",
                    self._folder.name,
                    err,
                )
            self._failed = True


def read_embedding_log(folder: Store, model_hash: str, width: int, rows: int = ROWS) -> Embeddings:
    """Return the newest `rows` pictures at most that a folder's log has of a model, with their first `width` features.

    Raises EmbeddingLogError when there is none of this model, naming those there are, or when a file is damaged.
    """
    found = _files(folder.paths())
    own = [path for path, match in found if match["model"] == model_hash[:_MODEL_DIGITS]]
    if not own:
        others = sorted({match["model"] for _, match in found})
        there = f"only of other models ({', '.join(others[:3])})" if others else "no log at all"
        raise EmbeddingLogError(
            f"embedding_log: folder {folder.name!r} has {there}, none of the connected model "
            f"({model_hash[:_MODEL_DIGITS]}). Connect the model folder that vision-serve answers from, "
            "or the log that it wrote; pictures are in it after a minute at most."
        )
    parts: list[Embeddings] = []
    for path in reversed(own):
        if sum(map(len, parts)) >= rows:
            break
        try:
            content = read_bytes(folder, path, 2 * _BYTES_OF_FILE + _TEXT_BYTES)
        except FileNotFoundError:  # the endpoint has replaced or removed it since
            continue
        except OSError as err:
            raise EmbeddingLogError(f"{path} in the log {folder.name!r} cannot be read: {err}. Run again.") from err
        parts.append(_decode(content, f"{path} in the log {folder.name!r}", model_hash, width))
    if not parts:
        raise EmbeddingLogError(
            f"embedding_log: the files of {folder.name!r} went away while they were read. Run again."
        )
    return _newest(parts, rows)


def _newest(parts: Sequence[Embeddings], rows: int) -> Embeddings:
    times = np.concatenate([part.times for part in parts])
    order = np.argsort(times, kind="stable")[-rows:]
    labels = [label for part in parts for label in part.labels]
    verdicts = [verdict for part in parts for verdict in part.verdicts]
    return Embeddings(
        np.concatenate([part.features for part in parts])[order],
        tuple(labels[place] for place in order),
        np.concatenate([part.probabilities for part in parts])[order],
        tuple(verdicts[place] for place in order),
        times[order],
    )


def _encode(rows: Sequence[tuple[np.ndarray, str, float, str, float]], model_hash: str) -> bytes:
    features, labels, probabilities, verdicts, times = zip(*rows, strict=True)
    texts = json.dumps({"model": model_hash, "labels": labels, "verdicts": verdicts}, ensure_ascii=False).encode()
    return write_npz(
        {
            _FEATURES: np.stack(features),
            _PROBABILITIES: np.array(probabilities, np.float32),
            _TIMES: np.array(times, np.float64),
            _TEXTS: np.frombuffer(texts, np.uint8),
        }
    )


def _decode(content: bytes, where: str, model_hash: str, width: int) -> Embeddings:
    """Return what a file says; every size is checked before an array is made, and nothing is unpickled."""
    limits = {
        _FEATURES: max(_BYTES_OF_FILE, 2 * width),
        _PROBABILITIES: 4 * _ROWS_OF_FILE,
        _TIMES: 8 * _ROWS_OF_FILE,
        _TEXTS: _TEXT_BYTES,
    }
    try:
        arrays = tuple(read_npz(content, where, limits, next_step=_DELETE).values())
        features, probabilities, times, texts = arrays
        if [part.dtype.str for part in arrays] != ["<f2", "<f4", "<f8", "|u1"]:
            raise ValueError("its arrays are of unexpected types")
        said = strict_json.loads(texts.tobytes().decode())
        labels, verdicts, count = said["labels"], said["verdicts"], len(features)
        if said["model"] != model_hash:
            raise ValueError(
                f"it is of the model {str(said['model'])[:_MODEL_DIGITS]}, not {model_hash[:_MODEL_DIGITS]}"
            )
        if features.shape[1:] < (width,) or features.ndim != 2 or count > _ROWS_OF_FILE:
            raise ValueError(f"its features are {features.shape}, where the model has {width} of a picture")
        if probabilities.shape != (count,) or times.shape != (count,):
            raise ValueError("its probabilities and times are not one for each picture")
        for texts_of_pictures in (labels, verdicts):
            if len(texts_of_pictures) != count or not all(isinstance(text, str) for text in texts_of_pictures):
                raise ValueError("its labels are not one for each picture")
        if not all(np.isfinite(part).all() for part in (features, probabilities, times)):
            raise ValueError("it holds numbers that are not finite")
    except VisionError as err:
        raise EmbeddingLogError(str(err)) from err
    except (ValueError, KeyError, TypeError) as err:  # of other JSON than what is written here
        raise EmbeddingLogError(f"{where} is not a file of this model's log: {err}. {_DELETE}") from err
    return Embeddings(features[:, :width].astype(np.float32), tuple(labels), probabilities, tuple(verdicts), times)


def _files(paths: Sequence[str]) -> list[tuple[str, re.Match[str]]]:
    """Return the files of logs among paths, the oldest first; of a file written again, the longest alone."""
    matches = sorted(
        (match for path in paths if (match := _NAME.fullmatch(path))), key=lambda m: (m["began"], m["rows"])
    )
    longest = {match["model"] + match["began"]: match for match in matches}
    return [(match.string, match) for match in longest.values()]


def _beyond(paths: Sequence[str], rows: int) -> list[str]:
    """Return the paths to remove so that at most `rows` pictures are left: the oldest, and shorter ones left behind."""
    kept: set[str] = set()
    total = 0
    for path, match in reversed(_files(paths)):
        total += int(match["rows"])
        if (total > rows and kept) or len(kept) == _MAX_FILES:
            break
        kept.add(path)
    return [path for path in paths if _NAME.fullmatch(path) and path not in kept]


def _picked(values: Sequence[object] | np.ndarray, chosen: np.ndarray) -> list[object]:
    return [value for value, keep in zip(values, chosen, strict=True) if keep]


def _new_name() -> str:
    return f"{int(time.time() * 1000):013d}-{secrets.token_hex(4)}"
