"""Calls of pip for an environment, and what its output means: which requirement failed, and why."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from minihost.errors import HostError
from minihost.plugins.code_envs import processes
from minihost.plugins.code_envs.requirement_lines import plain

Report = Callable[[str], None]
LIMIT = 2 * 3600.0
"""Seconds that a call of pip may take: a large set over a slow line, with packages to build, but not for ever."""
QUERY_LIMIT = 120.0
RETRIES = {"PIP_RETRIES": "2"}
"""How often pip asks an index again that does not answer; who sets more gets more."""
NOISE = re.compile(r"WARNING: Location 'file:.*' is ignored|Requirement already satisfied: ")

UNREACHABLE = re.compile(
    r"Retrying \(Retry\(|NewConnectionError|NameResolutionError|Failed to (establish a new connection|connect to)|"
    r"Could not resolve host|Max retries exceeded|Connection timed out|ReadTimeoutError|ProxyError"
)
HOST = re.compile(r"host='([^']+)'|Could not resolve host: (\S+)|Failed to connect to (\S+)")
MISSING = re.compile(
    r"(?:ERROR: )?Could not find a version that satisfies the requirement (?P<what>.+?)"
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
SOURCE = re.compile(r"\s*(?:Processing|Downloading|Using cached) (?:\S*/)?(\S+)-([^-\s]+?)\.(?:tar\.\w+|zip)\b")


class NotBuilt(HostError):
    """A code environment that could not be built; the message says why."""

    exit_code = 1


@dataclass
class PipFailure(Exception):
    """Why pip stopped, in one sentence, and the names of the plugin's requirements that are to blame.

    `reason` is `network`, `time`, `version` (no such version for this Python), `build`, `conflict` or `other`;
    `built` is the requirement that could not be built.
    """

    reason: str
    sentence: str
    names: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list, repr=False)
    built: str = ""


def install(
    python: Path, what: Path | list[str], report: Report, *, options: tuple[str, ...] = (), **environment: str
) -> None:
    """Install a requirements file, or requirements, into the environment of a Python; raises `PipFailure`."""
    given = what if isinstance(what, list) else ["-r", str(what)]
    texts = what if isinstance(what, list) else what.read_text(encoding="utf-8").splitlines()
    command = [*_pip(python), "install", "--no-input", *options, *given]
    try:
        code, lines = processes.run(command, _without_noise(report), LIMIT, {**RETRIES, **os.environ, **environment})
    except processes.TooLong:
        sentence = f"pip did not end within {LIMIT / 3600:.0f} hours. More exact requirements help it to choose."
        raise PipFailure("time", sentence) from None
    if code:
        raise understood(lines, {plain(line): line.strip() for line in texts}, _version(python))


def _without_noise(report: Report) -> Report:
    return lambda line: None if NOISE.match(line) else report(line)


def wheel_versions(python: Path, name: str, *, pure: bool = False) -> list[str]:
    """Return the versions of a project that have a wheel for this Python, the oldest first; empty where none has.

    With `pure`, those alone whose wheel is for every machine, so that nothing of them has to be compiled.

    They are those that pip names where a version is asked for that cannot exist: before pip 25, `pip index versions`
    lists those without a wheel, too. Raises `PipFailure` where the index cannot be reached.
    """
    command = [*_pip(python), "install", "--dry-run", "--no-deps", "--only-binary=:all:", f"{name}<0"]
    if pure:  # old pips want a target, too, which nothing gets into
        everywhere = ["--platform", "any", "--abi", "none", "--implementation", "py"]
        command += [*everywhere, "--target", str(python.parents[1] / "nothing")]
    try:
        _, lines = processes.run(command, lambda _line: None, QUERY_LIMIT, {**RETRIES, **os.environ})
    except processes.TooLong:
        sentence = f"the package index says nothing about {name} within {QUERY_LIMIT:.0f} seconds."
        raise PipFailure("network", sentence) from None
    found = next((found for line in lines if (found := MISSING.match(line))), None)
    versions = _listed(found["versions"]) if found else []
    if not versions and (failure := _unreachable("\n".join(lines))):
        raise failure
    return versions


def has_own_pip() -> bool:
    """Whether the host's Python has a pip that can install into environments without one."""
    return importlib.util.find_spec("pip") is not None


def understood(lines: list[str], asked: dict[str, str], python: str) -> PipFailure:
    """Return what the output of a failed pip means; `asked` are the requirements by name, `python` is `Python 3.11`."""
    own = [line for line in lines if not line.startswith("   ")]  # what else it runs is shown further in
    missing = next((found for line in own if (found := MISSING.match(line))), None)
    if (missing is None or not _listed(missing["versions"])) and (failure := _unreachable("\n".join(lines))):
        return failure
    if missing is not None:
        what, by = missing["what"], _root(missing["by"] or "")
        return PipFailure(
            "version", f"{_which(what, by)}{_there(missing['versions'], python)}", _names(by or what), lines
        )
    roots = dict(_roots(lines))
    if any("ResolutionImpossible" in line or "resolution-too-deep" in line for line in own):
        return _conflict(lines, roots)
    built = next((found[1] for pattern in BUILD for line in lines if (found := pattern.search(line))), "")
    built = built or _collected_last(own)
    if built:
        which = _which(asked.get(plain(built), built), roots.get(plain(built), ""))
        names = _names(roots.get(plain(built)) or built)
        sentence = f"{which} has no wheel for {python} and cannot be built here."
        return PipFailure("build", sentence, names, lines, dict(_collected(own)).get(plain(built), built))
    errors = [line for line in lines if re.match(r"(ERROR|error): ", line)] or lines[-1:]
    last = re.sub(r"^(ERROR|error): ", "", errors[-1]) if errors else "pip ended without a word."
    return PipFailure("other", last, lines=lines)


def _unreachable(text: str) -> PipFailure | None:
    """The failure of an index or another server that does not answer, if there is one."""
    if not UNREACHABLE.search(text):
        return None
    found = HOST.search(text)
    host = next((name for name in found.groups() if name), "") if found else ""
    where = f"{host} cannot be reached" if host else "the package index cannot be reached"
    return PipFailure("network", f"{where}: there is no network, or it is blocked.", lines=text.splitlines())


def _which(requirement: str, by: str) -> str:
    return f"{requirement}, which {by} needs," if by and plain(by) != plain(requirement) else requirement


def _there(versions: str, python: str) -> str:
    there = _listed(versions)
    if not there:
        return f" is nowhere to be found for {python}."
    shown = ", ".join(there) if len(there) <= 4 else f"{there[0]} … {there[-1]}"
    return f" does not exist for {python}; versions that do: {shown}."


def _listed(versions: str) -> list[str]:
    """`1.0, 1.1` as a list, `none` as an empty one."""
    return [one.strip() for one in versions.split(",") if one.strip() not in ("", "none")]


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


def _collected(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the names of what pip collected, each with the requirement: `a<2`, and `a==1.9` once it has the source."""
    for line in lines:
        if found := SOURCE.match(line):
            yield plain(found[1]), f"{found[1]}=={found[2]}"
        elif (found := COLLECTING.match(line)) and not found[1].endswith((".whl", ".gz", ".zip")):
            yield plain(found[1]), found[1]


def _collected_last(lines: list[str]) -> str:
    """What pip was busy with when a build failed; empty where none did. Before pip 25 it does not say so."""
    failed = next((place for place, line in enumerate(lines) if "subprocess-exited-with-error" in line), 0)
    return next((name for name, _ in reversed([*_collected(lines[:failed])])), "")


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
