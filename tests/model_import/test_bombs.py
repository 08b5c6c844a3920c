"""Small files that ask for much: each is refused by name, in little memory, before a framework is loaded."""

import io
import json
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

SIDE = 64
MEMORY = 300 << 20


def layer(kind, name, **config):
    return {"class_name": kind, "name": name, "config": {"name": name, **config}}


def dense(name, units):
    return layer("Dense", name, units=units, activation="softmax")


def network(*layers, name="net"):
    start = layer("InputLayer", "input", batch_shape=[None, SIDE, SIDE, 3])
    return {"class_name": "Sequential", "name": name, "config": {"name": name, "layers": [start, *layers]}}


def convolution(name, filters, side):
    return layer("Conv2D", name, filters=filters, kernel_size=[side, side])


FLAT, POOLED = layer("Flatten", "flat"), layer("GlobalAveragePooling2D", "pooled")
DENSE = network(FLAT, dense("one", 330_000), dense("two", 330_000), dense("scores", 3))
NETWORKS = {
    "chained": (DENSE, "layer 'one' needs"),
    "last": (network(FLAT, dense("scores", 330_000)), "layer 'scores' needs"),
    "convolved": (network(convolution("one", 30_000, SIDE), convolution("two", 30_000, 1), POOLED), "'one' needs"),
    "wide": (network(convolution("one", 100_000, 3), POOLED, dense("scores", 3)), "too large to be computed"),
    "nested": (network(network(FLAT, dense("one", 330_000), name="inner"), dense("scores", 3)), "layer 'one' needs"),
    "magnified": (network(layer("UpSampling2D", "up", size=[10**6, 10**6]), POOLED, dense("scores", 3)), "layer 'up'"),
    "padded": (network(layer("ZeroPadding2D", "pad", padding=10**6), POOLED, dense("scores", 3)), "layer 'pad'"),
    "reshaped": (network(layer("Reshape", "big", target_shape=[10**6, 10**6]), FLAT, dense("scores", 3)), "'big'"),
    "pooled": (network(layer("MaxPooling2D", "max", pool_size=10**6, strides=1, padding="same"), POOLED), "'max'"),
}


def declared(file, prefix):
    """Declare the weights that the network asks for without writing any."""
    for name, (inputs, units) in {"dense": (12288, 330_000), "dense_1": (330_000, 330_000)}.items():
        file.create_dataset(f"{prefix}/{name}/vars/0", (inputs, units), np.float32)


def circles(file, prefix):
    groups = [file.create_group(f"{prefix}/g{number}") for number in range(20)]
    for group in groups:
        for number, other in enumerate(groups):
            group[f"link{number}"] = other


STORED = {"nothing": lambda file, prefix: None, "declared": declared, "circles": circles}


def archive(path, config, fill):
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_group("layers")
        fill(file, "layers")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("metadata.json", "{}")
        target.writestr("config.json", json.dumps(config))
        target.writestr("model.weights.h5", weights.getvalue())


def whole_h5(path, config, fill):
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights").attrs["layer_names"] = np.zeros(0, "S1")
        fill(file, "model_weights")


CASES = [
    *((name, config, "nothing", message) for name, (config, message) in NETWORKS.items()),
    ("unwritten", DENSE, "declared", "brings the arrays to"),
    ("circles", DENSE, "circles", "'link0' is the same object"),
]
IMPORT = """
import sys, tempfile
from pathlib import Path
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_import import importing
from vision_recipes.model_import.sources import find_source
from vision_recipes.errors import ModelFolderError
for path in sys.argv[1:]:
    settings = ImportSettings.from_params({"model_file": path, "output_managed_folder": "x", "preprocessing": "raw"})
    try:
        with tempfile.TemporaryDirectory() as workdir:
            importing.read(find_source(settings, None), settings, Path(workdir))
    except ModelFolderError as err:
        assert workdir not in str(err)
        print(str(err).replace("\\n", " "))
status = Path("/proc/self/status")  # getrusage would count the process that started this one
peak = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")] if status.exists() else ["0"]
print(not {"keras", "tensorflow", "openvino"} & set(sys.modules), *peak)
"""


@pytest.mark.parametrize("write", [archive, whole_h5])
def test_bombs_are_refused_by_name_in_little_memory(tmp_path, write):
    paths = [tmp_path / f"{name}{'.keras' if write is archive else '.h5'}" for name, *_ in CASES]
    for path, (_name, config, stored, _message) in zip(paths, CASES, strict=True):
        write(path, config, STORED[stored])
        assert path.stat().st_size < 100_000
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, *map(str, paths)], capture_output=True, text=True, check=True, timeout=120
    )
    *messages, last = done.stdout.splitlines()
    for path, (_name, _config, _stored, message), found in zip(paths, CASES, messages, strict=True):
        assert found.startswith(f"{path.name} in ") and message in found
    light, memory = last.split()
    assert light == "True" and int(memory) * 1024 < MEMORY
