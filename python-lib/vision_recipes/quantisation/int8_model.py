"""A model's files in int8: what is kept of the float32 model, and what is not."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vision_recipes.errors import ModelFolderError, listed
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.checks import check_columns, write_ir_check
from vision_recipes.model_folder.commit import commit
from vision_recipes.model_folder.config import POOLED, Layer, Quantisation
from vision_recipes.model_folder.inner_layers import inner_layers
from vision_recipes.model_folder.ir_limits import read_ir
from vision_recipes.model_folder.spec import ModelSpec, spec_of
from vision_recipes.quantisation.int8_network import QuantisationRequest, quantise
from vision_recipes.stores import Store
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")


@dataclass(frozen=True)
class Int8Model:
    """A model in int8, ready to be saved: `files` are local paths by role, as for `commit`."""

    spec: ModelSpec
    layers: tuple[Layer, ...]
    files: Mapping[str, Path]

    def save(self, store: Store, quantisation: Quantisation, notes: str = "") -> None:
        """Make it the folder's model; raises OutputError."""
        commit(store, replace(self.spec, quantisation=quantisation, notes=notes), self.layers, self.files)


def require_quantisable(model: Model) -> None:
    """Raise ModelFolderError for a model that is in int8 already, or that has no labels to compare."""
    if model.config.quantisation is not None:
        raise ModelFolderError(
            f"Model {model.name!r} is quantised to int8 already. Use it as it is, or quantise the float32 model that "
            f"it was made from, {model.config.quantisation.base!r}."
        )
    if model.config.ends_in_features:
        raise ModelFolderError(
            f"Model {model.name!r} gives a vector of features for a picture and has no labels that float32 and int8 "
            "could be compared by. Retrain it on labels of your own with vision-retrain, then quantise the result."
        )


def make_int8(base: Model, pixels: Path, count: int, workdir: Path) -> Int8Model:
    """Return the model in int8, calibrated on `count` pictures at its size, whose uint8 pixels are in a file.

    The layers of a retrained model's head stay in float32; so does its detector. What is kept of its training pictures
    is not, since their features are those of the float32 network. Raises ModelFolderError.
    """
    import openvino as ov

    xml, target = base.ir(workdir), workdir / "int8.xml"
    read_ir(ov.Core(), xml, base, batch=1)
    size, head = base.preprocessing, base.config.head
    shape = (size.height, size.width, 3)
    if pixels.stat().st_size != count * math.prod(shape):
        raise ValueError(f"{pixels} does not hold {count} pictures of {shape}")
    extra = tuple(float(value) for value in check_columns(head))
    in_float = base.config.layer_named(POOLED).output if head else ""
    needed = tuple(base.config.layer_named(name).output for name in _needed(base))
    results = quantise(QuantisationRequest(str(xml), str(pixels), shape, extra, str(target), needed, in_float))
    layers = _kept(base.layers, results)
    left_out = [layer.name for layer in base.layers if layer.output not in results]
    if left_out:
        log.info("%s cannot be extracted in int8: %s", counted(len(left_out), "layer"), listed(left_out, 5))
    files = {"xml": target, "bin": target.with_suffix(".bin"), "check": workdir / "int8.npz"}
    if base.config.files.head is not None:
        files["head"] = base.fetch(base.config.files.head, workdir, "head.weights.h5")
    write_ir_check(files["check"], target, size, check_columns(head))
    spec = replace(
        spec_of(base),
        name=f"{base.name} int8",
        graph=None,
        trained_on=base.config.trained_on,
        ood_detector=base.ood_detector,
    )
    return Int8Model(spec, layers, files)


def _kept(layers: Sequence[Layer], results: Collection[str]) -> tuple[Layer, ...]:
    """Return the layers that there are results of; each counts the parameters of those folded into it."""
    kept, parameters = list[Layer](), 0
    for layer in layers:
        parameters += layer.parameters
        if layer.output in results:
            kept.append(replace(layer, parameters=parameters))
            parameters = 0
    return tuple(kept)


def _needed(base: Model) -> list[str]:
    """Return the names of the layers that a model cannot do without."""
    inner, head = inner_layers(base.layers, base.feature_layer), base.config.head
    names = (base.config.feature_layer, *(layer.name for layer in inner), *(head.layers if head else ()))
    return list(dict.fromkeys((*names, POOLED) if head else names))
