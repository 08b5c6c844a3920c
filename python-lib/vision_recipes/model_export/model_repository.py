"""A model repository of OpenVINO Model Server: the folders that it looks for and the configuration that names them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from vision_recipes.model_export.scripts import EXTRA, PICTURES, PROBABILITIES

CONFIG, VERSION = "config.json", "1"

_TYPES = {"u8": "UINT8", "f32": "FP32"}
"""Element types as the Open Inference Protocol calls them."""

_CONTENTS = {
    PICTURES: "pixels 0 to 255, upright, RGB, of the size above; scaling and channel order are part of the network",
    EXTRA: "the values of the columns, as encode in classify.py computes them",
    PROBABILITIES: "one for each of the labels, in their order",
}


def served_name(name: str) -> str:
    """Return a model's name as it stands in addresses and folders: `egg or not` becomes `egg-or-not`."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "model"


def write_repository(folder: Path, name: str) -> Path:
    """Write the folders and the configuration for one model, and return where its model.xml goes.

    The server computes on the processor in full precision, as the model was checked: left to itself it would choose a
    GPU where there is one, and half precision there.
    """
    settings = {
        "name": name,
        "base_path": name,
        "target_device": "CPU",
        "plugin_config": {"INFERENCE_PRECISION_HINT": "f32"},
    }
    version = folder / name / VERSION
    version.mkdir(parents=True)
    text = json.dumps({"model_config_list": [{"config": settings}]}, indent=1) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")
    return version / "model.xml"


def interface(network: Any) -> dict[str, Any]:
    """Return `inputs` and `outputs` of an ov.Model as the Open Inference Protocol names them; -1 is any number."""
    return {
        "inputs": [_tensor(port) for port in network.inputs],
        "outputs": [_tensor(port) for port in network.outputs],
    }


def _tensor(port: Any) -> dict[str, Any]:
    name = port.get_any_name()
    shape = [-1 if side.is_dynamic else side.get_length() for side in port.get_partial_shape()]
    datatype = _TYPES[port.get_element_type().get_type_name()]
    layout = {"layout": "NHWC"} if name == PICTURES else {}
    return {"name": name, "datatype": datatype, "shape": shape, **layout, "contents": _CONTENTS[name]}
