"""What `minihost run --workers` costs and bears: start-up, a shard, scheduling, workers and hosts that are killed.

python -m benchmarks.workers [--photos FOLDER] [--rounds 3] [--kills 20] [--only NAME …]

With photos it also compares vision-classify with two workers on a core each and with one worker on one core. Writes
benchmarks/workers.md.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import median
from benchmarks.sleeping_plugin import write_sleeping_plugin
from minihost.errors import counted

ROOT = Path(__file__).resolve().parents[1]
HOST = [sys.executable, "-m", "minihost", "run"]
FILES = 1000


@dataclass(frozen=True)
class Bench:
    """Where the runs are, and how often each is repeated."""

    folder: Path
    rounds: int
    kills: int
    photos: Path | None

    def files(self, count: int) -> Path:
        """A folder of so many small files."""
        place = self.folder / f"files-{count}"
        if not place.exists():
            place.mkdir()
            for number in range(count):
                (place / f"{number}.txt").write_text("x", encoding="utf-8")
        return place

    def command(self, count: int, output: str, seconds: float, *more: str) -> list[str]:
        """The command that sleeps for each of so many files."""
        command = [*HOST, "sleep", "--plugin", str(self.folder / "plugin"), "--project", str(self.folder)]
        command += ["-i", f"files={self.files(count)}", "-o", f"table={output}", "--overwrite"]
        return [*command, "-p", f"seconds={seconds}", "-p", f"notes={self.notes}", *more]

    @property
    def notes(self) -> Path:
        """The file that every processed file leaves a line in: process, shard, begin, end, path."""
        return self.folder / "notes"

    def run(self, command: list[str]) -> tuple[float, str]:
        """Run a command, and return the seconds that it took and what it said."""
        self.notes.unlink(missing_ok=True)
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
        return time.perf_counter() - began, done.stderr


def start_up(bench: Bench) -> list[str]:
    """From the command to the moment at which all workers are ready, and to the first file."""
    lines = []
    for workers in (1, 2, 16):
        ready, first = [], []
        for _ in range(bench.rounds):
            began = time.time()
            _, said = bench.run(bench.command(FILES, "start.csv", 0.001, "--workers", str(workers)))
            ready.append(float(re.findall(r"ready after ([\d.]+) s", said)[0]))
            first.append(min(float(line.split()[2]) for line in bench.notes.read_text().splitlines()) - began)
        lines.append(
            f"{counted(workers, 'worker')}: ready after {median(ready):.1f} s; the first file is read "
            f"{median(first):.1f} s after the command"
        )
    return lines


def shard(bench: Bench) -> list[str]:
    """What one shard more costs in a worker: many shards of a folder, and one."""
    costs = []
    for _ in range(bench.rounds):
        seconds = {}
        for shards in (1, FILES):
            more = ("--workers", "1", "--shards", str(shards))
            bench.run(bench.command(FILES, "shard.csv", 0.0, *more))
            times = [float(line.split()[2]) for line in bench.notes.read_text().splitlines()]
            seconds[shards] = max(times) - min(times)
        costs.append((seconds[FILES] - seconds[1]) / (FILES - 1))
    return [f"one shard more: {1000 * median(costs):.1f} ms (best {1000 * min(costs):.1f}), a folder of {FILES} files"]


def scheduling(bench: Bench) -> list[str]:
    """The share of the time of 16 workers in which they sleep: from the last one's second shard to the last file."""
    lines = []
    for count, seconds in ((5000, 0.005), (5000, 0.02), (20_000, 0.02)):
        shares, wholes = [], []
        for _ in range(bench.rounds):
            whole, _ = bench.run(bench.command(count, "many.csv", seconds, "--workers", "16"))
            shares.append(_share(bench.notes.read_text().splitlines(), 16))
            wholes.append(count * seconds / 16 / whole)
        lines.append(
            f"16 workers, {count} files of {1000 * seconds:g} ms: efficiency {median(shares):.3f} (best "
            f"{max(shares):.3f}) after the start-up; of the whole command {median(wholes):.2f}"
        )
    return lines


def _share(notes: list[str], workers: int) -> float:
    """The time slept, as the machine let it last, over the time there was."""
    rows = [(process, shard, float(begin), float(end)) for process, shard, begin, end, _ in map(str.split, notes)]
    ready = []
    for process in {row[0] for row in rows}:
        own = [row for row in rows if row[0] == process]
        ready.append(min(row[2] for row in own if row[1] != own[0][1]))
    first, last = max(ready), max(row[3] for row in rows)
    return sum(max(0.0, end - max(begin, first)) for *_, begin, end in rows) / (workers * (last - first))


