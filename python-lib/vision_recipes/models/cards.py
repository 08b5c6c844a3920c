"""What people read about a model: its card, and the list of its layers."""

from __future__ import annotations

from collections.abc import Sequence

from vision_recipes.models.config import ModelConfig
from vision_recipes.models.folder import Model


def write(config: ModelConfig, labels: Sequence[str], notes: str) -> bytes:
    """Return README.md of a model folder, in Markdown."""
    size, head = config.input, config.head
    shown = ", ".join(_plain(name) for name in labels[:20]) + (", …" if len(labels) > 20 else "")
    parts = [
        f"# {_plain(config.name)}",
        notes.strip(),
        f"- Network: {config.network.architecture}"
        + (f", own last layer after {config.feature_layer}" if head else ""),
        f"- Pictures: {size.width} x {size.height} pixels, {size.channels.upper()}, "
        f"(x - {list(size.mean)}) / {list(size.std)}",
        f"- Classes: {config.n_classes} ({shown})",
        f"- Parameters: {sum(layer.parameters for layer in config.layers):,}",
        f"- Trained on: {_plain(config.trained_on)}" if config.trained_on else "",
        f"- Source: {_plain(config.source)}" if config.source else "",
        f"- Licence: {_plain(config.licence)}" if config.licence else "",
        f"- Made: {config.created}, with "
        + ", ".join(f"{name} {version}" for name, version in config.versions.items()),
        "",
        "`config.json` names the files of the model with their SHA-256. Reports beside them are for people.",
    ]
    return (
        "\n".join(part for i, part in enumerate(parts) if part or i >= 10).replace("\n- Network", "\n\n- Network")
        + "\n"
    ).encode()


def facts(model: Model) -> dict[str, object]:
    """Return what people want to know of a model when it has been made: name and value."""
    config, size = model.config, model.preprocessing
    return {
        "Model": config.name,
        "Folder": model.store.name,
        "Classes": f"{config.n_classes}: {', '.join(model.labels[:5])}{', …' if config.n_classes > 5 else ''}",
        "Pictures": f"{size.width} x {size.height}, {size.channels.upper()}, {size.resize}",
        "Scaling": f"(x - {list(size.mean)}) / {list(size.std)}",
        "Features": f"{model.feature_layer.size} from {config.feature_layer}",
        "Parameters": f"{sum(layer.parameters for layer in config.layers):,}",
        "Weights": f"{config.files.weights.bytes / 1e6:.1f} MB, SHA-256 {config.files.weights.sha256[:16]}…",
    }


def summarise(config: ModelConfig) -> str:
    """Return the layers as a table in plain text: index from the end, name, kind, output, parameters."""
    count = len(config.layers)
    rows = [
        (
            str(place - count),
            layer.name,
            layer.kind,
            " x ".join("?" if side is None else str(side) for side in layer.shape),
            f"{layer.parameters:,}",
        )
        for place, layer in enumerate(config.layers)
    ]
    table = [("index", "layer", "kind", "output", "parameters"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    total = sum(layer.parameters for layer in config.layers)
    return "\n".join([*lines, f"{total:,} parameters; features for retraining come from {config.feature_layer}"])


def _plain(text: str) -> str:
    line = " ".join(text.split())[:200]
    return "".join("\\" + character if character in "\\`*_[]<>#|" else character for character in line)
