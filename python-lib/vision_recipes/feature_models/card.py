"""README.md of a feature model: what people read about it."""

from __future__ import annotations

from vision_recipes.feature_models.leaderboard import Training
from vision_recipes.model_folder.model_card import plain


def write_card(training: Training) -> bytes:
    """Return the card, in Markdown."""
    data, best = training.data, training.found.best
    columns = ", ".join(column.name for column in data.choice.used) or "none"
    classes = ", ".join(data.target.classes[:20]) + (", …" if len(data.target.classes) > 20 else "")
    lines = {
        "Predicts": f"{data.column} ({data.target.task}: {data.target.reason})",
        "Classes": classes,
        "Vector": f"{data.rows.vectors.shape[1]} numbers of column {data.vector_column or '(several)'}",
        "Columns": columns,
        "Model": f"{training.name(best)}, {best.candidate.described}",
        "Rows": f"{len(data.rows.rows):,} of {data.name}",
    }
    listed = "\n".join(f"- {name}: {plain(value)}" for name, value in lines.items() if value)
    return f"# Model of {plain(data.column)}\n\n{plain(training.summary)}\n\n{listed}\n".encode()
