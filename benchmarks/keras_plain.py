"""Peer: what a Keras user writes to label a folder of photos.

python -m benchmarks.keras_plain FOLDER ResNet50|MobileNetV2      # FOLDER/x/*.jpg; random weights
"""

from __future__ import annotations

import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def main(folder: str, name: str) -> None:
    """Score every photo and print how fast."""
    import keras

    build, preprocess = {
        "ResNet50": (keras.applications.ResNet50, keras.applications.resnet50.preprocess_input),
        "MobileNetV2": (keras.applications.MobileNetV2, keras.applications.mobilenet_v2.preprocess_input),
    }[name]
    photos = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(224, 224), batch_size=32, shuffle=False, verbose=False
    )
    network = build(weights=None)
    started = time.perf_counter()
    scores = network.predict(photos.map(preprocess), verbose=0)
    print(f"{len(scores) / (time.perf_counter() - started):.2f} pictures/s")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
