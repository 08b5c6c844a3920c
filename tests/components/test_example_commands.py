"""The example that `minihost show` prints for each component is a command that runs, once its inputs are there."""

import csv
import shlex
import shutil
import zlib

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from PIL import Image

from minihost import cli
from minihost.plugins import description, discovery, host_section
from minihost.runs import running

PLUGIN = discovery.load(ROOT)
COMPONENTS = {component.id: component for component in PLUGIN.components}
RUNS = sorted(name for name, component in COMPONENTS.items() if component.kind != "webapp")
COLOURS = {"cat": (200, 40, 40), "dog": (40, 40, 200)}
PER_LABEL = 15


def words_of(name):
    return shlex.split(description.example(COMPONENTS[name], PLUGIN.parameter_sets))


def values_of(words):
    """What each role and parameter of a command is given."""
    return dict(word.split("=", 1) for flag, word in zip(words, words[1:], strict=False) if flag in ("-i", "-o", "-p"))


def write_pictures(folder):
    draw = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(PER_LABEL):
            pixels = np.clip(np.array(colour) + draw.normal(0, 20, (40, 40, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")


def write_table(path, values, predictions):
    """Write one row per picture, with the columns that the command names and those of predictions if asked for."""
    columns = [values.get("col_filename", "images"), values.get("col_label", "label")]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["images", "prediction", "error"] if predictions else columns)
        for label in COLOURS:
            for number in range(PER_LABEL):
                row = [f"/{label}/{number}.png"]
                writer.writerow([*row, '{"cat": 0.9, "dog": 0.1}', 0] if predictions else [*row, label])


def write_part(path, number, count):
    """Write the rows of one shard, by the rule that docs/many-machines.md states."""
    paths = [f"/{label}/{place}.png" for label in COLOURS for place in range(PER_LABEL)]
    own = [path for path in paths if zlib.crc32(path.encode()) % count == number]
    pd.DataFrame({"images": own, "prediction": '{"cat": 0.9, "dog": 0.1}', "error": 0, "reason": ""}).to_parquet(path)


def write_features(path):
    """Write one row per picture, with its vector and its label."""
    draw = np.random.default_rng(1)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["images", "prediction", "label"])
        for place, label in enumerate(COLOURS):
            for number in range(PER_LABEL):
                vector = np.round(draw.normal(place, 1, 8), 4).tolist()
                writer.writerow([f"/{label}/{number}.png", str(vector), label])


@pytest.fixture
def prepared(tmp_path, monkeypatch, small_original):
    """Return a maker of a folder that holds what a command reads, under the names in the command."""
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / "home"))
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)

    def prepare(words):
        values = values_of(words)
        for name, value in values.items():
            if name == "image_folder":
                write_pictures(place / value)
            elif name == "feedback_folder":
                (place / value).mkdir(exist_ok=True)
            elif name == "model_folder":
                shutil.copytree(small_original, place / value, dirs_exist_ok=True)
            elif name == "feature_model_folder" and f"{name}={value}" in words[: words.index("-o")]:
                (place / value).mkdir(parents=True)
            elif name == "feature_dataset" and f"{name}={value}" in words[: words.index("-o")]:
                write_features(place / value)
            elif name in ("label_dataset", "scored_dataset") and f"{name}={value}" in words[: words.index("-o")]:
                write_table(place / value, values, name == "scored_dataset")
        parts = [word.removeprefix("part_datasets=") for word in words if word.startswith("part_datasets=")]
        for number, part in enumerate(parts):
            write_part(place / part, number, len(parts))
        return values

    return prepare


@pytest.mark.parametrize("name", COMPONENTS)
def test_it_is_a_valid_job(name, prepared, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(running, "run", lambda job, _options: ran.append(job))
    words = words_of(name)
    prepared(words)
    assert cli.main(["show", name]) == 0
    assert capsys.readouterr().out.splitlines()[-1].strip() == shlex.join(words)
    assert cli.main(words[1:]) == 0
    assert [job.component_id for job in ran if job.kind != "choices"] == [name]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", COMPONENTS)
def test_what_is_printed_after_it_is_valid_too(name, prepared, monkeypatch, capsys):
    monkeypatch.setattr(running, "run", lambda *_: None)
    values, templates = values_of(words_of(name)), host_section.read(COMPONENTS[name]).next
    commands = [command for template in templates if (command := host_section.filled(template, values))]
    assert bool(commands) == bool(templates)
    for command in commands:
        words = shlex.split(command)
        prepared(words)
        assert cli.main(words[1:]) == 0, capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_it_runs_as_printed(name, prepared, tmp_path, capfd):
    words = words_of(name)
    values = prepared(words)
    if "model_file" in values:
        import keras

        scaling = [keras.Input((16, 16, 3)), keras.layers.Rescaling(1 / 255)]
        head = [keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
        keras.Sequential([*scaling, *head]).save(tmp_path / "work" / values["model_file"])
    if name == "vision-score-features":
        inputs = [
            f"feature_dataset={values['feature_dataset']}",
            f"feature_model_folder={values['feature_model_folder']}",
        ]
        training = ["run", "vision-train-features", "-i", inputs[0], "-o", inputs[1], "-p", "models=linear"]
        assert cli.main(training) == 0, capfd.readouterr().err
    assert cli.main(words[1:]) == 0, capfd.readouterr().err
    written = [word.split("=", 1)[1] for flag, word in zip(words, words[1:], strict=False) if flag == "-o"]
    written += [values["output_managed_folder"]] if "output_managed_folder" in values else []
    assert all((tmp_path / "work" / path).exists() for path in written)
