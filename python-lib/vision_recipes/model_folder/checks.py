"""The pictures and scores that every model carries, so that an engine or copy with other answers is refused."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from vision_recipes.errors import ModelFolderError

COUNT = 4
MAX_COUNT = 16
TOLERANCE = 1e-3
"""How far a float32 probability may lie from the model's own. A wrong conversion moves it by hundredths; adding up in
another order by 1e-6 for most networks, by some 1e-4 for deep ones whose statistics are odd (as far as Keras' float32
answers lie from its float64 ones)."""

LIMIT = 256 << 20


@dataclass(frozen=True)
class Check:
    """Pictures uint8 (n, height, width, 3) RGB, and the scores float32 (n, classes) that the model gives them."""

    pictures: np.ndarray
    scores: np.ndarray

    def difference(self, scores: np.ndarray) -> float:
        """Return the largest difference of a probability from the model's own; infinity when the shapes differ."""
        if scores.shape != self.scores.shape or not np.isfinite(scores).all():
            return float("inf")
        return float(np.abs(scores.astype(np.float64) - self.scores).max())

    def require(self, scores: np.ndarray, where: str) -> None:
        """Raise ModelFolderError when a probability moved by more than TOLERANCE."""
        moved = self.difference(scores)
        if moved > TOLERANCE:
            raise ModelFolderError(
                f"{where} does not give the answers that the model gave when it was made: a probability differs by "
                f"{moved:.2g}, more than {TOLERANCE:g}. Fetch or retrain the model again."
            )


def draw_pictures(width: int, height: int) -> np.ndarray:
    """Return the check pictures, uint8 (COUNT, height, width, 3): waves, tiles, discs and a ramp, always the same."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    y, x = (y + 0.5) / height, (x + 0.5) / width
    drawn = []
    for number in range(COUNT):
        draw = np.random.default_rng(number)
        side = 3 + 2 * number
        tiles = draw.uniform(0, 255, (side, side, 3))[(y * side).astype(int), (x * side).astype(int)]
        turns = draw.uniform(1, 6, (2, 3))
        waves = 127.5 + 127.5 * np.sin(2 * np.pi * (x[..., None] * turns[0] + y[..., None] * turns[1]))
        disc = np.hypot(x - draw.uniform(0.3, 0.7), y - draw.uniform(0.3, 0.7)) < draw.uniform(0.15, 0.35)
        drawn.append(np.where(disc[..., None], waves, tiles) // 16 * 16 + 8)
    return np.clip(np.stack(drawn), 0, 255).astype(np.uint8)


def write_check(check: Check) -> bytes:
    """Return the bytes of check.npz; the same check gives the same bytes."""
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in (("pictures", check.pictures), ("scores", check.scores)):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def read_check(content: bytes, where: str, shape: tuple[int, int], classes: int) -> Check:
    """Return the check in an npz file; sizes are held against the (height, width) and classes before reading."""
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: info.file_size for info in archive.infolist()}
            limits = {"pictures.npy": MAX_COUNT * shape[0] * shape[1] * 3, "scores.npy": MAX_COUNT * classes * 4}
            if sorted(members) != sorted(limits) or any(members[name] > limits[name] + 4096 for name in limits):
                raise ValueError(f"holds {sorted(members)[:4]} of unexpected size")
            pictures, scores = (read_array(archive.read(name)) for name in ("pictures.npy", "scores.npy"))
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as err:
        raise ModelFolderError(f"{where} cannot be read: {err}. Fetch or retrain the model again.") from err
    fits = pictures.shape[1:] == (*shape, 3) and scores.shape == (len(pictures), classes) and len(pictures) >= 1
    if not fits or pictures.dtype != np.uint8 or scores.dtype != np.float32 or not np.isfinite(scores).all():
        raise ModelFolderError(
            f"{where} does not fit the model: pictures {pictures.shape} {pictures.dtype}, "
            f"scores {scores.shape} {scores.dtype}. Fetch or retrain the model again."
        )
    return Check(pictures, scores)


def read_array(content: bytes) -> np.ndarray:
    """Return the array of an .npy file; never one of objects."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("has an array of another numpy format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    if fortran_order or dtype.hasobject:
        raise ValueError(f"has an array of kind {dtype}")
    values = np.frombuffer(content[stream.tell() :], dtype=dtype)
    return values.reshape(shape)
