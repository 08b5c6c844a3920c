"""ONNX files of image networks made elsewhere: converted in a process with limits, then put into a model folder."""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from pathlib import Path, PurePosixPath

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_folder import catalogue
from vision_recipes.model_folder.child_process import REFUSED, call_main, last_line, read_request
from vision_recipes.model_folder.commit import commit
from vision_recipes.model_folder.config import Network
from vision_recipes.model_folder.labels import write_labels
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.model_import.label_files import read_foreign_labels
from vision_recipes.model_import.onnx_descriptions import CONFIG, PREPROCESSOR, Description, describe
from vision_recipes.model_import.onnx_network import OnnxNetwork, OnnxRequest, convert
from vision_recipes.model_import.sources import Source, is_onnx
from vision_recipes.stores import Store, read_bytes

SUFFIX = ".onnx"
MAX_BYTES = 2 << 30
MAX_DESCRIPTION = 8 << 20
TIME_LIMIT = 900
MEMORY, MEMORY_PER_BYTE = 3 << 30, 8
"""Bytes of memory that the converting process may take: so many, and so many for each byte of the file."""

_ERRORS = {kind.__name__: kind for kind in (ModelFolderError, SettingsError)}


def is_onnx_file(source: Source) -> bool:
    """Return whether the model is an ONNX file, by its name or by how it starts."""
    named = source.model.lower().endswith(SUFFIX)
    return named or bool(source.model) and is_onnx(read_bytes(source.store, source.model, 7))


def import_onnx(source: Source, settings: ImportSettings, output: Store, workdir: Path) -> tuple[str, ...]:
    """Write the model folder of an ONNX file and return notes for people. Raises ModelFolderError or SettingsError."""
    path = source.copy(source.model, workdir)
    if path.stat().st_size > MAX_BYTES:
        raise ModelFolderError(f"{source.where} is larger than {MAX_BYTES} bytes. Export a smaller network.")
    description = _description(source)
    target = path.with_name("model.xml")
    request = OnnxRequest(str(path), source.where, settings, description, _has_labels(source, settings), str(target))
    network = _convert_apart(request)
    name = re.sub(r"[^A-Za-z0-9_. ()+-]", "_", PurePosixPath(source.model).stem).lstrip("_. ()+-")[:90] or "model"
    spec = ModelSpec(
        name=name,
        network=Network(f"{name} (ONNX)", classes=network.width),
        input=network.preprocessing,
        labels=_labels(source, settings, description, network),
        feature_layer=network.feature_layer,
        source=f"imported from {PurePosixPath(source.model).name}",
        notes=_sentences(network.notes),
    )
    files = {"xml": target, "bin": target.with_suffix(".bin"), "check": target.with_name("check.npz")}
    commit(output, spec, network.layers, files)
    return network.notes


def tells_scaling(source: Source) -> bool:
    """Return whether a file beside the model says how its pictures are scaled."""
    return bool(_description(source).mean)


def _description(source: Source) -> Description:
    """Return what the JSON files beside the model tell, or those one folder up, where exporters leave them."""
    own = PurePosixPath(source.model)
    for folder in (own.parent, own.parent.parent) if own.parent.name else (own.parent,):
        files = {}
        for name in (PREPROCESSOR, CONFIG):
            with suppress(OSError):
                files[name] = read_bytes(source.store, str(folder / name), MAX_DESCRIPTION)
        if files:
            return describe(files, source.store.name)
    return Description()


def _has_labels(source: Source, settings: ImportSettings) -> bool:
    """Return whether there is a file of labels that must fit; those of a config.json may be of another output."""
    return bool(settings.labels_file) or bool(source.labels) and PurePosixPath(source.labels).name != CONFIG


def _labels(
    source: Source, settings: ImportSettings, description: Description, network: OnnxNetwork
) -> tuple[str, ...]:
    if network.vector:
        return tuple(str(number) for number in range(network.width))
    if _has_labels(source, settings):
        return read_foreign_labels(source.read_labels(), source.where_labels, network.width)
    if len(description.labels) == network.width:
        content = write_labels(description.labels)
        return read_foreign_labels(content, f"{CONFIG} in {source.store.name!r}", network.width)
    if network.width == 1000:
        return catalogue.imagenet_labels()
    return tuple(f"class_{number}" for number in range(network.width))


def _sentences(notes: tuple[str, ...]) -> str:
    return " ".join(f"{note[:1].upper()}{note[1:]}." for note in notes)


def _convert_apart(request: OnnxRequest) -> OnnxNetwork:
    """Convert in a process with limits on memory and time."""
    from subprocess import TimeoutExpired

    target = Path(request.target)
    try:
        done = call_main(__name__, request, target.parent, TIME_LIMIT)
    except TimeoutExpired as err:
        raise ModelFolderError(
            f"{request.where} is not converted after {TIME_LIMIT} s, so it is refused. Simplify it before the export."
        ) from err
    if done.returncode == REFUSED:
        refusal = json.loads(last_line(done.stderr))
        raise _ERRORS[refusal["kind"]](refusal["message"])
    if done.returncode:
        raise ModelFolderError(
            f"{request.where} could not be converted within {_memory(request) / 1e9:.1f} GB of memory "
            f"(code {done.returncode}: {last_line(done.stderr)[:200]}). Export it again with fixed sizes, or a smaller "
            "one."
        )
    return strict_json.read(OnnxNetwork, json.loads(target.with_name("result.json").read_text("utf-8")), "the result")


def _memory(request: OnnxRequest) -> int:
    return MEMORY + MEMORY_PER_BYTE * Path(request.file).stat().st_size


def main() -> None:
    """Carry out the request whose file is the first argument; an error for the user is the last line on stderr."""
    request = read_request(OnnxRequest)
    _limit_memory(_memory(request))
    try:
        network = convert(request)
    except (ModelFolderError, SettingsError) as err:
        print(json.dumps({"kind": type(err).__name__, "message": str(err)}), file=sys.stderr)
        raise SystemExit(REFUSED) from None
    Path(request.target).with_name("result.json").write_text(json.dumps(strict_json.write(network)), encoding="utf-8")


def _limit_memory(size: int) -> None:
    """Limit the memory of this process, where the system can."""
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
