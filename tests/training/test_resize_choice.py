"""The resize method is measured on request: stretched where the label lies at the edge, the model's own on a tie."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training.colours import write_colour_model

from vision_recipes.dataset.label_table import LabelTable
from vision_recipes.model_folder import open_model
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training.features import FeatureSource
from vision_recipes.training.resize_choice import choose_resize


def write_pictures(folder: Path, count: int, *, at_edge: bool) -> LabelTable:
    """Write wide noisy pictures that are red or blue in the middle, or at both ends only."""
    labels = {}
    for number in range(count):
        draw, label = np.random.default_rng(number), ("red", "blue")[number % 2]
        pixels = draw.integers(0, 256, (24, 96, 3)).astype(np.float64)
        shade = np.array((230, 20, 20) if label == "red" else (20, 20, 230))
        where = np.r_[0:30, 66:96] if at_edge else np.r_[38:58]
        pixels[:, where] = 0.2 * pixels[:, where] + 0.8 * shade
        stream = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(stream, "PNG")
        (folder / f"{number}.png").write_bytes(stream.getvalue())
        labels[f"/{number}.png"] = label
    return LabelTable(labels, "dataset")


def chosen(tmp_path: Path, table: LabelTable, own: str) -> str:
    write_colour_model(tmp_path / "model")
    model = open_model(LocalStore(tmp_path / "model"))
    model = replace(model, config=replace(model.config, input=model.preprocessing.resized_by(own)))
    compute = ComputeSettings(use_gpu="false", precision="float32")
    (tmp_path / "work").mkdir()
    source = FeatureSource(LocalStore(tmp_path / "pictures"), model, tmp_path / "work", compute)
    return choose_resize(source, table, 0).preprocessing.resize


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


def test_what_a_crop_would_cut_off_is_stretched(tmp_path, pictures):
    assert chosen(tmp_path, write_pictures(pictures, 40, at_edge=True), "crop") in ("squash", "pad")


def test_a_table_of_few_pictures_leaves_the_models_own(tmp_path, pictures):
    assert chosen(tmp_path, write_pictures(pictures, 8, at_edge=True), "crop") == "crop"


def test_only_training_pictures_are_compared(tmp_path, pictures, monkeypatch):
    from vision_recipes.training import resize_choice

    table = write_pictures(pictures, 40, at_edge=True)
    table.split = {path: "train" if number % 2 else "validation" for number, path in enumerate(sorted(table.labels))}
    read = []
    original = resize_choice.read_pictures
    monkeypatch.setattr(
        resize_choice, "read_pictures", lambda source, paths: read.append(paths) or original(source, paths)
    )
    chosen(tmp_path, table, "crop")
    assert read and all(table.split[path] == "train" for paths in read for path in paths)
