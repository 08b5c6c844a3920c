"""Shards on a Ray cluster: the address, what must be on a node, and (slow) a cluster of this machine."""

import contextlib
import dataclasses
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from component_plugins import role, write_components

from minihost.errors import JobError
from minihost.job import Job, Reference
from minihost.workers import elsewhere, ray_cluster
from minihost.workers.ray_cluster import Place, place_of
from minihost.workers.ray_placement import minihost_place_shards
from minihost.workers.shards import Reports, Shard, Work

CODE = """
import os, time
import dataiku
from dataiku.core.flow import FLOW
from dataiku.customrecipe import get_recipe_config
config = get_recipe_config()
print("shard", config["shard"], "of process", os.getpid(), "with", os.environ["PYTHON_CPU_COUNT"])
folder = dataiku.Folder(FLOW["in"][0]["fullName"])
paths = folder.list_paths_in_partition()
time.sleep(config.get("seconds", 0))
if config.get("fails"):
    raise SystemExit("wrong model folder")
dataiku.Dataset(FLOW["out"][0]["fullName"]).write_schema([{"name": "path", "type": "string"}])
with dataiku.Dataset(FLOW["out"][0]["fullName"]).get_writer() as writer:
    for path in paths[config["shard"] - 1 :: config["shards"]]:
        writer.write_tuple([path])
"""


class Seen(Reports):
    def __init__(self):
        self.lines, self.seconds, self.gone = [], [], []

    def started(self, worker, seconds):
        self.seconds.append(seconds)

    def line(self, worker, text):
        self.lines.append(text)

    def lost(self, worker, text):
        self.gone.append(text)


@pytest.fixture
def work(tmp_path):
    plugin = write_components(tmp_path / "plugin", {"do": ({"outputRoles": [role("out")]}, CODE)})
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    paths = [f"/{name}.jpg" for name in range(40)]
    for path in paths:
        (pictures / path[1:]).write_text(path)
    listing = tmp_path / "listing"
    listing.write_text(str(paths).replace("'", '"'))

    def make(count=4, **config):
        shards = []
        for number in range(1, count + 1):
            folder = tmp_path / "parts" / str(number)
            given = {"shard": number, "shards": count, **config}
            source = Reference("in", "MANAGED_FOLDER", "pics", "P", str(pictures), {"listing": str(listing)})
            out = Reference("out", "DATASET", "rows", "P", str(folder / "out.parquet"))
            runner = str(plugin / "custom-recipes" / "do" / "recipe.py")
            job = Job("sample", str(plugin), "do", "recipe", runner, "P", str(tmp_path), str(folder / "work"), given,
                      inputs=[source], outputs=[out])  # fmt: skip
            shards.append(Shard(number, job, folder, 40 // count))
        return Work(shards, listing=listing, environment={}, report=Seen())

    return make


def rows(tmp_path):
    import pyarrow.parquet as pq

    parts = tmp_path.glob("parts/*/out.parquet")
    return sorted(path for part in parts for path in pq.read_table(part)["path"].to_pylist())


def test_addresses():
    assert place_of("4") is place_of("rayon") is None
    assert place_of("ray") == Place() and place_of("ray?cpus=2") == Place(cpus=2)
    assert place_of("ray://head") == Place("ray://head:10001")
    assert place_of("ray://10.0.0.7:30001/?cpus=4&workers=16") == Place("ray://10.0.0.7:30001", 4, 16)
    for wrong in ("ray:", "ray://", "ray://h:x", "ray?cpus=0", "ray?cpus=a", "ray?gpus=1", "ray://h/path", "ray?cpus"):
        with pytest.raises(JobError, match=re.escape(f"--workers '{wrong}'")):
            place_of(wrong)


def test_an_address_where_nothing_is_and_a_cluster_of_another_version():
    with pytest.raises(JobError, match="No Ray cluster answers at ray://127.0.0.1:9: Connection refused"):
        ray_cluster._check_answers("ray://127.0.0.1:9")
    theirs = "Version mismatch: The cluster was started with:\n    Ray: 2.40.0\n    Python: 3.12.1\n"
    text = f"{theirs}This process on Ray Client was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
    found = ray_cluster._explained(RuntimeError(text), Place("ray://head:10001"))
    assert (
        "Ray 2.40.0 on Python 3.12.1, and this is Ray 2.60.0 on Python 3.11.7" in found and "ray[client]==2.40" in found
    )
    found = ray_cluster._explained(ConnectionError("ray client connection timeout"), Place("ray://head:6379"))
    assert "no Ray Client" in found and "10001" in found and "RAY_AUTH_TOKEN" in found


def test_without_the_package_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(JobError, match=r"extra `ray`: pip install 'ray\[client\]'"),
        ray_cluster.connected(Place()),
    ):
        pass


def test_what_a_node_lacks_is_named(work, tmp_path, monkeypatch):
    made = work()
    cache = Reference("cache", "MANAGED_FOLDER", "seen", "P", str(tmp_path / "cache"))
    made.shards[0].job.outputs.append(cache)
    with elsewhere.needs_of(made) as needs:
        assert elsewhere.root_here(needs) == tmp_path / "plugin"
        (tmp_path / "cache").rename(tmp_path / "other")
        (tmp_path / "cache").mkdir()
        (tmp_path / "pictures").rename(tmp_path / "unseen")
        with pytest.raises(JobError) as caught:
            elsewhere.root_here(needs)
        gone, other = caught.value.mistakes
        assert gone.startswith(f"Input in (pics): {tmp_path / 'pictures'} does not exist on ") and "s3://" in gone
        assert "Output cache (seen)" in other and "has another" in other
        for change, words in (
            ({"plugin_root": "/nowhere"}, "plugin sample is not installed there"),
            ({"plugin_version": "9.9"}, "version 1.0.0 there and 9.9 here"),
            ({"host_version": "0.1"}, "the host is version"),
        ):
            with pytest.raises(JobError, match=words):
                elsewhere.root_here(dataclasses.replace(needs, **change))
        needs = dataclasses.replace(needs, local={}, plugin_root="/nowhere")
        monkeypatch.chdir(tmp_path / "plugin")  # found by its id
        assert elsewhere.root_here(needs) == tmp_path / "plugin"
        job = dataclasses.replace(made.shards[1].moved(elsewhere.SHARD), plugin_root="/p", runner="/p/r/recipe.py")
        job = elsewhere.moved(job, tmp_path / "here", Path("/q"), tmp_path / "list")
        assert (job.runner, job.work_dir) == ("/q/r/recipe.py", str(tmp_path / "here" / "work"))
        assert job.outputs[0].path == str(tmp_path / "here" / "out.parquet")
        assert job.inputs[0].options["listing"] == str(tmp_path / "list")


@pytest.fixture
def ray(monkeypatch, tmp_path_factory):
    """A Ray of two CPUs on this machine, which ends with the test."""
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # or it would write a token into the user's folder
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="CRITICAL")
    yield ray
    ray.shutdown()


