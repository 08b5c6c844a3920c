"""`minihost run --workers`: the table is that of one process, whatever happens on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from one_recipe import is_alive
from sharing_plugin import write_sharing_plugin

from minihost.cli import main
from minihost.datasets import table
from minihost.runs import live_folders
from minihost.workers.counting import shards_for

FILES = 60


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project with the plugin `sharing` and a folder of files, one with a name that is hard to write."""
    monkeypatch.chdir(tmp_path)
    write_sharing_plugin(tmp_path / "plugin")
    (tmp_path / "files" / "sub").mkdir(parents=True)
    for number in range(FILES - 1):
        (tmp_path / "files" / "sub" / f"{number} ä.txt").write_text("x" * number)
    (tmp_path / "files" / "a\nb").write_text("x")
    return tmp_path


def command(component, output, *more):
    return ["run", f"sharing/{component}", "--plugin", "plugin", "-i", "files=files", "-o", output, *more]


def notes():
    return Counter(line.partition(" ")[2] for line in Path("notes").read_text().replace("a\nb", "a b").splitlines())


def expected():
    return [["/a\nb", "1"], *sorted([f"/sub/{number} ä.txt", str(number)] for number in range(FILES - 1))]


def rows(name):
    return [list(row) for row in table(Path(name)).text_rows()]


def last_job(name):
    return live_folders.newest_first(Path(".minihost/jobs"))[0].joinpath(name).read_text()


def log():
    return last_job("log")


