"""Imports every requirement of an environment once, each in a process of its own: a crash is a failure like others."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from minihost.plugins.code_envs.pip_calls import NotBuilt
from minihost.plugins.code_envs.repairs import NUMPY_1
from minihost.plugins.code_envs.requirement_lines import plain

LIMIT = 180.0
"""Seconds that an import may take."""
AT_ONCE = 2
LONGEST = 300
"""Characters of an error's last line that are shown."""
KEPT = 1 << 16
"""Bytes that are read of what an import wrote, from the end."""
IMPORT = """
import importlib, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 28, 1 << 28))
for name in sys.argv[2:]:
    importlib.import_module(name)
open(sys.argv[1], "w").close()
"""
"""Imports modules, with a limit on the files that they write, and leaves a file when that is done."""
OUTSIDE = re.compile(
    r"\blib[\w.+-]+\.so[\w.]*: cannot open shared object file|\bfailed to find lib|cannot load library|"
    r"Could not find (the )?\S* ?(shared )?library|Unable to find .*(shared library|\bdriver\b)"
)
"""What says that the machine lacks a library which pip does not install."""
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
"""What would change a terminal."""


@dataclass(frozen=True)
class Failed:
    """A distribution (`faiss-cpu 1.7.3`) whose modules cannot be imported: the whole error and its last line."""

    distribution: str
    text: str
    error: str

    @property
    def name(self) -> str:
        """The distribution's name in its usual spelling."""
        return plain(self.distribution.split()[0])

    @property
    def is_outside(self) -> bool:
        """Whether the machine lacks something that no requirement can bring, or the import had no time to end."""
        return bool(OUTSIDE.search(self.text)) or self.error.startswith("it did not end")


def check_imports(python: Path) -> list[Failed]:
    """Import every requested distribution of the environment and return those that fail."""
    distributions = _requested(python)
    running: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        work = [pool.submit(_failed, python, folder, running, *item) for item in distributions.items()]
        try:
            checked = [one.result() for one in work]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                _end(process)
            raise
        return [one for one in checked if one is not None]


def _requested(python: Path) -> dict[str, list[str]]:
    probe = Path(__file__).with_name("installed_modules.py")
    done = subprocess.run([str(python), "-I", str(probe)], capture_output=True, text=True)
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise NotBuilt(f"The packages of the code environment cannot be listed: {last}") from None


def _failed(
    python: Path, folder: str, running: list[subprocess.Popen[bytes]], distribution: str, modules: list[str]
) -> Failed | None:
    if not modules:
        return None
    work = Path(tempfile.mkdtemp(dir=folder))
    done, log = work / "done", work / "stderr"
    command = [str(python), "-I", "-c", IMPORT, str(done), *modules]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg"}
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
            start_new_session=True,
        )  # fmt: skip
    running.append(process)
    try:
        code = process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        return Failed(distribution, "", f"it did not end within {LIMIT:.0f} seconds.")
    finally:
        _end(process)
    with log.open("rb") as written:
        written.seek(max(0, log.stat().st_size - KEPT))
        text = CONTROL.sub("", written.read().decode("utf-8", "replace"))
    if done.exists() and not NUMPY_1.search(text):
        return None
    return Failed(distribution, text, "".join(_last_words(code, text))[:LONGEST])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End an import and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_words(code: int, text: str) -> Iterator[str]:
    """The last line of an error, or the signal that ended the import."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(Error|Exception|Warning|NotFound|Exit)\b", line)]
    if code < 0:
        yield f"the import died of {signal.Signals(-code).name} (it crashed in native code)."
    elif found := NUMPY_1.search(text):
        yield errors[-1] if code and errors else next(line for line in lines if found[0] in line)
    else:
        yield (errors or lines or [f"the import ended with code {code}."])[-1]
