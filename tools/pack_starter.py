"""Write the trained starter network as a model folder: weights rounded to half precision, labels, IR, card.

Run:  python tools/pack_starter.py WORK_FOLDER [--target resource/starter]     after tools/train_starter.py
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from starter_network import Network as TorchNetwork
from starter_network import to_keras
from starter_subjects import SUBJECTS

from vision_recipes.models import Model, ModelSpec, Network, checks, open_model, save_model, saving
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import LocalStore

NOTES = """A small network to start from, bundled so that everything works offline. Trained from nothing on pictures
that `tools/starter_subjects.py` draws from formulas: textures, flat and solid shapes, fractals, pen signs, creatures,
in varied light, size and position. No photograph went in, nor any drawing of the two workshops' sample pictures.

**Good for**: retraining on your own pictures, when they differ in shape, texture or colour; trying recipes; digits and
drawings. **Not good for**: naming what is in a photo. Its own labels are too general for that, and a network
pre-trained on photographs (`vision-download`) gives better features for them.

Held-out formula pictures named right: {held_out:.0%} of {classes} classes, after {seen:,} pictures.
`benchmarks/starter.md` compares its frozen features with those of random weights.
"""


def pack(folder: Path, target: Path) -> None:
    """Write the model folder from the weights and history that training left in `folder`."""
    import keras

    network = TorchNetwork(len(SUBJECTS))
    network.load_state_dict(torch.load(folder / "network.pt", weights_only=True))
    history = json.loads((folder / "history.json").read_text(encoding="utf-8"))[-1]
    model = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=len(SUBJECTS))
    to_keras(network, model)
    model.set_weights([values.astype(np.float16).astype(np.float32) for values in model.get_weights()])
    spec = ModelSpec(
        name="Starter",
        network=Network("MobileNetV2", {"alpha": 0.35}, classes=len(SUBJECTS)),
        input=Preprocessing.named("tf", 96, 96),
        labels=tuple(subject.name for subject in SUBJECTS),
        trained_on=f"{len(SUBJECTS)} classes of pictures drawn from formulas",
        source="tools/train_starter.py of vision-recipes",
        licence="Apache-2.0",
        notes=NOTES.format(held_out=history["held_out"], classes=len(SUBJECTS), seen=history["seen"]),
        pack=True,
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
    """Write the model anew with its IR stored in half precision, which its weights fit in anyway.

    Constants are widened to float32 again when the IR is loaded; the answers are held against the check pictures.
    """
    import openvino as ov

    entries, config = model.config.files, model.config
    files = {"weights": source / entries.weights.name, "check": source / entries.check.name}
    files |= {"xml": target.parent / "half.xml", "bin": target.parent / "half.bin"}
    ov.save_model(ov.Core().read_model(source / entries.xml.name), files["xml"], compress_to_fp16=True)
    content = files["check"].read_bytes()
    check = checks.read_check(content, "check.npz", (spec.input.height, spec.input.width), len(spec.labels))
    check.require(saving.score_ir(files["xml"], check.pictures), "The IR in half precision")
    saving.commit(LocalStore(target), saving.Draft(spec, config.layers, config.feature_layer, files))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--target", type=Path, default=Path(__file__).resolve().parents[1] / "resource" / "starter")
    options = parser.parse_args()
    pack(options.folder, options.target)
