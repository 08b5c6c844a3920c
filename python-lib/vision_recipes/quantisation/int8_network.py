"""A network's IR -> the same in int8, by NNCF's post-training quantisation, in a process of its own.

NNCF writes to the standard output, draws progress bars, sets the class of loggers and reports its use to a server; in
that process none of it matters, and the report is off.
Method: Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only inference
(2018), with the correction of biases of Nagel et al., Data-free quantization through weight equalization and bias
correction (2019).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.child_process import call_main, carry_out, require_done
from vision_recipes.model_folder.openvino_ir import EXTRA, PIXELS, SCORES, write_ir

TIME_LIMIT = 4 * 3600
INSTALL = (
    "The package nncf is not installed, which vision-quantize needs. Install it with pip install nncf (it is the extra "
    "quantize of vision-recipes); in DSS, add the line nncf>=3.0 to the packages of the plugin's code environment and "
    "update it."
)
_SIDE_BRANCH = ("Transpose",)
"""Operations between the network proper and the result of a layer: the IR computes channels first."""


@dataclass(frozen=True)
class QuantisationRequest:
    """What the process needs: paths of the IR, of pixels uint8 (n, *shape), and of the IR to write.

    `extra` are the values of the network's second input, if it has one. `needed` are names of results that there must
    be, beside the scores. `kept_in_float` is one of them: what is computed from it stays in float32; none if empty.
    """

    xml: str
    pixels: str
    shape: tuple[int, ...]
    extra: tuple[float, ...]
    target: str
    needed: tuple[str, ...]
    kept_in_float: str


def quantise(request: QuantisationRequest) -> frozenset[str]:
    """Write the IR in int8 to `request.target`, .bin beside it, and return the names of its results.

    Results that do not lead to the scores are left out, and so are those before a normalisation that is folded into the
    weights. Raises ModelFolderError, also when NNCF is not installed.
    """
    from importlib.util import find_spec

    if find_spec("nncf") is None:
        raise ModelFolderError(INSTALL)
    target = Path(request.target)
    environment = {"NNCF_CI": "1", "CUDA_VISIBLE_DEVICES": "-1"}  # NNCF_CI: its use is not reported
    done = call_main(__name__, request, target.parent, TIME_LIMIT, environment)
    require_done(done, "The network could not be quantised")
    return frozenset(json.loads(target.with_name("results.json").read_text("utf-8")))


def main() -> None:
    """Carry out the request whose file is the first argument."""
    carry_out(QuantisationRequest, run)


def run(request: QuantisationRequest) -> None:
    """Quantise the IR and write it; for a process of its own.

    Batch normalisations are folded into weights first, so that convolutions have biases that can be corrected.

    Weights take half of the range of int8 (`overflow_fix`): processors without VNNI add two products in 16 bits, which
    the whole range overflows, so that they would give other labels than those with it.
    """
    import nncf
    import openvino as ov
    from openvino._offline_transformations import apply_moc_transformations

    model = ov.Core().read_model(request.xml)
    pixels = np.memmap(request.pixels, np.uint8, "r").reshape(-1, *request.shape)
    branches = dict(_cut_branches(model, {SCORES, *request.needed}))
    apply_moc_transformations(model, cf=True)
    in_float = _computed_from(model, request.kept_in_float) if request.kept_in_float else []
    try:
        quantised = nncf.quantize(
            model,
            nncf.Dataset(_Inputs(pixels, request.extra)),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(pixels),
            fast_bias_correction=False,
            ignored_scope=nncf.IgnoredScope(names=in_float, validate=False),
            advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
        )
    except nncf.ValidationError as err:
        raise ModelFolderError(f"The network cannot be quantised: {' '.join(str(err).split())[:300]}") from err
    _put_back(quantised, branches)
    write_ir(quantised, Path(request.target))
    names = [name for port in quantised.outputs for name in port.names]
    Path(request.target).with_name("results.json").write_text(json.dumps(sorted(names)), encoding="utf-8")


class _Inputs:
    """The network's inputs for each picture, made when they are asked for."""

    def __init__(self, pixels: np.ndarray, extra: tuple[float, ...]) -> None:
        self._pixels, self._columns = pixels, {EXTRA: np.array([extra], np.float32)} if extra else {}

    def __len__(self) -> int:
        return len(self._pixels)

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        for picture in self._pixels:
            yield {
                PIXELS: picture[None].astype(np.float32),
            } | self._columns


@dataclass(frozen=True)
class _Branch:
    """Where a layer's result comes from: an operation by its name, its port, and the orders of axes after it."""

    operation: str
    port: int
    orders: tuple[tuple[int, ...], ...]


def _cut_branches(model: Any, kept: Collection[str]) -> Iterator[tuple[frozenset[str], _Branch]]:
    """Take all results but those kept off a model, and yield the names of each with its branch, as far as it has one.

    Their values would all be copied for each picture.
    """
    scores = next(result for result in model.get_results() if SCORES in result.output(0).names)
    proper = _ancestors(scores)
    for result in model.get_results():
        if result.output(0).names & set(kept):
            continue
        value, orders = result.input_value(0), list[tuple[int, ...]]()
        while value.get_node().get_friendly_name() not in proper and value.get_node().get_type_name() in _SIDE_BRANCH:
            order = value.get_node().input_value(1).get_node()
            orders.insert(0, tuple(int(axis) for axis in np.ravel(order.get_data())))
            value = value.get_node().input_value(0)
        name = value.get_node().get_friendly_name()
        if name in proper:
            yield frozenset(result.output(0).names), _Branch(name, value.get_index(), tuple(orders))
        model.remove_result(result)


def _put_back(model: Any, branches: Mapping[frozenset[str], _Branch]) -> None:
    import openvino.opset13 as ops

    found = {node.get_friendly_name(): node for node in model.get_ops()}
    for names, branch in branches.items():
        if branch.operation in found:
            value = found[branch.operation].output(branch.port)
            for order in branch.orders:
                value = ops.transpose(value, np.array(order, np.int64)).output(0)
            value.add_names(set(names))
            model.add_results([ops.result(value)])
    model.validate_nodes_and_infer_types()


def _ancestors(node: Any) -> Collection[str]:
    seen, waiting = set[str](), [node]
    while waiting:
        current = waiting.pop()
        if current.get_friendly_name() not in seen:
            seen.add(current.get_friendly_name())
            waiting += [value.get_node() for value in current.input_values()]
    return seen


def _computed_from(model: Any, result: str) -> list[str]:
    """Return the names of the operations that take in what the result of that name gives, directly or by others."""
    (found,) = [one for one in model.get_results() if result in one.output(0).names]
    after, waiting = set[str](), [found.input_value(0)]
    while waiting:
        for target in waiting.pop().get_target_inputs():
            node = target.get_node()
            if node.get_friendly_name() not in after and node.get_type_name() != "Result":
                after.add(node.get_friendly_name())
                waiting += node.outputs()
    return sorted(after)
