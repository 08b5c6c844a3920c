"""Calls of pip for an environment, and what its output means: which requirement failed, and why."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from minihost.errors import HostError
from minihost.plugins.code_envs.requirement_lines import plain

Report = Callable[[str], None]
NOISE = re.compile(r"WARNING: Location 'file:.*' is ignored|Requirement already satisfied: ")

UNREACHABLE = re.compile(
    r"Retrying \(Retry\(|NewConnectionError|NameResolutionError|Failed to (establish a new connection|connect to)|"
    r"Could not resolve host|Max retries exceeded|Connection timed out|ReadTimeoutError|ProxyError"
)
HOST = re.compile(r"host='([^']+)'|Could not resolve host: (\S+)|Failed to connect to (\S+)")
MISSING = re.compile(
    r"Could not find a version that satisfies the requirement (?P<what>.+?)"
    r"(?: \(from (?!versions)(?P<by>[^()]*(?:\([^()]*\))?[^()]*)\))? \(from versions: (?P<versions>.*)\)"
)
BUILD = (
    re.compile(r"ERROR: Failed to build '([^']+)' when"),
    re.compile(r"Failed to build ([A-Za-z0-9][\w.-]*)$"),
    re.compile(r"ERROR: Failed building wheel for ([\w.-]+)"),
    re.compile(r"^╰─> ([A-Za-z0-9][\w.-]*)$"),
)
"""Where pip says which package could not be built, the outermost first."""

COLLECTING = re.compile(r"\s*(?:Collecting|Processing) (\S+).*? \(from ([^()]+(?:\(line \d+\))?[^()]*)\)")


class NotBuilt(HostError):
    """A code environment that could not be built; the message says why."""

    exit_code = 1


@dataclass
class PipFailure(Exception):
    """Why pip stopped, in one sentence, and the names of the plugin's requirements that are to blame.

    `reason` is `network`, `version` (no such version for this Python), `build`, `conflict` or `other`.
    """

    reason: str
    sentence: str
    names: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list, repr=False)


def install(python: Path, file: Path, report: Report, *, options: tuple[str, ...] = (), **environment: str) -> None:
    """Install a requirements file into the environment of a Python; raises `PipFailure`."""
    command = [*_pip(python), "install", "--no-input", *options, "-r", str(file)]
    code, lines = run(command, report, {**os.environ, **environment})
    if code:
        asked = {plain(line): line.strip() for line in file.read_text(encoding="utf-8").splitlines()}
        raise understood(lines, asked, _version(python))


def wheel_versions(python: Path, name: str) -> list[str]:
    """Return the versions of a project that have a wheel for this Python, the newest first; empty where none has."""
    command = [*_pip(python), "index", "versions", "--only-binary=:all:", name]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    found = re.search(r"^Available versions: (.*)$", done.stdout, re.M)
    return [version.strip() for version in found[1].split(",")] if found else []


def has_own_pip() -> bool:
    """Whether the host's Python has a pip that can install into environments without one."""
    return importlib.util.find_spec("pip") is not None


def run(command: list[str], report: Report, environment: dict[str, str] | None = None) -> tuple[int, list[str]]:
    """Run a command, hand on its lines, and return its exit code and all lines."""
    lines: list[str] = []
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, errors="replace", env=environment, **streams) as process:  # type: ignore[call-overload]
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                if not NOISE.match(line):
                    report(lines[-1])
        except BaseException:
            process.terminate()
            raise
    return process.returncode, lines


def understood(lines: list[str], asked: dict[str, str], python: str) -> PipFailure:
    """Return what the output of a failed pip means; `asked` are the requirements by name, `python` is `Python 3.11`."""
    text = "\n".join(lines)
    missing = next((found for line in lines if (found := MISSING.search(line))), None)
    if UNREACHABLE.search(text) and (missing is None or missing["versions"] in ("none", "")):
        found = HOST.search(text)
        host = next((name for name in found.groups() if name), "") if found else ""
        where = f"{host} cannot be reached" if host else "the package index cannot be reached"
        return PipFailure("network", f"{where}: there is no network, or it is blocked.", lines=lines)
    if missing is not None:
        what, by = missing["what"], _root(missing["by"] or "")
        return PipFailure(
            "version", f"{_which(what, by)}{_there(missing['versions'], python)}", _names(by or what), lines
        )
    roots = dict(_roots(lines))
    if "ResolutionImpossible" in text or "resolution-too-deep" in text:
        return _conflict(lines, roots)
    built = next((found[1] for pattern in BUILD for line in lines if (found := pattern.search(line))), "")
    if built:
        which = _which(asked.get(plain(built), built), roots.get(plain(built), ""))
        names = _names(roots.get(plain(built)) or built)
        return PipFailure("build", f"{which} has no wheel for {python} and cannot be built here.", names, lines)
    errors = [line for line in lines if re.match(r"(ERROR|error): ", line)] or lines[-1:]
    last = re.sub(r"^(ERROR|error): ", "", errors[-1]) if errors else "pip ended without a word."
    return PipFailure("other", last, lines=lines)


def _which(requirement: str, by: str) -> str:
    return f"{requirement}, which {by} needs," if by and plain(by) != plain(requirement) else requirement


def _there(versions: str, python: str) -> str:
    there = [one.strip() for one in versions.split(",") if one.strip() not in ("", "none")]
    if not there:
        return f" is nowhere to be found for {python}."
    shown = ", ".join(there) if len(there) <= 4 else f"{there[0]} … {there[-1]}"
    return f" does not exist for {python}; versions that do: {shown}."


def _conflict(lines: list[str], roots: dict[str, str]) -> PipFailure:
    start = next((place for place, line in enumerate(lines) if "conflict is caused by" in line), None)
    said = [] if start is None else [line.strip() for line in lines[start + 1 :]]
    said = said[: said.index("")] if "" in said else said
    mentioned = [found for line in said for found in re.findall(r"(?:requested |^)([A-Za-z0-9][\w.-]*)", line)]
    names = [
        name for one in mentioned if one != "The" for name in (plain(one), plain(roots.get(plain(one), ""))) if name
    ]
    why = "; ".join(said) or "there is no set of versions that fits all"
    return PipFailure("conflict", f"its requirements contradict each other: {why}.", tuple(dict.fromkeys(names)), lines)


def _roots(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what pip collected as a dependency, by name, and the requirement of the plugin that it came from."""
    for line in lines:
        if found := COLLECTING.match(line):
            file = found[1].rpartition("/")[2]
            yield plain(file.partition("-")[0] if file.endswith((".whl", ".gz", ".zip")) else file), _root(found[2])


def _root(chain: str) -> str:
    """`b==1->a>=2->-r file (line 3)` -> `a>=2`; empty where the requirement is one of the plugin's own."""
    links = [link for link in chain.split("->") if link and not re.match(r"-[rc] ", link)]
    return links[-1].strip() if links else ""


def _names(requirement: str) -> tuple[str, ...]:
    name = plain(requirement)
    return (name,) if name else ()


def _pip(python: Path) -> list[str]:
    own = [sys.executable, "-m", "pip", "--python", str(python)] if has_own_pip() else [str(python), "-m", "pip"]
    return [*own, "--disable-pip-version-check"]


def _version(python: Path) -> str:
    """The version of an environment's Python, for people."""
    try:
        text = (python.parents[1] / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return "this Python"
    found = re.search(r"^version = (\d+\.\d+)", text, re.M)
    return f"Python {found[1]}" if found else "this Python"
