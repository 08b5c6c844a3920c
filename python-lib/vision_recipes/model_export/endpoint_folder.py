"""The files of a Python function endpoint of DSS in a folder, and its answers as an API node gets them."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.dataset.splits import VALID
from vision_recipes.errors import ModelFolderError
from vision_recipes.model_export.endpoint_code import CODE, CODE_ZIP, MODEL, MODULE, REQUIREMENTS, endpoint_code
from vision_recipes.model_export.packed_code import pack
from vision_recipes.model_folder.config import CONFIG
from vision_recipes.model_folder.folder import Model
from vision_recipes.stores import read_bytes
from vision_recipes.strict_json import MAX_BYTES

PICTURE = "input"
"""The attribute of a query that holds a picture in base64."""

_QUERIES = 3
"""How many test queries there are at most."""

_SECONDS = 300
"""How long the endpoint may take to start and to answer its test queries."""

_ASK = f"""
import json, runpy, sys
function = runpy.run_path(sys.argv[1] + "/{CODE}", {{"folders": [sys.argv[1]]}})["api_py_function"]
json.dump([function(**query) for query in json.load(sys.stdin)], sys.stdout)
"""


def write_endpoint_folder(model: Model, settings: Mapping[str, Any], folder: Path) -> None:
    """Write what an endpoint needs to run: its code, the model, requirements and test queries.

    Of the model's files, those that scoring reads are copied, verified. Raises ModelFolderError for a model with a
    column that an endpoint cannot take.
    """
    columns = [column.name for column in model.extra_columns]
    if taken := sorted({PICTURE, "img_b64", "features"}.intersection(columns)):
        raise ModelFolderError(
            f"Model {model.name!r} takes a column named {taken[0]!r}, which is what a query calls its picture. Give "
            "the column another name and retrain the model."
        )
    packed = pack(MODULE)
    (folder / MODEL).mkdir(parents=True)
    (folder / MODEL / CONFIG).write_bytes(read_bytes(model.store, "/" + CONFIG, MAX_BYTES))
    files = model.config.files
    for entry in filter(None, (files.labels, files.xml, files.bin, files.check, files.known)):
        model.fetch(entry, folder / MODEL, entry.name)
    (folder / CODE_ZIP).write_bytes(packed)
    code = endpoint_code(model.name, packed, model.folder_hash, settings, columns)
    (folder / CODE).write_text(code, encoding="utf-8")
    (folder / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
    text = json.dumps(queries(model), indent=1, ensure_ascii=False) + "\n"
    (folder / "test_queries.json").write_text(text, encoding="utf-8")


def queries(model: Model) -> list[dict[str, Any]]:
    """Return test queries: with a validation picture where the model keeps some, else with a drawn one."""
    cells: dict[str, Any] = {
        column.name: column.mean if column.kind == "number" else column.categories[0] for column in model.extra_columns
    }
    return [{PICTURE: base64.b64encode(content).decode(), **cells} for content in _pictures(model)]


def answers(folder: Path, asked: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return what an endpoint answers to queries in a process of its own, started as an API node does.

    Raises ModelFolderError when it does not start, or not in time.
    """
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-P", "-c", _ASK, str(folder)],
            input=json.dumps(list(asked)),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as err:
        raise ModelFolderError(
            f"The endpoint does not answer its test query within {_SECONDS} s, so nothing is written. Free the "
            "processor and run the macro again, or use a smaller network."
        ) from err
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelFolderError(f"The endpoint does not start, so nothing is written: {last[:300]}")
    found: list[Any] = json.loads(done.stdout)
    return found


def _pictures(model: Model) -> list[bytes]:
    """Return the thumbnails of a few validation pictures of different labels; without any, a drawn picture."""
    kept = model.reference_pictures
    if kept is None:
        return [_drawn_picture()]
    found: dict[int, bytes] = {}
    for number in kept.rows(VALID):
        if kept.thumbnails[number] and kept.predicted[number] == kept.labels[number]:
            found.setdefault(int(kept.labels[number]), kept.thumbnails[number])
    return list(found.values())[:_QUERIES] or [_drawn_picture()]


def _drawn_picture() -> bytes:
    """Return a small PNG file of a disc on a ground that changes its colour from corner to corner."""
    from PIL import Image

    down, across = np.mgrid[0:96, 0:128]
    ground = np.stack([255 * across / 128, 255 * down / 96, np.full(down.shape, 120.0)], axis=2)
    disc = (across - 64) ** 2 + (down - 48) ** 2 < 30**2
    ground[disc] = (240, 200, 40)
    target = io.BytesIO()
    Image.fromarray(ground.astype(np.uint8)).save(target, "PNG")
    return target.getvalue()