def killed(bench: Bench) -> list[str]:
    """Workers and hosts killed at random moments: the table afterwards, and the files that were read twice."""
    bench.run(bench.command(FILES, "whole.csv", 0.0))
    whole, chance = (bench.folder / "whole.csv").read_bytes(), random.Random(20)
    lines = []
    for what, times in (("worker", bench.kills), ("host", bench.kills // 2)):
        twice, same = [], 0
        for _ in range(times):
            (bench.folder / "killed.csv").unlink(missing_ok=True)
            command = bench.command(FILES, "killed.csv", 0.004, "--workers", "2")
            _kill(bench, command, what, chance)
            if what == "host":
                notes = bench.notes.read_text()
                bench.run(command)
                bench.notes.write_text(notes + bench.notes.read_text() if bench.notes.exists() else notes)
            same += (bench.folder / "killed.csv").read_bytes() == whole
            twice.append(len(bench.notes.read_text().splitlines()) / FILES - 1)
        lines.append(
            f"{what} killed {times} times: {same} tables the same; read twice: {100 * median(twice):.1f} % of the "
            f"files (most {100 * max(twice):.1f} %)"
        )
    return lines


def _kill(bench: Bench, command: list[str], what: str, chance: random.Random) -> None:
    """Run the command and kill it or one of its workers at some moment, from its first file on."""
    bench.notes.unlink(missing_ok=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=bench.folder)
    least = chance.randrange(1, int(0.95 * FILES))
    while process.poll() is None and not (bench.notes.exists() and bench.notes.read_text().count("\n") >= least):
        time.sleep(0.005)
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    workers = [int(number) for path in children for number in path.read_text().split()]
    os.kill(chance.choice(workers) if what == "worker" else process.pid, signal.SIGKILL)
    _, said = process.communicate()
    if what == "worker" and process.returncode:
        raise RuntimeError(said[-3000:])


def pinned(bench: Bench) -> list[str]:
    """vision-classify with two workers on a core each and with one on one core, run in turn."""
    if bench.photos is None:
        return []
    rates: dict[int, list[float]] = {1: [], 2: []}
    wholes: dict[int, list[float]] = {1: [], 2: []}
    cores = sorted(os.sched_getaffinity(0))[:2]
    for _ in range(bench.rounds):
        for workers in (1, 2):
            command = ["taskset", "-c", ",".join(map(str, cores[:workers])), *HOST, "vision-classify"]
            command += ["--plugin", str(ROOT), "--project", str(bench.folder), "-i", f"image_folder={bench.photos}"]
            command += ["-o", f"scored_dataset={workers}.csv", "--overwrite", "--workers", str(workers)]
            seconds, said = bench.run(command)
            files, _took, start = re.findall(r"(\d+) files? in ([\d.]+) s, of which ([\d.]+) s to start", said)[0]
            wholes[workers].append(seconds)
            rates[workers].append(int(files) / (_computing(bench, float(start))))
    same = (bench.folder / "1.csv").read_bytes() == (bench.folder / "2.csv").read_bytes()
    pairs = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    whole = [one / two for one, two in zip(wholes[1], wholes[2], strict=True)]
    return [
        f"vision-classify, {files} photos: two workers on a core each against one on one core: {max(pairs):.2f} times "
        f"after the start-up (median {median(pairs):.2f}), the whole command {max(whole):.2f} (median "
        f"{median(whole):.2f}: {median(wholes[1]):.1f} and {median(wholes[2]):.1f} s); same bytes: {same}; load "
        f"{os.getloadavg()[0]:.1f}"
    ]


def _computing(bench: Bench, start: float) -> float:
    """The seconds from the end of the start-up to that of the last shard, by the log of the newest job."""
    jobs = sorted((bench.folder / ".minihost" / "jobs").iterdir(), key=lambda path: path.stat().st_mtime)
    events = jobs[-1] / "events.jsonl"
    return events.stat().st_mtime - (jobs[-1] / "job.json").stat().st_mtime - start


PARTS: tuple[Callable[[Bench], list[str]], ...] = (start_up, shard, scheduling, killed, pinned)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder of photos for vision-classify")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    parser.add_argument(
        "--kills", type=int, default=20, help="how many workers are killed, and half as many hosts (20)"
    )
    parser.add_argument("--only", nargs="+", choices=[part.__name__ for part in PARTS], help="measure these alone")
    given = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory(prefix="workers-bench-") as folder:
        write_sleeping_plugin(Path(folder) / "plugin")
        bench = Bench(Path(folder), given.rounds, given.kills, given.photos and given.photos.resolve())
        for part in PARTS:
            if not given.only or part.__name__ in given.only:
                found = part(bench)
                print("\n".join(found), flush=True)
                lines += found
    if not given.only:
        head = f"# Workers, measured\n\n{os.cpu_count()} processors, medians of {given.rounds} rounds. Written by "
        text = head + "`python -m benchmarks.workers`.\n\n" + "".join(f"- {line}\n" for line in lines)
        (ROOT / "benchmarks" / "workers.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
