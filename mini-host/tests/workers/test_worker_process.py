"""A process that runs one shard after the other."""

import os
import signal
import sys
import threading

import pytest
from component_plugins import role, write_components
from one_recipe import is_alive

from minihost.job import Job, Reference
from minihost.workers.worker_process import WorkerLost, WorkerProcess

CODE = """
import os, sys, time
import dataiku, kept
from dataiku.core.flow import FLOW
from dataiku.customrecipe import get_recipe_config
kept.times += 1
config = get_recipe_config()
print("shard", config["shard"], "time", kept.times, os.path.basename(os.getcwd()))
if config.get("fails"):
    raise SystemExit("wrong model folder")
if config.get("waits"):
    time.sleep(60)
with dataiku.Dataset(FLOW["out"][0]["fullName"]).get_writer() as writer:
    dataiku.Dataset(FLOW["out"][0]["fullName"]).write_schema([{"name": "n", "type": "bigint"}])
    writer.write_tuple([config["shard"]])
"""


@pytest.fixture
def worker():
    lines = []
    made = WorkerProcess({}, sys.executable, lines.append, [min(os.sched_getaffinity(0))])
    made.lines = lines
    yield made
    made.end()


@pytest.fixture
def job(tmp_path):
    plugin = write_components(
        tmp_path / "plugin", {"do": ({"outputRoles": [role("out")]}, CODE)}, files={"python-lib/kept.py": "times = 0"}
    )

    def make(number, **config):
        folder = tmp_path / "parts" / str(number)
        out = Reference("out", "DATASET", f"out_{number}", "P", str(folder / "out.parquet"))
        runner = plugin / "custom-recipes" / "do" / "recipe.py"
        return Job("sample", str(plugin), "do", "recipe", str(runner), "P", str(tmp_path), str(folder / "work"),
                   {"shard": number, **config}, outputs=[out])  # fmt: skip

    return make


def test_it_runs_one_job_after_the_other_and_modules_stay(worker, job, tmp_path):
    assert worker.ready() < 30
    assert [worker.run(job(number))["status"] for number in (1, 2)] == ["done", "done"]
    assert worker.lines == ["shard 1 time 1 work", "shard 2 time 2 work"]
    assert worker.run(job(3, fails=True)) == {"status": "failed", "reason": "wrong model folder", "for_user": True}
    assert worker.run(job(4))["status"] == "done"
    assert sorted(path.parent.name for path in tmp_path.glob("parts/*/out.parquet")) == ["1", "2", "4"]
    assert os.sched_getaffinity(worker.pid) == {min(os.sched_getaffinity(0))}
    worker.close()
    assert not is_alive(worker.pid)


def test_one_that_dies_says_how(worker, job):
    worker.ready()
    threading.Timer(0.3, os.kill, (worker.pid, signal.SIGKILL)).start()
    with pytest.raises(WorkerLost, match=r"was killed \(SIGKILL\)"):
        worker.run(job(1, waits=True))
    assert worker.lines == ["shard 1 time 1 work"]
    with pytest.raises(WorkerLost):
        worker.run(job(2))
