"""The bundled starter against the same network with random weights: frozen features, logistic regression on top.

    python -m benchmarks.starter [--report benchmarks/starter.md]

Digits are scikit-learn's, enlarged to 96 pixels; sample pictures are drawn, those to test on with other seeds. The
strength of the regression's penalty is chosen by cross-validation on the training pictures alone.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from sample_pictures.drawing import draw
from vision_recipes.extract import extract
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.resources import resource_folder
from vision_recipes.settings import ExtractSettings
from vision_recipes.stores import LocalStore

RANDOM_SEEDS = (1, 2, 3)
TEST_SEEDS = (2, 3, 11)
PAGE = """# The starter network against random weights

Frozen features, logistic regression on top: accuracy on pictures not trained on.
`python -m benchmarks.starter --report benchmarks/starter.md` wrote this page in {seconds:.0f} s.

| task | trained on | tested on | starter | random weights, mean (each of 3) | 16 x 16 pixels |
|---|---|---|---|---|---|
{lines}
"""


def sample_files(sample, count, seed):
    """Return path -> (bytes, label) of drawn sample pictures."""
    if sample == "egg-or-not":
        return {path: (jpeg, path.split("/")[1]) for path, jpeg in draw(sample, count, seed)}
    return {path: (jpeg, path[1:].split("_pic_")[0]) for path, jpeg in draw(sample, count, seed)}


def digit_files(numbers):
    """Return path -> (bytes, label) of some of scikit-learn's digits as 96 pixel PNGs."""
    from sklearn.datasets import load_digits

    digits, files = load_digits(), {}
    for number in numbers:
        picture = Image.fromarray((digits.images[number] * 15.9).astype(np.uint8)).resize(
            (96, 96), Image.Resampling.BICUBIC
        )
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        files[f"/{number:04d}.png"] = (stream.getvalue(), str(digits.target[number]))
    return files


def tasks(count):
    """Yield (name, training files, test files)."""
    for sample in ("egg-or-not", "cartoon-characters"):
        test = {}
        for seed in TEST_SEEDS:
            test |= sample_files(sample, 100, seed)
        yield sample, sample_files(sample, count, 1), test
    order = np.random.default_rng(0).permutation(1797)
    yield "digits at 96 px", digit_files(order[:count]), digit_files(order[count : count + 1000])


def random_model(folder, seed):
    """Write the starter's network with random weights as a model folder, and return its store."""
    import keras

    starter = open_model(LocalStore(resource_folder() / "starter"))
    keras.utils.set_random_seed(seed)
    network = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=len(starter.labels))
    spec = ModelSpec("Random weights", starter.config.network, starter.config.input, tuple(starter.labels))
    save_model(LocalStore(folder), network, spec)
    return LocalStore(folder)


def features(files, model, work):
    """Return the frozen features of the files, one row each, and their labels."""
    for path, (content, _label) in files.items():
        target = work / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    rows = list(extract(LocalStore(work), model, ExtractSettings()))
    return np.array([row["prediction"] for row in rows]), [files[row["images"]][1] for row in rows]


def small_pixels(files):
    """Return the files as 16 x 16 pixels in one row each, and their labels."""
    pictures = [Image.open(io.BytesIO(content)).convert("RGB").resize((16, 16)) for content, _label in files.values()]
    return np.stack([np.asarray(picture, np.float32).ravel() for picture in pictures]), [
        label for _, label in files.values()
    ]


def accuracy(train, test):
    """Return the accuracy on `test` of a logistic regression fitted on `train`, both (features, labels)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fit = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    search = GridSearchCV(fit, {"logisticregression__C": [1e-4, 1e-3, 1e-2, 1e-1, 1.0]}, cv=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search.fit(*train).score(*test)


def compare(count):
    """Return one line of a Markdown table per task."""
    starter, lines = LocalStore(resource_folder() / "starter"), []
    with tempfile.TemporaryDirectory() as workdir:
        work = Path(workdir)
        rivals = [random_model(work / f"random{seed}", seed) for seed in RANDOM_SEEDS]
        for name, train, test in tasks(count):
            scores = []
            for place, model in enumerate([starter, *rivals]):
                sides = [
                    features(files, model, work / f"{name}-{place}-{side}")
                    for side, files in (("a", train), ("b", test))
                ]
                scores.append(accuracy(*sides))
            pixels = accuracy(small_pixels(train), small_pixels(test))
            random = ", ".join(f"{score:.3f}" for score in scores[1:])
            cells = [name, len(train), len(test), f"**{scores[0]:.3f}**"]
            cells += [f"{np.mean(scores[1:]):.3f} ({random})", f"{pixels:.3f}"]
            lines.append(f"| {' | '.join(map(str, cells))} |")
            print(lines[-1], flush=True)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400, help="training pictures per task")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    started = time.monotonic()
    lines = compare(options.count)
    if options.report:
        text = PAGE.format(seconds=time.monotonic() - started, lines="\n".join(lines))
        options.report.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
