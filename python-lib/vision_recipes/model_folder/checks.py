"""Arrays stored with a model in .npz files, and the check among them: pictures with the scores that the model gives.

An engine, copy or export whose scores differ from the check's is refused.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.config import HeadConfig
from vision_recipes.model_folder.openvino_ir import EXTRA, PIXELS, SCORES
from vision_recipes.preprocessing import Preprocessing

NEXT_STEP = "Download, import or retrain the model again."

COUNT = 4
MAX_COUNT = 16
TOLERANCE = 1e-3
"""How far a float32 probability may be from the model's own. A wrong conversion moves it by hundredths. Adding up in
another order moves it by 1e-6 for most networks, and by some 1e-4 for deep ones with unusual statistics (as far as
Keras' float32 scores are from its float64 ones)."""

INT8_TOLERANCE = 0.1
"""The same for a network in int8, whose numbers are rounded in steps. On processors with instructions for int8 it moves
by 1e-6; where float32 stands in for them, another step is taken now and then, which moves it by hundredths."""

MAX_BYTES = 256 << 20
_HEADER = 4096
"""Bytes that the header of an array may take beside its data."""


_DAMAGED = (
    *(ValueError, OSError, EOFError, NotImplementedError, RuntimeError, OverflowError),
    *(zipfile.BadZipFile, zlib.error, SyntaxError, TokenError),
)
"""What reading a damaged archive raises: the last two come from numpy's reader of headers."""


@dataclass(frozen=True)
class Check:
    """Pictures uint8 (n, height, width, 3) RGB, and the scores float32 (n, classes) that the model gives them.

    `tolerance` is how far a probability may be from the model's own.
    """

    pictures: np.ndarray
    scores: np.ndarray
    tolerance: float = TOLERANCE

    def difference(self, scores: np.ndarray) -> float:
        """Return the largest difference of a probability from the model's own; infinity when the shapes differ.

        Of scores beyond 1 (the numbers of a feature vector) it is the part of the largest.
        """
        if scores.shape != self.scores.shape or not np.isfinite(scores).all():
            return float("inf")
        return float(np.abs(scores.astype(np.float64) - self.scores).max() / max(1.0, np.abs(self.scores).max()))

    def require(self, scores: np.ndarray, where: str, next_step: str = NEXT_STEP) -> None:
        """Raise ModelFolderError, which ends in the next step, when a probability moved by more than the tolerance."""
        moved = self.difference(scores)
        if moved > self.tolerance:
            raise ModelFolderError(
                f"{where} does not give the scores that the model gave when it was made: a probability differs by "
                f"{moved:.2g}, more than {self.tolerance:g}. {next_step}"
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


def check_columns(head: HeadConfig | None) -> np.ndarray:
    """Return the columns float32 (width,) of check pictures: none in an additive head, different ones in others."""
    width = head.extra_width if head else 0
    if head is None or head.columns == "additive":
        return np.zeros(width, np.float32)
    return np.cos(np.arange(width)).astype(np.float32)


def score_ir(xml: Path, pictures: np.ndarray, extra: np.ndarray | None = None) -> np.ndarray:
    """Return the scores that an IR gives to pictures uint8 (n, height, width, 3), in float32 on the CPU.

    `extra` float32 (width,) are the extra columns of all of them, if the network takes some.
    """
    import openvino as ov

    core = ov.Core()
    model = core.read_model(xml)
    for result in [result for result in model.get_results() if SCORES not in result.output(0).names]:
        model.remove_result(result)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    columns = {EXTRA: extra[None]} if extra is not None and len(extra) else {}
    return np.stack([compiled({PIXELS: p[None].astype(np.float32)} | columns)[SCORES][0].copy() for p in pictures])


def read_check(content: bytes, where: str, shape: tuple[int, int], classes: int) -> Check:
    """Return the check in check.npz; sizes are checked against the (height, width) and classes before reading."""
    limits = {"pictures": MAX_COUNT * shape[0] * shape[1] * 3, "scores": MAX_COUNT * classes * 4}
    pictures, scores = read_npz(content, where, limits).values()
    fits = pictures.shape[1:] == (*shape, 3) and scores.shape == (len(pictures), classes) and len(pictures) >= 1
    if not fits or pictures.dtype != np.uint8 or scores.dtype != np.float32 or not np.isfinite(scores).all():
        raise ModelFolderError(
            f"{where} does not fit the model: pictures {pictures.shape} {pictures.dtype}, "
            f"scores {scores.shape} {scores.dtype}. {NEXT_STEP}"
        )
    return Check(pictures, scores)


def write_check(check: Check) -> bytes:
    """Return the bytes of check.npz; the same check gives the same bytes."""
    return write_npz({"pictures": check.pictures, "scores": check.scores})


def write_ir_check(target: Path, xml: Path, preprocessing: Preprocessing, extra: np.ndarray | None = None) -> Check:
    """Write the check.npz of a network whose scores are by definition those of its IR, and return the check."""
    pictures = draw_pictures(preprocessing.width, preprocessing.height)
    check = Check(pictures, score_ir(xml, pictures, extra))
    target.write_bytes(write_check(check))
    return check


def read_npz(
    content: bytes, where: str, limits: Mapping[str, int], *, next_step: str = NEXT_STEP
) -> dict[str, np.ndarray]:
    """Return the arrays of an archive, which must be exactly those of `limits`: name -> maximum bytes of data.

    Raises ModelFolderError that names `where` and ends in the next step.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = {info.filename: info for info in archive.infolist()}
            allowed = {f"{name}.npy": limit + _HEADER for name, limit in limits.items()}
            if sorted(found) != sorted(allowed) or any(found[name].file_size > allowed[name] for name in allowed):
                raise ValueError(f"it holds {sorted(found)[:5]} of unexpected size")
            if {info.compress_type for info in found.values()} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise ValueError("it is compressed in an unexpected way")
            return {name: _read_array(_read_member(archive, found[f"{name}.npy"])) for name in limits}
    except _DAMAGED as err:
        raise ModelFolderError(f"{where} cannot be read: {err}. {next_step}") from err


def write_npz(arrays: Mapping[str, np.ndarray], level: int | None = None) -> bytes:
    """Return the bytes of an archive; the same arrays give the same bytes. `level` is from 1 (fast) to 9 (small)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED, level)
    return stream.getvalue()


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member; of one that unpacks to more than it says, no more than that is ever in memory."""
    with archive.open(info) as stream:
        return stream.read(max(1, info.file_size))


def _read_array(content: bytes) -> np.ndarray:
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("it has an array of another numpy format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    if fortran_order or dtype.hasobject:
        raise ValueError(f"it has an array of type {dtype}")
    return np.frombuffer(content[stream.tell() :], dtype=dtype).reshape(shape)
