"""Each component folder through the mini-host, as a person runs it: a command, its files, its exit code, its words."""

import csv
import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT
from PIL import Image

DRAW = ("run", "vision-samples", "--plugin", ROOT / "examples" / "sample-pictures")


class Shell:
    """The mini-host's command line in a project folder of its own, with the default network in the cache."""

    def __init__(self, folder, cache):
        self.folder = folder
        self.environment = {"VISION_RECIPES_CACHE": str(cache)}

    def __call__(self, *words):
        command = [sys.executable, "-m", "minihost", *map(str, words)]
        env = {**os.environ, **self.environment}
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=240, env=env)

    def well(self, *words):
        done = self(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def table(self, name):
        with (self.folder / name).open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture
def minihost(tmp_path, monkeypatch, vision_cache):
    monkeypatch.setenv("MINIHOST_HOME", str(tmp_path / ".home"))
    return Shell(tmp_path, vision_cache)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory, vision_cache):
    """A project with labelled eggs, and the default network retrained on them."""
    shell = Shell(tmp_path_factory.mktemp("workshop"), vision_cache)
    draw = (*DRAW, "-p", "sample=egg-or-not", "-p", "count=60")
    shell.well(*draw, "-p", "seed=1", "-p", "output_managed_folder=eggs")
    shell.well(*draw, "-p", "seed=2", "-p", "output_managed_folder=more")
    roles = ("-i", "image_folder=eggs", "-o", "model_output=egg_model")
    done = shell.well("run", "vision-retrain", *roles, "-p", "label_source=folder_names")
    assert "no model_folder is connected: EfficientNet-Lite0, trained on ImageNet, is used" in done.stderr
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
