"""Write the trained starter network as a model folder: weights rounded to half precision, labels, IR, card.

Run:  python tools/pack_starter.py WORK_FOLDER [--target resource/starter]     after tools/train_starter.py
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from starter_network import Network as TorchNetwork
from starter_network import to_keras
from starter_signs import SIGNS
from starter_subjects import SUBJECTS

from vision_recipes.model_folder import Model, Network, checks, commit, hdf5, open_model
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import LocalStore

NUMBERED = re.compile(r" \d\d$")
NOTES = """A small network to start from, bundled so that everything works offline. Trained from nothing on pictures
that `tools/starter_subjects.py` draws from formulas: textures, flat and solid shapes, turned and rounded bodies,
fractals, pen signs, creatures, in varied light, size and position. No photograph went in and none of the workshops'
sample pictures; but its bodies, rounded ones of the proportions of a ball, an egg or a lens among them, lie on the same
kinds of ground and in the same light as those pictures' things, so it does better there than on photographs.

**Good for**: trying the recipes offline; a start for pictures that differ in shape, texture or colour, simple ones and
drawings. **Not good for**: naming what is in a photo. Its own labels are too general for that, and a network
pre-trained on photographs (`vision-download`) gives better features for them.

It learned {learned} classes, saw {seen:,} pictures and named {held_out:.0%} of held-out ones right. Of its outputs
the {classes} whose names say something are kept; `fractal 03` and its like are not.
Beside these it learned to tell {signs:,} made-up pen signs apart, as many hands write and coarse scanners see them.
`benchmarks/starter.md` compares its frozen features with those of random weights, on the two workshops' pictures and on
small scanned digits: much better on all three.
"""


def pack(folder: Path, target: Path) -> None:
    """Write the model folder from the weights and history that training left in `folder`."""
    import keras

    network = TorchNetwork(len(SUBJECTS))
    network.load_state_dict(torch.load(folder / "network.pt", weights_only=True))
    history = json.loads((folder / "history.json").read_text(encoding="utf-8"))[-1]
    kept = [place for place, subject in enumerate(SUBJECTS) if not NUMBERED.search(subject.name)]
    network.head.weight.data, network.head.bias.data = network.head.weight.data[kept], network.head.bias.data[kept]
    model = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=len(kept))
    to_keras(network, model)
    model.set_weights([values.astype(np.float16).astype(np.float32) for values in model.get_weights()])
    spec = ModelSpec(
        name="Starter",
        network=Network("MobileNetV2", {"alpha": 0.35}, classes=len(kept)),
        input=Preprocessing.named("tf", 96, 96),
        labels=tuple(SUBJECTS[place].name for place in kept),
        trained_on=f"{len(SUBJECTS)} classes of pictures drawn from formulas",
        source="tools/train_starter.py of vision-recipes",
        licence="Apache-2.0",
        notes=NOTES.format(
            held_out=history["held_out"], learned=len(SUBJECTS), classes=len(kept), seen=history["seen"], signs=SIGNS
        ),
    )
    with tempfile.TemporaryDirectory() as workdir:
        full, half = Path(workdir, "full"), Path(workdir, "half")
        full.mkdir()
        half.mkdir()
        save_model(LocalStore(full), model, spec)
        shrink(open_model(LocalStore(full)), full, half, spec)
        for old in target.glob("*"):
            old.unlink()
        target.mkdir(parents=True, exist_ok=True)
        for path in half.iterdir():
            shutil.copy(path, target)
    print(f"{target}: {sum(path.stat().st_size for path in target.iterdir()) / 1e6:.2f} MB")


def shrink(model: Model, source: Path, target: Path, spec: ModelSpec) -> None:
    """Write the model anew with weights and IR stored in half precision, which the weights fit in anyway.

    Numbers are widened to float32 again when they are loaded; the answers are held against the check pictures.
    """
    import openvino as ov

    entries, config = model.config.files, model.config
    files = {"weights": target.parent / "half.h5", "check": source / entries.check.name}
    files |= {"xml": target.parent / "half.xml", "bin": target.parent / "half.bin"}
    graph = ov.Core().read_model(source / entries.xml.name)
    halve_constants(graph)
    with hdf5.open_hdf5(source / entries.weights.name, "the weights") as file:
        stored = hdf5.read_stored(file, "the weights")
        halves = {
            name: hdf5.StoredLayer(layer.kinds, [np.asarray(item[()], np.float16) for item in layer.variables])
            for name, layer in stored.items()
            if layer.variables
        }
    hdf5.write_stored(files["weights"], halves, pack=True)
    ov.save_model(graph, files["xml"], compress_to_fp16=False)
    content = files["check"].read_bytes()
    check = checks.read_check(content, "check.npz", (spec.input.height, spec.input.width), len(spec.labels))
    check.require(checks.score_ir(files["xml"], check.pictures), "The IR in half precision")
    commit.commit(LocalStore(target), replace(spec, feature_layer=config.feature_layer), config.layers, files)


def halve_constants(graph: Any) -> None:
    """Replace each float32 constant of an ov.Model that float16 holds exactly by that and a conversion."""
    import openvino as ov
    import openvino.opset13 as ops

    for node in graph.get_ordered_ops():
        if node.get_type_name() != "Constant" or node.get_element_type() != ov.Type.f32:
            continue
        values = node.get_data()
        halved = values.astype(np.float16)
        if values.size >= 256 and np.array_equal(halved.astype(np.float32), values):
            consumers = list(node.output(0).get_target_inputs())
            widened = ops.convert(ops.constant(halved), "f32")
            for consumer in consumers:
                consumer.replace_source_output(widened.output(0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--target", type=Path, default=Path(__file__).resolve().parents[1] / "resource" / "starter")
    options = parser.parse_args()
    pack(options.folder, options.target)
