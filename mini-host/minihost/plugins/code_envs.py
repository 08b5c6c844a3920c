"""Code environments: a virtual environment for each plugin that wants one, built on request from its requirements.

It lies under the user's data, in a folder named by what it was built from: when the plugin's requirements change, there
is none any more, and runs say so.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from minihost.errors import HostError
from minihost.lenient_json import LenientJsonError, read_object, read_text
from minihost.user_folders import code_env_store

CORE = ("pandas>=2.2,<3", "numpy", "pyarrow", "openpyxl", "requests", "flask")
"""What DSS adds to every code environment that asks for core packages, as far as components see it."""

OLDEST = (3, 11)
"""The first Python that the host's own side of a run works with."""


class NotBuilt(HostError):
    """A code environment that could not be built; the message says why."""

    exit_code = 1


@dataclass(frozen=True)
class EnvironmentSpec:
    """What a plugin's code environment is built from: its requirements and the Pythons it accepts."""

    plugin_id: str
    requirements: str
    core: tuple[str, ...]
    pythons: tuple[tuple[int, int], ...]

    @property
    def place(self) -> Path:
        """Where this environment lies, built or not."""
        facts = repr((self.requirements, self.core, self.pythons))
        return code_env_store() / self.plugin_id / hashlib.sha256(facts.encode()).hexdigest()[:12]

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.place / "bin" / "python"


def spec_of(plugin_id: str, root: Path) -> EnvironmentSpec | None:
    """Return what the plugin in a folder asks for, None when it has no requirements; raises `HostError`."""
    folder = root / "code-env" / "python"
    file = folder / "spec" / "requirements.txt"
    if not file.is_file():
        return None
    try:
        requirements = read_text(file)
        described = read_object(folder / "desc.json").value if (folder / "desc.json").is_file() else {}
    except LenientJsonError as err:
        raise HostError(f"The code environment of {plugin_id} cannot be read: {err}") from err
    named = {_plain(line) for line in requirements.splitlines()}
    wants_core = described.get("installCorePackages") is True
    core = tuple(package for package in CORE if _plain(package) not in named) if wants_core else ()
    accepted = described.get("acceptedPythonInterpreters")
    found = [re.fullmatch(r"PYTHON(\d)(\d+)", str(name)) for name in (accepted if isinstance(accepted, list) else [])]
    pythons = sorted({(int(one[1]), int(one[2])) for one in found if one}, reverse=True)
    return EnvironmentSpec(plugin_id, requirements, core, tuple(pythons))


def python_for(plugin_id: str, root: Path) -> tuple[str | None, str]:
    """Return the Python that a plugin's components run with, None for the host's own, and a warning (or nothing)."""
    spec = spec_of(plugin_id, root)
    if spec is None:
        return None, ""
    if spec.python.exists():
        return str(spec.python), ""
    if any(spec.place.parent.glob("[!.]*")):
        return None, (
            f"The code environment of {plugin_id} was built from other requirements, so it is not used. "
            f"Build it again: minihost env {plugin_id}"
        )
    return None, ""


def build(spec: EnvironmentSpec, report: Callable[[str], None]) -> Path:
    """Build the environment, complete or not at all, in place of older ones of the plugin; return its Python."""
    python, warning = interpreter(spec)
    if warning:
        report(f"warning: {warning}")
    folder = spec.place.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    except OSError as err:
        raise NotBuilt(
            f"Nothing can be written in {folder}: {err.strerror}. Set MINIHOST_HOME to a folder of yours."
        ) from err
    try:
        _call([python, "-m", "venv", "--without-pip", str(stage)], report)
        file = stage / "requirements.txt"
        file.write_text("\n".join([spec.requirements, *spec.core]) + "\n", encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "--python", str(stage / "bin" / "python"), "--disable-pip-version-check"]
        if any(_plain(line) for line in file.read_text(encoding="utf-8").splitlines()):
            _call([*pip, "install", "--no-input", "-r", str(file)], report)
        for old in folder.glob("[!.]*"):
            shutil.rmtree(old)
        stage.rename(spec.place)
    except OSError as err:
        raise NotBuilt(f"The code environment of {spec.plugin_id} cannot be kept in {folder}: {err}.") from err
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return spec.python


def interpreter(spec: EnvironmentSpec) -> tuple[str, str]:
    """Return the Python to build with and a warning or nothing: one that the plugin accepts, else the host's own."""
    own = (sys.version_info.major, sys.version_info.minor)
    if not spec.pythons or own in spec.pythons:
        return sys.executable, ""
    for version in spec.pythons:
        found = shutil.which(f"python{version[0]}.{version[1]}") if version >= OLDEST else None
        if found:
            return found, ""
    accepted = ", ".join(f"{major}.{minor}" for major, minor in spec.pythons)
    return sys.executable, f"{spec.plugin_id} accepts Python {accepted}; {own[0]}.{own[1]} is what there is here."


def _call(command: list[str], report: Callable[[str], None]) -> None:
    """Run a command and hand on its lines; raises `NotBuilt` with the last of them when it fails."""
    last: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            report(line.rstrip())
            last = [*last[-4:], line.rstrip()]
    if process.returncode:
        said = "\n".join(last)
        raise NotBuilt(f"{said}\nThe code environment was not built: {Path(command[0]).name} ended with an error.")


def _plain(requirement: str) -> str:
    """The name of a requirement in its usual spelling; empty for comments and options."""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""
