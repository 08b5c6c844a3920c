"""Each component folder through the mini-host, as a person runs it: a command, its files, its exit code, its words."""

import csv
import json
import subprocess
import sys

import pytest
from conftest import ROOT
from PIL import Image

DRAW = ("run", "vision-samples", "--plugin", ROOT / "examples" / "sample-pictures")


class Shell:
    """The mini-host's command line in a project folder of its own."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *words):
        command = [sys.executable, "-m", "minihost", *map(str, words)]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=240)

    def well(self, *words):
        done = self(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def table(self, name):
        with (self.folder / name).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture
def minihost(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / ".home"))
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    """A project with the starter model, labelled eggs, and a model retrained on them."""
    shell = Shell(tmp_path_factory.mktemp("workshop"))
    draw = (*DRAW, "-p", "sample=egg-or-not", "-p", "count=60")
    shell.well(*draw, "-p", "seed=1", "-p", "output_managed_folder=eggs")
    shell.well(*draw, "-p", "seed=2", "-p", "output_managed_folder=more")
    shell.well("run", "vision-download", "-p", "model_choice=starter", "-p", "output_managed_folder=starter")
    roles = ("-i", "image_folder=eggs", "-i", "model_folder=starter", "-o", "model_output=egg_model")
    shell.well("run", "vision-retrain", *roles, "-p", "label_source=folder_names")
    return shell


@pytest.fixture
def photos(tmp_path):
    """A folder with one good picture, one picture with words inside, and one empty file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.linear_gradient("L").convert("RGB").save(folder / "good.jpg")
    (folder / "words.jpg").write_text("not a picture")
    (folder / "nothing.png").touch()
    return folder


def prediction(row):
    return json.loads(row["prediction"])
