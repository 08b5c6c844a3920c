"""Which icon a node of the flow has: that of its kind, and of what its name says it does."""

from __future__ import annotations

import re
from collections.abc import Iterable

from minihost.projects.flow_graph import Node

STEPS: dict[str, tuple[str, ...]] = {
    "check": ("check", "audit", "clean", "valid", "quality", "spell"),
    "train": ("train", "retrain", "fit", "finetune", "learn", "tune", "regression", "automl"),
    "time": ("time", "timeseries", "forecast", "date", "calendar", "period"),
    "text": ("text", "nlp", "translat", "language", "sentence", "word", "ocr", "document", "message", "ontology"),
    "measure": ("evaluat", "metric", "compar", "statistic", "stats", "monitor", "measur", "test", "benchmark"),
    "look": ("explain", "saliency", "visual", "draw", "plot", "chart", "view", "search"),
    "label": ("classif", "predict", "scor", "label", "tag", "detect", "recogn", "infer", "moderat", "segment"),
    "download": ("download", "fetch", "get", "import", "load", "pull", "read"),
    "upload": ("export", "upload", "send", "publish", "upsert", "append", "push", "write", "sync"),
    "picture": ("image", "picture", "photo", "video", "camera", "samples", "art"),
    "place": ("geo", "geocod", "map", "country", "location", "weather"),
    "split": ("split", "filter", "sampl", "select", "window", "extrema"),
    "join": ("join", "merge", "link", "graph", "cluster", "recommend", "similar", "match"),
    "vector": ("extract", "embed", "feature", "vector", "encod", "decompos"),
    "table": ("sql", "table", "column", "rename", "query", "dataset", "excel", "pivot", "row"),
}
"""Icon -> beginnings of words in the names of components; the first icon that fits is taken."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def icon(node: Node, roles: Iterable[str], *, is_cache: bool) -> str:
    """Return the name of a node's icon; `roles` are those in which steps read and make it."""
    if node.is_step:
        words = [word.lower() for word in _WORD.findall(node.component.rpartition("/")[2])]
        return next((name for name, starts in STEPS.items() if _fits(words, starts)), node.kind)
    if is_cache:
        return "cache"
    if node.kind == "dataset":
        return "database" if "::" in node.name else "table"
    words = [word.lower() for role in roles for word in _WORD.findall(role)]
    return next((name for name in ("model", "report") if name in words), "folder")


def _fits(words: list[str], starts: tuple[str, ...]) -> bool:
    """Whether a word is one of the beginnings, or begins with one that is long enough to mean it."""
    return any(word == start or (len(start) > 3 and word.startswith(start)) for word in words for start in starts)
