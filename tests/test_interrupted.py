"""A job that is killed, and its rerun with the same cache folder: the same rows, hardly anything computed twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from images.files import encoded, picture
from inference.tiny import write_tiny_model

from vision_recipes.stores import LocalStore

COUNT = 400
JOB = """
import json, os, sys, time
from vision_recipes.classify import classify
from vision_recipes.inference.engine import Engine
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore
pictures, model, cache, entered, pause = sys.argv[1:]
marks = os.open(entered, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
def counted(self, batch, *others, collect=Engine._collect):
    os.write(marks, b"." * batch.filled)
    return collect(self, batch, *others)
Engine._collect = counted
settings = ClassifySettings(compute=ComputeSettings(use_gpu="false", precision="float32"))
for row in classify(LocalStore(pictures), LocalStore(model), settings, LocalStore(cache) if cache else None):
    print(json.dumps(row), flush=True)
    time.sleep(float(pause))
"""


def _job(folder: Path, cache: str, entered: str, pause: float = 0.0) -> subprocess.Popen[str]:
    """Classify the folder's pictures; the file `entered` grows by a mark for each that enters the network."""
    told = [str(folder / "pictures"), str(folder / "model"), cache, str(folder / entered), str(pause)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "user-cache")}
    return subprocess.Popen([sys.executable, "-c", JOB, *told], stdout=subprocess.PIPE, env=environment, text=True)


def _rows(job: subprocess.Popen[str]) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in job.communicate()[0].splitlines()]
    assert job.returncode == 0
    return rows


def test_a_killed_job_is_continued(tmp_path: Path) -> None:
    write_tiny_model(tmp_path / "model")
    (tmp_path / "pictures").mkdir()
    for number in range(COUNT):
        (tmp_path / "pictures" / f"{number:04}.png").write_bytes(encoded(picture(10 + number, 12), "PNG"))
    (tmp_path / "pictures" / "broken.jpg").write_bytes(b"no picture")
    undisturbed = _rows(_job(tmp_path, "", "undisturbed"))
    checked = (tmp_path / "undisturbed").stat().st_size - COUNT  # the model's own check pictures, at every start
    assert 0 <= checked <= 8
    cache = str(tmp_path / "cache")
    killed = _job(tmp_path, cache, "continued", pause=0.002)
    assert killed.stdout is not None
    for _ in range(COUNT // 2):
        killed.stdout.readline()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert LocalStore(cache).paths() and (tmp_path / "continued").stat().st_size < COUNT
    rows = _rows(_job(tmp_path, cache, "continued"))
    assert rows == undisturbed and len(rows) == COUNT + 1
    assert (tmp_path / "continued").stat().st_size - 2 * checked <= 1.05 * COUNT
