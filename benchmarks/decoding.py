"""Large JPEGs decoded as the recipes do it, or at full size as most programs do.

python -m benchmarks.decoding FOLDER reduced|full
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from vision_recipes.images.decoding import decode
from vision_recipes.preprocessing import Preprocessing

WANTED = Preprocessing(224, 224)


def decode_whole(path: Path) -> np.ndarray:
    """Return the pixels by way of the picture at its full size."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((WANTED.width, WANTED.height), Image.Resampling.BILINEAR))


def main(folder: str, way: str) -> None:
    """Decode every file and print how fast."""
    files = sorted(Path(folder).iterdir())
    one = decode_whole if way == "full" else (lambda path: decode(path.read_bytes(), WANTED))
    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        count = sum(1 for _ in pool.map(one, files))
    print(f"{count / (time.perf_counter() - started):.2f} pictures/s")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