@pytest.mark.slow
def test_a_cluster_runs_the_shards_and_takes_up_those_of_actors_that_die(ray, work, tmp_path, capsys):
    made = work(8, seconds=1.5)
    killed = set()

    def kill():
        while not any(line.startswith("shard") for line in made._report.lines):
            time.sleep(0.1)
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if b"ray::RayWorker" in path.read_bytes() and len(killed) < 2:
                    killed.add(path.parent.name)
                    os.kill(int(path.parent.name), signal.SIGKILL)

    threading.Thread(target=kill).start()
    assert minihost_place_shards(made, "ray") and made.complete
    assert rows(tmp_path) == sorted(f"/{name}.jpg" for name in range(40))
    assert len(killed) == 2 and made._report.gone and "died, or its node did" in made._report.gone[0]
    assert capsys.readouterr().out == ""  # what Ray prints of an actor that died is for the log
    lines = [line for line in made._report.lines if line.startswith("shard")]
    assert len(lines) >= 8 and all(line.endswith("with 1") for line in lines)
    assert not list(Path("/tmp").glob("minihost-worker-*/shard"))


@pytest.mark.slow
def test_a_failure_ends_the_run_once_and_a_full_cluster_says_so(ray, work, monkeypatch):
    monkeypatch.setattr("minihost.workers.ray_placement.PATIENCE", 1.0)
    made = work(3, fails=True)
    minihost_place_shards(made, "ray")
    assert made.outcome == {"status": "failed", "reason": "wrong model folder", "for_user": True}
    made = work(2)
    made._deadline = time.monotonic() + 5
    minihost_place_shards(made, "ray?cpus=3&workers=1")
    assert made.timed_out and "largest node has 2. Ask for fewer (?cpus=2)" in made._report.lines[0]
    assert ray.available_resources()["CPU"] == 2
