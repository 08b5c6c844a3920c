"""Heads with random weights, for each way in which a head joins columns with features, and for a kernel layer."""

from __future__ import annotations

import numpy as np

from vision_recipes.model_folder.head_formulas import HiddenLayer, KernelLayer
from vision_recipes.model_folder.heads import Head
from vision_recipes.preprocessing import ExtraColumn

EXTRA = (ExtraColumn("price", "number", 10.0, 2.0), ExtraColumn("town", "category", categories=("Rome", "Oslo")))
FORMULAS = ("additive", "interactions", "hidden", "kernel")


def head_of(formula: str, features: int, classes: int = 3, extra: tuple[ExtraColumn, ...] = EXTRA) -> Head:
    """Return a head of a formula for so many features."""
    draw = np.random.default_rng(7)
    width = sum(column.width for column in extra)
    joined = features + width
    rows = {"additive": joined, "interactions": joined + features * width, "hidden": 5, "kernel": 5 + width}[formula]
    kernel = draw.normal(0, 0.5, (rows, classes)).astype(np.float32)
    hidden = None
    if formula == "hidden":
        weights = draw.normal(0, 0.3, (joined, rows)), draw.normal(0, 0.1, rows)
        hidden = HiddenLayer(*(values.astype(np.float32) for values in weights))
    layer = None
    if formula == "kernel":
        shapes, formula = ((features, 4), (4,), (4, 5), (5,)), "additive"
        layer = KernelLayer(*(draw.normal(0, 0.3, shape).astype(np.float32) for shape in shapes))
    labels = tuple("abcdefgh"[:classes])
    bias = np.full(classes, 0.1, np.float32)
    return Head(kernel, bias, labels, extra=extra, columns=formula, hidden=hidden, kernel_layer=layer)
