"""Wheels made on the spot, so that code environments are built without a network: `PIP_NO_INDEX` and `PIP_FIND_LINKS`."""

import zipfile
from pathlib import Path

NUMPY = "__version__ = {version!r}"
MADE_FOR_NUMPY_1 = """
import numpy
if numpy.__version__ >= "2":
    raise ImportError("numpy.core.multiarray failed to import")
"""


def write_wheel(folder: Path, name: str, version: str, files=None, requires=(), tag="py3-none-any") -> Path:
    """Write a wheel with these files (path -> text; one module of its name where none are given)."""
    stem = name.replace("-", "_")
    files = {f"{stem}.py": ""} if files is None else files
    facts = f"{stem}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        **files,
        f"{facts}/METADATA": metadata,
        f"{facts}/WHEEL": f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    path = folder / f"{stem}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for place, text in files.items():
            archive.writestr(place, text)
        archive.writestr(f"{facts}/RECORD", "".join(f"{place},,\n" for place in [*files, f"{facts}/RECORD"]))
    return path