class Driver:
    """The command in a process of its own."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minihost", *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def workers(self):
        """The processes of the workers, as soon as some file was read."""
        limit = time.monotonic() + 30
        while time.monotonic() < limit and not (Path("notes").exists() and "\n" in Path("notes").read_text()):
            time.sleep(0.01)
        return sorted({int(line.split()[0]) for line in Path("notes").read_text().splitlines() if line[0].isdigit()})

    def end(self):
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.mark.parametrize(
    ("files", "workers", "shards"),
    [
        (1, 16, 1),
        (20, 1, 3),
        (20, 2, 6),
        (200, 2, 12),
        (1000, 2, 48),
        (1000, 16, 62),
        (10**5, 16, 384),
        (10**7, 2, 1000),
    ],
)
def test_shards_are_many_but_not_of_few_files(files, workers, shards):
    assert shards_for(files, workers) == shards


def test_the_outputs_are_those_of_one_process(place, capsys):
    assert main(command("sizes", "sizes=one.csv")) == 0
    arguments = ("-p", "seconds=0.005", "-p", f"notes={Path.cwd()}/notes")
    assert main(command("sizes", "sizes=two.csv", "--workers", "2", *arguments)) == 0
    assert Path("two.csv").read_bytes() == Path("one.csv").read_bytes()
    assert rows("two.csv") == expected()
    assert Path("two.schema.json").read_text() == Path("one.schema.json").read_text()
    said = capsys.readouterr().err
    assert "60 files in 6 shards" in said
    assert "2 workers, ready after" in said
    assert said.count("opened the model") == 1 + 1  # by the run alone, and by the first of two workers
    assert said.count("files read") < 10
    assert log().count("opened the model") == 2
    assert log().count("files read") == 6
    workers = {line.split()[0] for line in Path("notes").read_text().splitlines() if line[0].isdigit()}
    assert log().rpartition("joined by ")[2].split()[0] in workers
    assert not list(Path(".minihost/parts").iterdir())
    events = [json.loads(line) for line in last_job("events.jsonl").splitlines()]
    assert events[0]["target"] == [60, "FILES"]
    assert events[-1]["progress"] == 60


def test_one_worker_and_more_workers_than_files(place, capsys):
    assert main(command("sizes", "sizes=one.parquet", "--workers", "1", "--shards", "1")) == 0
    assert "worker 1:" not in capsys.readouterr().err
    assert rows("one.parquet") == expected()
    for path in sorted(place.glob("files/sub/*"))[1:]:
        path.unlink()
    assert main(command("sizes", "sizes=three.csv", "--workers", "5")) == 0
    assert rows("three.csv") == expected()[:2]
    assert "2 files in 2 shards" in capsys.readouterr().err


def test_a_folder_without_files_has_parts_too(place):
    assert main(command("sizes", "sizes=two.csv", "-o", "copies=copies", "--workers", "2")) == 0
    assert rows("two.csv") == expected()


def test_an_error_of_the_user_ends_the_run_with_one_message(place, capsys):
    Path("two.csv").write_text("before")
    arguments = ("--workers", "2", "-p", "fails=/sub/7 ä.txt", "--overwrite")
    assert main(command("sizes", "sizes=two.csv", *arguments)) == 1
    said = capsys.readouterr().err
    assert said.count("cannot be read") == 1
    assert said.rstrip().endswith("/sub/7 ä.txt cannot be read")
    assert Path("two.csv").read_text() == "before"


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (["--workers", "0"], "--workers 0: 1 to 1024 processes are possible. Write --workers 2, for example."),
        (["--workers", "-1"], "--workers -1: a number of processes (--workers 2), ray"),
        (["--workers", "two"], "--workers two: a number of processes (--workers 2), ray"),
        (["--workers", "ray:7"], "--workers ray:7: a number of processes (--workers 2), ray"),
        (["--workers", "elsewhere://x"], "--workers elsewhere://x: no such place."),
        (["--shards", "3"], "--shards 3 goes with --workers"),
        (["--workers", "2", "--shards", "0"], "--shards 0: 1 to 10000 are possible."),
        (["--workers", "2", "-p", "shard=2"], "-p shard=2: leave it out"),
        (["--workers", "2", "-o", "other=o.csv"], "The output role 'other' cannot be shared out"),
    ],
)
def test_what_is_refused(place, capsys, arguments, reported):
    assert main(command("sizes", "sizes=two.csv", *arguments)) == 2
    assert reported in capsys.readouterr().err
    assert not Path("two.csv").exists()


def test_components_without_the_section_are_refused(place, capsys):
    assert main(command("alone", "sizes=two.csv", "--workers", "2")) == 2
    assert "sharing/alone cannot be shared out: leave out --workers. It is for: " in capsys.readouterr().err


def test_an_empty_folder_fails_as_ever(place, capsys):
    for path in (*place.glob("files/sub/*"), place / "files" / "a\nb"):
        path.unlink()
    assert main(command("sizes", "sizes=two.csv", "--workers", "2")) == 1
    assert capsys.readouterr().err.rstrip().endswith("the folder is empty")


def test_a_killed_worker_is_started_again(place):
    driver = Driver(
        *command("sizes", "sizes=two.csv", "--workers", "2", "--shards", "15"),
        *("-p", "seconds=0.02", "-p", f"notes={Path.cwd()}/notes"),
    )
    os.kill(driver.workers()[0], signal.SIGKILL)
    code, _out, err = driver.end()
    assert code == 0, err
    assert "warning: Worker" in err
    assert "was killed (SIGKILL), probably because memory ran out in shard" in err
    assert rows("two.csv") == expected()
    assert sum(notes().values()) <= FILES + 9


def test_a_shard_that_always_kills_its_worker_fails_the_run(place, capsys):
    library = place / "plugin/python-lib/slices.py"
    library.write_text(library.read_text() + "    if path == '/sub/7 ä.txt':\n        os.kill(os.getpid(), 11)\n")
    assert main(command("sizes", "sizes=two.csv", "--workers", "2")) == 1
    said = capsys.readouterr().err
    assert said.count("warning: Worker") == 3
    assert "died of SIGSEGV (it crashed in native code) in shard" in said.splitlines()[-1]
    assert said.splitlines()[-1].endswith(", for the 4th time.")


def test_a_worker_that_dies_while_it_joins_the_parts_begins_that_again(place, capsys):
    recipe = place / "plugin/custom-recipes/join/recipe.py"
    dies = f"import os\nif not os.path.exists('{place}/died'):\n    open('{place}/died', 'x')\n    os.kill(os.getpid(), 9)\n"
    recipe.write_text(dies + recipe.read_text())
    assert main(command("sizes", "sizes=two.csv", "--workers", "2")) == 0
    assert "probably because memory ran out while it joined the parts" in capsys.readouterr().err
    assert rows("two.csv") == expected()


def test_a_build_shares_out_the_steps_that_can_be(place, capsys):
    sizes, join = (
        "{recipe: sizes, inputs: {files: files}, outputs: {sizes: a.csv}}",
        "{recipe: alone, inputs: {files: files}",
    )
    Path("flow.yaml").write_text(f"plugins: [plugin]\nsteps:\n  - {sizes}\n  - {join}, outputs: {{sizes: b.csv}}}}\n")
    assert main(["build", "--workers", "two"]) == 2
    assert main(["build", "--workers", "2"]) == 0
    assert capsys.readouterr().err.count("2 workers, ready") == 1
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_all_workers(place, number):
    driver = Driver(
        *command("sizes", "sizes=two.csv", "--workers", "2", "-p", "seconds=0.2", "-p", f"notes={Path.cwd()}/notes")
    )
    workers = driver.workers()
    driver.process.send_signal(number)
    code, _out, err = driver.end()
    assert (code, err.splitlines()[-1]) == (130, "Interrupted. Outputs are as they were before.")
    assert "warning" not in err
    assert log().count(" files") <= 4
    assert not any(map(is_alive, workers))


def test_a_timeout_ends_all_workers(place, capsys):
    arguments = ("--workers", "2", "-p", "seconds=5", "-p", f"notes={Path.cwd()}/notes", "--timeout", "2")
    assert main(command("sizes", "sizes=two.csv", *arguments)) == 1
    assert "Stopped: it did not finish within 2 seconds" in capsys.readouterr().err
    lines = Path("notes").read_text().splitlines()
    assert not any(is_alive(int(line.split()[0])) for line in lines if line[0].isdigit())


def test_a_rerun_takes_up_what_a_killed_host_left(place, capsys):
    arguments = ("-p", "seconds=0.02", "-p", f"notes={Path.cwd()}/notes")
    driver = Driver(*command("sizes", "sizes=two.csv", "--workers", "2", "--shards", "15", *arguments))
    workers = driver.workers()
    while len(list(Path(".minihost/parts").glob("*/*/part.json"))) < 3:
        time.sleep(0.01)
    driver.process.kill()
    driver.end()
    limit = time.monotonic() + 5
    while any(map(is_alive, workers)) and time.monotonic() < limit:
        time.sleep(0.01)
    assert not any(map(is_alive, workers))
    first = sum(notes().values())
    capsys.readouterr()
    assert main(command("sizes", "sizes=two.csv", "--workers", "1", *arguments)) == 0
    assert "of them done by a run that ended early" in capsys.readouterr().err
    assert rows("two.csv") == expected()
    assert set(notes()) == {"/a b", *(f"/sub/{number} ä.txt" for number in range(FILES - 1))}
    assert sum(notes().values()) <= FILES + 10 < FILES + first


def test_shards_fill_the_cache_and_then_the_recipe_runs_once(place):
    for more in ((), ("-o", "cache=cache")):
        arguments = ("--workers", "2", "-p", f"notes={Path.cwd()}/notes", *more)
        assert main(command("gather", "model=model", *arguments)) == 0
        assert Path("model/model").read_text() == "60 of 60"
        assert set(notes().values()) == {1}
        Path("notes").unlink()
    assert len([path for path in Path("cache").rglob("*") if path.is_file()]) == FILES


def test_one_shard_of_a_cache_is_a_run_without_other_outputs(place, capsys):
    for shard in (1, 2):
        arguments = ("cache=cache", "-o", "model=model", "-p", "shards=2", "-p", f"shard={shard}")
        assert main(command("gather", *arguments, "-p", f"notes={Path.cwd()}/notes")) == 0
        shown = capsys.readouterr().out
        assert "cache: cache" in shown
        assert "model" not in shown
        assert not Path("model").exists()
    assert main(command("gather", "cache=cache", "-o", "model=model", "-p", f"notes={Path.cwd()}/notes")) == 0
    assert Path("model/model").read_text() == f"{FILES} of {FILES}"
