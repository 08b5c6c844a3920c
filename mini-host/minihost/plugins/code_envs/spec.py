"""What a plugin's code environment is built from, where it lies, and with which Python."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from minihost.errors import HostError
from minihost.lenient_json import LenientJsonError, read_object, read_text
from minihost.plugins.code_envs.core_packages import BUILT_IN, FOR_TABLES, REQUIREMENTS, SHARED, core_packages
from minihost.plugins.code_envs.requirement_lines import plain
from minihost.user_folders import code_env_store

OLDEST = (3, 11)
"""The first Python that the host's own side of a run works with."""


@dataclass(frozen=True)
class EnvironmentSpec:
    """What a plugin's code environment is built from: its requirements, the core packages, the Pythons it accepts."""

    plugin_id: str
    requirements: str
    core: tuple[str, ...]
    pythons: tuple[tuple[int, int], ...]
    remark: str = ""
    """What is said when it is built: why the core packages are not those that the plugin named."""

    @property
    def place(self) -> Path:
        """Where this environment lies, built or not."""
        facts = repr((self.requirements, self.core, self.pythons))
        return code_env_store() / self.plugin_id / hashlib.sha256(facts.encode()).hexdigest()[:12]

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.place / "bin" / "python"


def shared_spec() -> EnvironmentSpec:
    """Return what the environment is built from that serves every plugin without requirements of its own."""
    core, _ = core_packages("AUTO", (sys.version_info.major, sys.version_info.minor))
    return EnvironmentSpec(SHARED, "\n".join((*BUILT_IN, *FOR_TABLES)), core, ())


def spec_of(plugin_id: str, root: Path) -> EnvironmentSpec | None:
    """Return what the plugin in a folder asks for, None when it has no requirements; raises `HostError`."""
    folder = root / "code-env" / "python"
    file = root / REQUIREMENTS
    if not file.is_file():
        return None
    try:
        requirements = read_text(file)
        described = read_object(folder / "desc.json").value if (folder / "desc.json").is_file() else {}
    except LenientJsonError as err:
        raise HostError(f"The code environment of {plugin_id} cannot be read: {err}") from err
    accepted = described.get("acceptedPythonInterpreters")
    found = [re.fullmatch(r"PYTHON(\d)(\d+)", str(name)) for name in (accepted if isinstance(accepted, list) else [])]
    pythons = tuple(sorted({(int(one[1]), int(one[2])) for one in found if one}, reverse=True))
    core: tuple[str, ...] = ()
    remark = ""
    if described.get("installCorePackages") is True:
        python = interpreter(plugin_id, pythons).version
        core, remark = core_packages(described.get("corePackagesSet"), python, pythons)
    named = {plain(line) for line in requirements.splitlines()}
    remark = "" if "pandas" in named else remark
    core = tuple(package for package in core if plain(package) not in named)
    return EnvironmentSpec(plugin_id, requirements, core, pythons, remark)


@dataclass(frozen=True)
class Interpreter:
    """A Python to build environments with, and a warning where it is none that the plugin accepts."""

    path: str
    version: tuple[int, int]
    warning: str = ""


def interpreter(plugin_id: str, accepted: tuple[tuple[int, int], ...]) -> Interpreter:
    """Return the Python to build with: the host's own or another that the plugin accepts, else the host's own."""
    own = (sys.version_info.major, sys.version_info.minor)
    if not accepted or own in accepted:
        return Interpreter(sys.executable, own)
    for version in accepted:
        found = shutil.which(f"python{version[0]}.{version[1]}") if version >= OLDEST else None
        if found:
            return Interpreter(found, version)
    listed = ", ".join(f"{major}.{minor}" for major, minor in accepted)
    return Interpreter(
        sys.executable, own, f"{plugin_id} accepts Python {listed}; {own[0]}.{own[1]} is what there is here."
    )
