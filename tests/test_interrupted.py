"""A job that is killed, and its rerun with the same cache folder: the same rows, hardly anything computed twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from engines.tiny import write_tiny_model
from images.files import encoded, picture

from vision_recipes.stores import LocalStore

COUNT = 400
JOB = """
import json, sys, time
from vision_recipes.classify import classify
from vision_recipes.engines import kept
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore
pictures, model, cache, pause = sys.argv[1:]
scored = 0
def count(add):
    def counted(self, *given):
        global scored
        scored += 1
        return add(self, *given)
    return counted
kept.Kept.add = count(kept.Kept.add)
settings = ClassifySettings(compute=ComputeSettings(use_gpu="false", precision="float32"))
for row in classify(LocalStore(pictures), LocalStore(model), settings, LocalStore(cache) if cache else None):
    print(json.dumps([scored, row]), flush=True)
    time.sleep(float(pause))
"""


def _job(folder: Path, cache: str, pause: float = 0.0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", JOB, str(folder / "pictures"), str(folder / "model"), cache, str(pause)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "user-cache")}
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)


def _rows(job: subprocess.Popen[str]) -> tuple[int, list[dict[str, object]]]:
    lines = [json.loads(line) for line in job.communicate()[0].splitlines()]
    assert job.returncode == 0
    return lines[-1][0], [row for _, row in lines]


def test_a_killed_job_is_continued(tmp_path: Path) -> None:
    write_tiny_model(tmp_path / "model")
    (tmp_path / "pictures").mkdir()
    for number in range(COUNT):
        (tmp_path / "pictures" / f"{number:04}.png").write_bytes(encoded(picture(10 + number, 12), "PNG"))
    (tmp_path / "pictures" / "broken.jpg").write_bytes(b"no picture")
    _, undisturbed = _rows(_job(tmp_path, ""))
    cache = str(tmp_path / "cache")
    killed = _job(tmp_path, cache, pause=0.002)
    assert killed.stdout is not None
    scored = [json.loads(killed.stdout.readline())[0] for _ in range(COUNT // 2)][-1]
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert LocalStore(cache).paths()
    again, rows = _rows(_job(tmp_path, cache))
    assert rows == undisturbed and len(rows) == COUNT + 1
    assert again <= COUNT - scored + 0.05 * COUNT
