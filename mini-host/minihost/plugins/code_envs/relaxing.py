"""Requirements that were written for older Pythons, with the nearest versions that this Python can install."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from minihost.plugins.code_envs.requirement_lines import Line

BACKPORTS = {
    **dict.fromkeys(("argparse", "ipaddress", "pathlib", "pathlib2", "typing", "unittest2", "uuid", "wsgiref"), "3.4"),
    **dict.fromkeys(("asyncio", "enum34", "futures", "functools32", "singledispatch", "subprocess32"), "3.4"),
    **dict.fromkeys(("backports-csv", "backports-functools-lru-cache", "backports-weakref"), "3.4"),
    **dict.fromkeys(("backports-ssl-match-hostname", "configparser", "contextlib2", "monotonic", "trollius"), "3.5"),
    **dict.fromkeys(("contextvars", "dataclasses", "async-generator", "aenum"), "3.7"),
    "pickle5": "3.8",
    "backports-zoneinfo": "3.9",
    "graphlib-backport": "3.9",
}  # fmt: skip
"""Copies of modules of the standard library for older Pythons -> the Python that has them."""

INSTALLERS = {"pip", "wheel"}
QUERIES_AT_ONCE = 4


@dataclass
class Relaxed:
    """The lines of a requirements file on their way to what can be installed, and what became of each, in words."""

    lines: list[Line]
    python: str
    changes: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Name -> (as written, as relaxed or nothing, why)."""
    nearest: dict[str, str] = field(default_factory=dict)
    """Name -> the series of the nearest wheel, where the pin itself may be built and is tried first."""

    def copy(self) -> Relaxed:
        """Return another that changes on its own."""
        return Relaxed([*self.lines], self.python, {**self.changes}, {**self.nearest})

    def said(self) -> list[str]:
        """What was relaxed from what to what, one sentence each."""
        return [
            f"{before} -> {after} ({why})" if after else f"{before} is left out ({why})"
            for before, after, why in self.changes.values()
        ]

    def drop_needless(self) -> None:
        """Leave out what is for other Pythons, what every current Python has, and installers."""
        self.lines = [line for line in self.lines if line.applies(self.python)]
        for line in list(self.lines):
            if line.name in BACKPORTS:
                self.put(line, None, f"part of Python since {BACKPORTS[line.name]}")
            elif line.name in INSTALLERS:
                self.put(line, None, "the host installs with its own")

    def find_wheels(
        self, versions_of: Callable[[str], list[str]], pure_versions_of: Callable[[str], list[str]]
    ) -> None:
        """Relax each pin that no wheel for this Python fits to the series of the nearest newer wheel.

        What has no wheels at all stays as it is, and so does, at first, what nothing has to be compiled for or what is
        newer than any wheel: they may be built. The functions answer the versions with wheels, the oldest first, and
        those with wheels for every machine.
        """
        pinned = [line for line in self.lines if line.is_pinned]
        with ThreadPoolExecutor(QUERIES_AT_ONCE) as pool:
            found = list(pool.map(lambda line: versions_of(line.name), pinned))
        for line, versions in zip(pinned, found, strict=True):
            requirement = line.requirement
            if requirement is None or not versions or any(requirement.specifier.filter(versions, prereleases=True)):
                continue
            nearest = next(iter(_newer(versions, _pinned_at(line))), None)
            if nearest is None:
                self.nearest[line.name] = f"<={versions[-1]}"
            elif nearest in pure_versions_of(line.name):
                self.nearest[line.name] = _series(nearest)
            else:
                self.put(line, line.with_versions(_series(nearest)), f"no wheel for Python {self.python}")

    def loosen(self, names: Iterable[str], why: str, *, may_drop: bool) -> bool:
        """Take one step with each of these requirements; answer whether there was one to take.

        From a pin to the nearest wheel, to no upper bound, to any version, and, where `may_drop`, out of the list.
        """
        moved = False
        for line in [line for line in self.lines if line.name in set(names)]:
            requirement = line.requirement
            if requirement is not None and line.name in self.nearest:
                self.put(line, line.with_versions(self.nearest.pop(line.name)), why)
            elif requirement is not None and line.is_pinned:
                at = _pinned_at(line)
                self.put(line, line.with_versions(f">={at}" if at else ""), why)
            elif requirement is not None and requirement.specifier:
                self.put(line, line.with_versions(""), why)
            elif may_drop:
                self.put(line, None, why)
            else:
                continue
            moved = True
        return moved

    def put(self, line: Line, other: Line | None, why: str) -> None:
        """Replace a line by another or by nothing."""
        before = self.changes.get(line.name, (line.text, "", ""))[0]
        place = self.lines.index(line)
        self.lines[place : place + 1] = [other] if other else []
        self.changes[line.name] = (before, other.text if other else "", why)


def _pinned_at(line: Line) -> str:
    """The version that a requirement starts from: of `==1.2` and `>=1.2,<2` 1.2, of `<2` 2."""
    from packaging.version import InvalidVersion, Version

    requirement = line.requirement
    assert requirement is not None
    found: dict[bool, list[Version]] = {True: [], False: []}
    for one in requirement.specifier:
        if one.operator == "!=":
            continue
        try:
            found[one.operator.startswith("<")].append(Version(re.sub(r"\.\*$", "", one.version)))
        except InvalidVersion:
            continue
    if found[False]:
        return str(max(found[False]).public)
    return str(min(found[True]).public) if found[True] else ""


def _newer(versions: Iterable[str], version: str) -> Iterator[str]:
    """Yield the released versions above one, the nearest first."""
    from packaging.version import InvalidVersion, Version

    known = []
    for one in versions:
        try:
            known.append(Version(one))
        except InvalidVersion:
            continue
    limit = Version(version) if version else Version("0")
    yield from (str(one) for one in sorted(known) if one >= limit and not one.is_prerelease)


def _series(version: str) -> str:
    """The specifier of a version and later ones of its series: of 1.1.3 those of 1.1, of 1.2 those of 1."""
    from packaging.version import Version

    parts = Version(version).release
    return f"~={version}" if len(parts) > 1 else f">={version}"
