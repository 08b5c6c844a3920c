"""Builds a code environment, complete or not at all: installed, imported once, mended where there is a known way."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from minihost.errors import Interrupted
from minihost.interrupts import interruptible, uninterrupted
from minihost.locks import Lock
from minihost.plugins.code_envs import pip_calls, processes
from minihost.plugins.code_envs.build_tools import tools_for
from minihost.plugins.code_envs.import_check import Failed, check_imports
from minihost.plugins.code_envs.pip_calls import NotBuilt, PipFailure
from minihost.plugins.code_envs.records import ImportFailure, Record
from minihost.plugins.code_envs.relaxing import Relaxed
from minihost.plugins.code_envs.repairs import BUILD_REPAIRS, Repair, candidates
from minihost.plugins.code_envs.requirement_lines import lines_of, plain
from minihost.plugins.code_envs.spec import EnvironmentSpec, Interpreter, interpreter

Report = Callable[[str], None]
ROUNDS = 24
"""How often pip is called again with other requirements before it is given up."""
TOTAL_LIMIT = 3 * 3600.0
"""Seconds after which it is not called again."""
VENV_LIMIT = 300.0
SETUPTOOLS = "setuptools<81"


def build(spec: EnvironmentSpec, report: Report, *, relax: bool = False) -> Record:
    """Build the environment in place of older ones of the plugin and return what was built.

    With `relax`, requirements that this Python cannot install are replaced by the nearest that it can. Raises
    `NotBuilt` with the reason, or `Interrupted`; then nothing is left of it, and an older environment is as it was.
    """
    python = interpreter(spec.plugin_id, spec.pythons)
    for remark in (python.warning, spec.remark):
        if remark:
            report(f"warning: {remark}")
    with _place_of(spec) as place:
        _make_venv(python, place, report)
        work = Work(spec, python, place, report, relax=relax)
        if relax:
            work.prepare()
        work.install()
        work.add_setuptools()
        record = work.checked()
        record.write(place)
    for old in spec.place.parent.glob("[!.]*"):
        if old != spec.place:
            shutil.rmtree(old, ignore_errors=True)
    return record


@contextmanager
def _place_of(spec: EnvironmentSpec) -> Iterator[Path]:
    """The empty place of an environment, for one process at a time; it is removed again when building fails."""
    folder, place = spec.place.parent, spec.place
    try:
        folder.mkdir(parents=True, exist_ok=True)
        facts = {"component": "minihost env", "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        lock = Lock(folder / ".lock", f"The code environment of {spec.plugin_id}", facts).take()
    except OSError as err:
        raise NotBuilt(
            f"Nothing can be written in {folder}: {err.strerror}. Set MINIHOST_HOME to a folder of yours."
        ) from err
    complete = False
    try:
        with interruptible():
            shutil.rmtree(place, ignore_errors=True)
            yield place
            complete = True
    except (KeyboardInterrupt, Interrupted):
        message = f"Interrupted. The code environment of {spec.plugin_id} was not built; an older one is as it was."
        raise Interrupted(message) from None
    except OSError as err:
        raise NotBuilt(f"The code environment of {spec.plugin_id} cannot be kept in {folder}: {err}.") from err
    finally:
        with uninterrupted():
            if not complete:
                shutil.rmtree(place, ignore_errors=True)
            lock.free()


def _make_venv(python: Interpreter, place: Path, report: Report) -> None:
    without = ["--without-pip"] if pip_calls.has_own_pip() else []
    command = [python.path, "-m", "venv", *without, str(place)]
    try:
        code, lines = processes.run(command, report, VENV_LIMIT)
    except processes.TooLong:
        code, lines = 1, [f"It did not end within {VENV_LIMIT:.0f} seconds."]
    if code:
        raise NotBuilt("\n".join([*lines[-5:], f"{python.path} cannot make a virtual environment."]))


class Work:
    """The requirements of an environment on their way to a set that is installed and can be imported."""

    def __init__(self, spec: EnvironmentSpec, python: Interpreter, place: Path, report: Report, *, relax: bool) -> None:
        self.spec, self.place, self.report, self.relax = spec, place, report, relax
        self.python = place / "bin" / "python"
        self.version = f"{python.version[0]}.{python.version[1]}"
        self.asked = Relaxed(list(lines_of(spec.requirements)), self.version)
        self.caps: list[Repair] = []
        self.capped: dict[str, str] = {}
        self.build_caps: list[Repair] = []
        self.built_apart: set[str] = set()
        self.until = time.monotonic() + TOTAL_LIMIT

    def prepare(self) -> None:
        """Relax what this Python cannot install, as far as the index says so."""
        self.asked.drop_needless()
        self.report("Looking for versions with wheels …")
        try:
            self.asked.find_wheels(
                lambda name: pip_calls.wheel_versions(self.python, name),
                lambda name: pip_calls.wheel_versions(self.python, name, pure=True),
            )
        except PipFailure as failure:
            raise self._not_built(failure) from failure

    def install(self, *options: str) -> None:
        """Install what was asked for, relaxed step by step where that was asked for, too; raises `NotBuilt`."""
        for _ in range(ROUNDS):
            try:
                return self._pip(*options)
            except PipFailure as failure:
                if time.monotonic() > self.until or not self._is_changed(failure):
                    raise self._not_built(failure) from failure
        raise NotBuilt(
            f"The code environment of {self.spec.plugin_id} was not built: {ROUNDS} sets were tried in vain."
        )

    def add_setuptools(self) -> None:
        """Add a setuptools with pkg_resources, which environments of DSS have and old packages import when they run."""
        asked = {plain(line) for line in self._lines()}
        if "setuptools" in asked or any(self.place.glob("lib/python*/site-packages/pkg_resources*")):
            return
        try:
            pip_calls.install(self.python, [SETUPTOOLS], self.report)
        except PipFailure as failure:
            self.report(f"The environment has no pkg_resources: {failure.sentence}")

    def checked(self) -> Record:
        """Import every requirement, mend what can be mended, and return what came of it all."""
        self.report("Importing every requirement once …")
        failures = self._mended(check_imports(self.python))
        for _ in range(ROUNDS if self.relax else 0):
            names = [one.name for one in failures if not one.is_outside]
            before = self.asked.copy()
            if not self.asked.loosen(names, "cannot be imported", may_drop=False):
                break
            try:
                self.install("--upgrade")
            except NotBuilt as err:
                self.report(f"warning: {err}")
                self.asked = before
                break
            failures = self._mended(check_imports(self.python))
        relaxed = self.asked.said()
        found = tuple(self._explained(one) for one in failures)
        return Record(self.version, self.relax, tuple(relaxed), tuple(self.capped.values()), found)

    def _mended(self, failures: list[Failed]) -> list[Failed]:
        """Try the constraints that errors speak for, one after the other, until imports work or none is left."""
        tried: set[tuple[str, str, str]] = set()
        while True:
            choice = next(
                (
                    (one, repair)
                    for one in failures
                    for repair in candidates(one.text)
                    if (one.name, one.error, repair.requirement) not in tried
                ),
                None,
            )
            if choice is None:
                return failures
            failed, repair = choice
            tried.add((failed.name, failed.error, repair.requirement))
            failures = self._with_cap(failed, repair, failures)

    def _with_cap(self, failed: Failed, repair: Repair, before: list[Failed]) -> list[Failed]:
        """Return the failures under one more constraint; where it does not help, it is withdrawn and they stay."""
        self.report(f"{failed.distribution} {repair.reason}: trying {repair.requirement}")
        self.caps.append(repair)
        with_it = None
        try:
            self._pip()
            with_it = check_imports(self.python)
        except PipFailure as failure:
            self.report(f"{repair.requirement} cannot be installed: {failure.sentence}")
        same = with_it is None or any((one.name, one.error) == (failed.name, failed.error) for one in with_it)
        if with_it is not None and not same:
            self.capped[repair.requirement] = f"{repair.requirement}: {failed.distribution} {repair.reason}"
            return with_it
        self.caps.remove(repair)
        if with_it is not None:
            self.install("--upgrade")
        return before

    def _pip(self, *options: str) -> None:
        file = self.place / "requirements.txt"
        lines = self._lines()
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if not lines:
            return
        environment = {}
        if self.build_caps:
            limits = file.with_name("build-constraints.txt")
            limits.write_text("\n".join(cap.requirement for cap in self.build_caps) + "\n", encoding="utf-8")
            environment = {"PIP_BUILD_CONSTRAINT": str(limits), "PIP_CONSTRAINT": str(limits)}
        options = (*options, "--prefer-binary") if self.relax else options
        pip_calls.install(self.python, file, self.report, options=options, **environment)

    def _lines(self) -> list[str]:
        caps = [repair.requirement for repair in self.caps]
        return [*(line.text for line in self.asked.lines), *self.spec.core, *caps]

    def _is_changed(self, failure: PipFailure) -> bool:
        """Do what may help against a failure; answer whether there was something left to do."""
        if self._has_build_cap(failure) or self._is_built_apart(failure):
            return True
        return self.relax and self._loosened(failure)

    def _is_built_apart(self, failure: PipFailure) -> bool:
        """Build what failed for want of packages that it does not name beside these; answer whether that worked."""
        tools = tools_for(failure, self._lines())
        if not tools or failure.built in self.built_apart:
            return False
        self.built_apart.add(failure.built)
        self.report(f"{failure.built} needs more to be built than it says: building it beside {', '.join(tools)}")
        try:
            pip_calls.install(self.python, tools, self.report)
            alone = ("--no-build-isolation", "--no-deps")
            pip_calls.install(self.python, [failure.built], self.report, options=alone)
        except PipFailure as other:
            self.report(f"That did not work: {other.sentence}")
            return False
        return True

    def _has_build_cap(self, failure: PipFailure) -> bool:
        """Add the constraint on building that a failure speaks for; answer whether there was a new one."""
        text = "\n".join(failure.lines)
        new = [cap for cap in BUILD_REPAIRS if cap.evidence.search(text) and cap not in self.build_caps]
        for cap in new[:1]:
            what = failure.names[0] if failure.names else "a package"
            self.report(f"{what} {cap.reason}: building with {cap.requirement}")
            self.build_caps.append(cap)
        return bool(new)

    def _loosened(self, failure: PipFailure) -> bool:
        why = {
            "version": f"no version for Python {self.version}",
            "build": f"cannot be built for Python {self.version}",
            "conflict": "does not go with the others",
        }.get(failure.reason)
        names = set(failure.names)
        if failure.reason == "conflict":  # what stands as the plugin wrote it gives way first
            pinned = {line.name for line in self.asked.lines if line.is_pinned}
            names = names & pinned - self.asked.changes.keys() or names or pinned
        return why is not None and self.asked.loosen(names, why, may_drop=failure.reason != "conflict")

    def _not_built(self, failure: PipFailure) -> NotBuilt:
        hint = ""
        pinned = {line.name for line in self.asked.lines if line.is_pinned}
        if not self.relax and failure.reason in ("version", "build", "conflict") and pinned & set(failure.names):
            hint = f" To try the nearest versions that can be installed: minihost env {self.spec.plugin_id} --relax"
        return NotBuilt(f"The code environment of {self.spec.plugin_id} was not built: {failure.sentence}{hint}")

    def _explained(self, failed: Failed) -> ImportFailure:
        """What a failure says to a person: which constraint would help, where one would."""
        pinned = {line.name: line for line in self.asked.lines if line.is_pinned}
        help = ""
        if failed.is_outside:
            help = "The machine lacks it, not the environment."
        elif found := candidates(failed.text):
            help = f"{found[0].requirement} would help, but the other requirements do not allow it."
        elif absent := re.match(r"ModuleNotFoundError: No module named '([^'.]+)", failed.error):
            help = f"{absent[1]} is not among the requirements."
        elif failed.name in pinned and not self.relax:
            help = f"{pinned[failed.name].text} may be too old; minihost env … --relax tries newer versions."
        return ImportFailure(failed.distribution, failed.error, help, failed.is_outside)
