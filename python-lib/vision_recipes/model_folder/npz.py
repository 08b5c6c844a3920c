"""Small .npz archives of a model folder: plain arrays, sizes checked before they are read, no pickle."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from vision_recipes.errors import ModelFolderError

_HEADER = 4096
"""Bytes that the header of an array may take beside its data."""


def read_npz(content: bytes, where: str, limits: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return the arrays of an archive, which must be exactly those of `limits`: name -> maximum bytes of data.

    Raises ModelFolderError that names `where`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            allowed = {f"{name}.npy": limit + _HEADER for name, limit in limits.items()}
            if sorted(sizes) != sorted(allowed) or any(sizes[name] > allowed[name] for name in allowed):
                raise ValueError(f"it holds {sorted(sizes)[:5]} of unexpected size")
            return {name: _read_array(archive.read(f"{name}.npy")) for name in limits}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as err:
        raise ModelFolderError(f"{where} cannot be read: {err}. Fetch or retrain the model again.") from err


def write_npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the bytes of an archive; the same arrays give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _read_array(content: bytes) -> np.ndarray:
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("it has an array of another numpy format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    if fortran_order or dtype.hasobject:
        raise ValueError(f"it has an array of type {dtype}")
    return np.frombuffer(content[stream.tell() :], dtype=dtype).reshape(shape)
