"""Imports every requirement of an environment once, each in a process of its own: a crash is a failure like others."""

from __future__ import annotations

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
IMPORT = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)"
OUTSIDE = re.compile(
    r"\blib[\w.+-]+\.so[\w.]*: cannot open shared object file|\bfailed to find lib|cannot load library|"
    r"Could not find (the )?\S* ?(shared )?library|Unable to find .*(shared library|\bdriver\b)"
)
"""What says that the machine lacks a library which pip does not install."""


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
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        checked = pool.map(lambda item: _failed(python, folder, *item), distributions.items())
        return [one for one in checked if one is not None]


def _requested(python: Path) -> dict[str, list[str]]:
    probe = Path(__file__).with_name("installed_modules.py")
    done = subprocess.run([str(python), "-I", str(probe)], capture_output=True, text=True)
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise NotBuilt(f"The packages of the code environment cannot be listed: {last}") from None


def _failed(python: Path, folder: str, distribution: str, modules: list[str]) -> Failed | None:
    if not modules:
        return None
    command = [str(python), "-I", "-c", IMPORT, *modules]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "Agg"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", timeout=LIMIT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Failed(distribution, "", f"it did not end within {LIMIT:.0f} seconds.")
    if done.returncode == 0 and not NUMPY_1.search(done.stderr):
        return None
    return Failed(distribution, done.stderr, "".join(_last_words(done.returncode, done.stderr)))


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
