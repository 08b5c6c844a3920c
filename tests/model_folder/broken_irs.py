"""Model folders whose IR is hostile or damaged, made from a small model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from model_folder.small import change_config

from vision_recipes.model_folder.openvino_ir import write_ir

Edit = Callable[[str], str]


def edit_xml(folder: Path, change: Edit) -> None:
    """Rewrite a folder's model.xml, and its hash in config.json as an attacker would."""
    path = folder / "model.xml"
    text = path.read_text("utf-8")
    changed = change(text)
    assert changed != text
    path.write_text(changed, "utf-8")
    _sign(folder)


def replace(pattern: str, by: str) -> Edit:
    return lambda text: re.sub(pattern, by, text, count=1, flags=re.S)


def edit_graph(folder: Path, change: Callable[[Any, Any], Any]) -> None:
    """Rewrite a folder's IR: `change(ops, scores)` returns the tensor that takes the place of the scores."""
    import openvino as ov
    import openvino.opset13 as ops

    model = ov.Core().read_model(folder / "model.xml")
    result = next(result for result in model.get_results() if "scores" in result.output(0).names)
    source = result.input_value(0)
    names = source.get_names()
    changed = change(ops, source).output(0)
    source.set_names(set())
    changed.set_names(names)
    for consumer in model.get_results():
        if consumer.input_value(0).get_node().get_name() == source.get_node().get_name():
            consumer.input(0).replace_source_output(changed)
    write_ir(model, folder / "written.xml")
    del model
    (folder / "written.xml").replace(folder / "model.xml")
    (folder / "written.bin").replace(folder / "model.bin")
    _sign(folder)


def endless_loop(ops: Any, scores: Any) -> Any:
    """The scores after a loop that has no end."""
    import openvino as ov

    body_scores = ops.parameter([-1, 5], np.float32)
    again = ops.constant(np.array([True]))
    added = ops.add(body_scores, np.float32(0))
    body = ov.Model([ops.result(again), ops.result(added)], [body_scores])
    loop = ops.loop(ops.constant(np.int64(-1)), ops.constant(np.array([True])))
    loop.set_function(body)
    loop.set_special_body_ports([-1, 0])
    loop.set_merged_input(body_scores, scores, added.output(0))
    return ops.add(loop.get_iter_value(added.output(0), -1), np.float32(0))


def broadcast(size: int) -> Callable[[Any, Any], Any]:
    """Return a change that adds the mean of a constant made `size` numbers long."""

    def change(ops: Any, scores: Any) -> Any:
        long = ops.broadcast(ops.constant(np.float32(1)), np.array([size], np.int64))
        return ops.add(scores, ops.reduce_max(long, np.array([0]), True))

    return change


def shape_by_broadcast(ops: Any, scores: Any) -> Any:
    """The scores in a shape that is computed from a long constant, which is made while the network is read."""
    long = ops.broadcast(ops.constant(np.int64(5)), np.array([5000], np.int64))
    width = ops.reduce_max(long, np.array([0]), True)
    return ops.reshape(scores, ops.concat([ops.constant(np.array([-1], np.int64)), width], 0), False)


def shape_by_doubling(ops: Any, scores: Any) -> Any:
    """The scores in a shape that is computed from a list which is doubled again and again."""
    long = ops.constant(np.array([5], np.int64))
    for _ in range(13):
        long = ops.concat([long, long], 0)
    width = ops.reduce_max(long, np.array([0]), True)
    return ops.reshape(scores, ops.concat([ops.constant(np.array([-1], np.int64)), width], 0), False)


def shape_by_outer_product(ops: Any, scores: Any) -> Any:
    """The scores in a shape that is computed from a table of all pairs of two lists."""
    row = ops.constant(np.full(70, 5, np.int64))
    table = ops.maximum(ops.unsqueeze(row, np.int64(0)), ops.unsqueeze(row, np.int64(1)))
    width = ops.reshape(ops.reduce_max(table, np.array([0, 1]), True), np.array([1]), False)
    return ops.reshape(scores, ops.concat([ops.constant(np.array([-1], np.int64)), width], 0), False)


def shape_by_contents(ops: Any, scores: Any) -> Any:
    """The largest scores, as many as the scores say."""
    count = ops.convert(ops.reduce_sum(scores, np.array([0, 1]), False), np.int64)
    return ops.topk(scores, count, 1, "max", "value")


def many_products(ops: Any, scores: Any) -> Any:
    """The scores after matrix products that their few weights cannot explain."""
    wide = ops.matmul(scores, ops.constant(np.ones((5, 4096), np.float32)), False, False)
    for _ in range(3):
        outer = ops.matmul(wide, wide, True, False)
        wide = ops.multiply(wide, ops.reduce_mean(ops.matmul(outer, outer, False, False), np.array([0, 1]), False))
    return ops.add(scores, ops.reduce_mean(wide, np.array([1]), True))


def powers_of_the_batch(ops: Any, scores: Any) -> Any:
    """The scores after tensors whose size is a power of the number of pictures."""
    count = ops.gather(ops.shape_of(scores), np.array([0]), np.int64(0))
    tiled = scores
    for _ in range(10):
        tiled = ops.tile(tiled, ops.concat([ops.constant(np.array([1], np.int64)), count], 0))
    return ops.add(scores, ops.reduce_mean(tiled, np.array([1]), True))


def _sign(folder: Path) -> None:
    def change(data: dict) -> None:
        for role in ("xml", "bin"):
            content = (folder / data["files"][role]["name"]).read_bytes()
            data["files"][role] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}

    change_config(folder, change)
