"""What people read about a model: its card, and the list of its layers."""

from __future__ import annotations

from collections.abc import Sequence

from vision_recipes.model_folder.config import ModelConfig, Quantisation
from vision_recipes.model_folder.folder import Model
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.wording import counted, percent

ENDING = "`config.json` names the files of the model with their SHA-256; the other files are reports for people."
"""The sentence that is in every card, and identifies our cards."""


def write(config: ModelConfig, labels: Sequence[str], notes: str) -> bytes:
    """Return README.md of a model folder, in Markdown."""
    size = config.input
    own_layer = f", with a last layer of its own after {config.feature_layer}" if config.head else ""
    versions = ", ".join(f"{name} {version}" for name, version in config.versions.items())
    names = ", ".join(plain(name) for name in labels[:20]) + (", …" if len(labels) > 20 else "")
    lines = {
        "Network": config.network.architecture + own_layer,
        "Pictures": f"{size.width} x {size.height} pixels, {size.channels.upper()}, {_scaling(size)}, "
        f"resized by {_resizing(size)}",
        "Classes": f"{config.n_classes} ({names})",
        "Parameters": f"{sum(layer.parameters for layer in config.layers):,}",
        "Precision": plain(_precision(config.quantisation)),
        "Trained on": plain(config.trained_on),
        "Source": plain(config.source),
        "Licence": plain(config.licence),
        "Made": f"{config.created}, with {versions}",
    }
    parts = [
        f"# {plain(config.name)}",
        notes.strip(),
        "\n".join(f"- {name}: {value}" for name, value in lines.items() if value),
        ENDING,
        f"## Layers\n\n```\n{summarise(config)}\n```",
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode()


def facts(model: Model) -> dict[str, object]:
    """Return what people want to know of a model when it has been made: name and value."""
    config, size = model.config, model.preprocessing
    weights = config.files.weights or config.files.bin
    return {
        "Model": config.name,
        "Folder": model.store.name,
        "Classes": f"{config.n_classes}: {', '.join(model.labels[:5])}{', …' if config.n_classes > 5 else ''}",
        "Pictures": f"{size.width} x {size.height}, {size.channels.upper()}, {_resizing(size)}",
        "Scaling": _scaling(size),
        "Features": f"{model.feature_layer.size} from {config.feature_layer}",
        "Parameters": f"{sum(layer.parameters for layer in config.layers):,}",
        **({"Precision": precision} if (precision := _precision(config.quantisation)) else {}),
        "Weights": f"{weights.bytes / 1e6:.1f} MB, SHA-256 {weights.sha256[:16]}…",
    }


def _precision(quantisation: Quantisation | None) -> str:
    """Return the words for a network in int8; those in float32 have none."""
    if quantisation is None:
        return ""
    pictures = counted(quantisation.calibrated_on, "picture")
    return f"in int8, quantised from {quantisation.base}, calibrated on {pictures}"


def _resizing(size: Preprocessing) -> str:
    return size.resize if size.crop_fraction == 1 else f"{size.resize} of {percent(size.crop_fraction)}"


def _scaling(size: Preprocessing) -> str:
    return f"(x - {list(size.mean)}) / {list(size.std)}"


def summarise(config: ModelConfig) -> str:
    """Return the layers as a table in plain text: index from the end, name, kind, output, parameters."""
    table = [("index", "layer", "kind", "output", "parameters")]
    for index, layer in enumerate(config.layers, start=-len(config.layers)):
        shape = " x ".join("?" if side is None else str(side) for side in layer.shape)
        table.append((str(index), layer.name, layer.kind, shape, f"{layer.parameters:,}"))
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    total = sum(layer.parameters for layer in config.layers)
    return "\n".join([*lines, f"{total:,} parameters; features for retraining come from {config.feature_layer}"])


def layer_choices(config: ModelConfig) -> list[dict[str, object]]:
    """Return the layers that can be extracted, for a drop-down, from the scores backwards: index, name, values."""
    choices: list[dict[str, object]] = []
    for back, layer in enumerate(reversed(config.layers), start=1):
        spatial = f", averaged from {layer.shape[0]} x {layer.shape[1]}" if len(layer.shape) == 3 else ""
        label = f"-{back}: {layer.name} ({layer.kind}), {layer.size} values{spatial}"
        label += "; what retraining works on" if layer.name == config.feature_layer else ""
        choices.append({"value": -back, "label": label})
    return choices


def plain(text: str) -> str:
    """Return text from elsewhere as one line of Markdown without any marks that mean something."""
    line = " ".join(text.split())[:200]
    return "".join("\\" + character if character in "\\`*_[]<>#|" else character for character in line)
