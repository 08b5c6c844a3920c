"""Every edit of a flow.yaml, of the page and of the command line: made, checked, written whole, and undone."""

from __future__ import annotations

import contextlib
import copy
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minihost.errors import HostError, JobError
from minihost.plugins import Search, discovery
from minihost.plugins.discovery import Catalogue
from minihost.projects import flow, project
from minihost.projects.editing import edits, whole_file
from minihost.projects.editing.changes import Change, Undo
from minihost.projects.editing.checking import Checked, checked
from minihost.projects.editing.facts import Facts, same
from minihost.projects.editing.flow_file import Version, decoded, encoded, read, version_of
from minihost.projects.editing.flow_text import updated
from minihost.projects.editing.history import History, digest_of
from minihost.projects.editing.kept_data import KeptData
from minihost.projects.editing.merging import touched
from minihost.projects.editing.typed_params import typed
from minihost.projects.editing.work import Edit
from minihost.projects.fingerprints import stamp
from minihost.projects.project import FLOW, OWN, Project
from minihost.projects.yaml_file import mapping_in

HISTORY = "flow-history"
"""The folder of earlier texts, in the host's own folder of the project."""


@dataclass(frozen=True)
class Applied:
    """What an edit did: the digest of the new file, the command line of the edit, a sentence, the id of what to show,
    what is declared and no longer used, and warnings."""

    digest: str
    command: str
    summary: str
    select: str = ""
    unused: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class FlowConflict(HostError):
    """The file changed since the version that an edit was meant for; `diff` shows how."""

    def __init__(self, message: str, diff: str) -> None:
        super().__init__(message)
        self.diff = diff


class FlowEditor:
    """The flow.yaml of a project, or another flow file, whose folder then is the project. `plugins` are further plugins
    that steps may be of."""

    def __init__(self, project_dir: Path, file: Path | None = None, plugins: tuple[Path, ...] = ()) -> None:
        self.dir = (file.parent if file is not None else project_dir).resolve()
        self.file = self.dir / (file.name if file is not None else FLOW)
        self.plugins = plugins
        self._last: tuple[Any, Version] | None = None

    def version(self) -> Version:
        """What the file says now; read anew only when it changed."""
        seen = stamp(self.file)
        if self._last is None or self._last[0] != seen or not seen:
            content = read(self.file)
            self._seen(content)
            self._last = seen, version_of(content, self.file)
        return self._last[1]

    def shown(self) -> str:
        """Keep the file as somebody is shown it, so that an edit meant for it can be merged later; return its digest,
        the empty text where it cannot be read."""
        try:
            content = read(self.file)
        except HostError:
            return ""
        return self._seen(content)

    def _seen(self, content: bytes | None) -> str:
        with contextlib.suppress(OSError, HostError):
            if content is not None:
                self._history().keep(content)
        return digest_of(content)

    def has_edits(self) -> bool:
        """Whether there is an edit that could be undone; it is refused all the same where the file changed since."""
        return bool(History(self.dir / OWN / HISTORY, self.file.name).edits())

    def apply(self, change: Change, base: str | None = None) -> Applied:
        """Make a change and write the file. `base` is the digest of the text that the change is meant for.

        Raises `JobError` where the change is wrong or the file is broken, `FlowConflict` where the file changed since,
        in what the change is about, and `HostError` where it cannot be written. Then nothing has changed.
        """
        if not self.dir.is_dir():
            raise JobError([f"The project folder {self.dir} does not exist."])
        history = self._history()
        with whole_file.alone(history.folder.parent / f"{self.file.name}.lock"):
            kept = KeptData(history, self.dir)
            content = read(self.file)
            kept.recover(digest_of(content))
            if isinstance(change, Undo):
                return self._undone(history, kept, content)
            version = version_of(content, self.file)
            if version.facts is None:
                raise JobError([*version.mistakes, f"{self.file.name} was not changed. Mend it first."])
            if base is not None and base != version.digest:
                self._merge(change, base, version, history)
            edit, after, warnings = self._edited(change, version)
            if after == content:
                return Applied(version.digest, change.command, f"{self.file.name} says that already.", edit.select)
            kept.lock(edit.records, edit.moves)
            try:
                self._write(history, content, after, edit)
                kept.recover(digest_of(after))
            finally:
                kept.free()
        self._last = None
        return Applied(digest_of(after), change.command, edit.summary, edit.select, tuple(edit.unused), warnings)

    def typed(
        self, component: str, kinds: tuple[str, ...], held: Mapping[str, Any], texts: Iterable[tuple[str, str]]
    ) -> dict[str, Any]:
        """Return the values of a component's parameters that are given as texts (see `typed_params`)."""
        facts = self.version().facts
        catalogue = self._catalogue(self._project(facts if facts is not None else {}))
        try:
            found = catalogue.component(component, kinds)
        except JobError:  # the edit says so
            return typed(None, None, held, texts)
        return typed(found, catalogue.plugin(found.plugin_id), held, texts)

    def typed_of_step(self, name: str, texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Return the values of parameters that are given as texts, for a step of the flow."""
        steps = flow.steps_of(self.version().facts or {})
        step = next((step for step in steps if step.name in (name, name.removeprefix("step:"))), None)
        return self.typed(step.component, (step.kind,), step.params, texts) if step else {}

    def _history(self) -> History:
        try:
            own = project.without_flow(self.dir).own
        except OSError as err:
            raise HostError(f"{self.dir} cannot be written to, so nothing was changed: {err.strerror}.") from err
        return History(own / HISTORY, self.file.name)

    def _edited(self, change: Change, version: Version) -> tuple[Edit, bytes, tuple[str, ...]]:
        """The edit and the new content; raises `JobError` for mistakes that the flow did not have before."""
        assert version.facts is not None
        before = self._project(version.facts)
        catalogue = self._catalogue(before)
        edit = edits.made(change, version.facts, before, catalogue)
        after = self._project(edit.facts)
        if after.flow.plugins != before.flow.plugins:
            catalogue = self._catalogue(after)
        found = checked(after, catalogue, edit.steps)
        renamed = {new: old for old, new in edit.records}
        earlier = checked(before, catalogue, {renamed.get(name, name) for name in edit.steps})
        if mistakes := list(_new_mistakes(found, earlier, renamed)):
            raise JobError(mistakes)
        warnings = tuple(
            f"{', '.join(names)} of {step} stands in {self.file.name}, which everybody who has the file can read."
            for step, names in found.passwords.items()
            if names and names != earlier.passwords.get(renamed.get(step, step))
        )
        return edit, self._content(version, edit.facts), warnings

    def _content(self, version: Version, facts: Facts) -> bytes:
        """The file with another text, which is read back: it must say what was meant, and all else as before."""
        wrong = "This edit cannot be made without changing how {} is written. Make it by hand."
        try:
            text = updated(version.text, version.facts or {}, facts)
            content = encoded(text, version.encoding)
            said = mapping_in(content, self.file)
        except (JobError, ValueError) as err:
            raise JobError([wrong.format(self.file.name)]) from err
        if not same(said, copy.deepcopy(facts)):
            raise JobError([wrong.format(self.file.name)])
        return content

    def _project(self, facts: Facts) -> Project:
        said = flow.of_facts(facts, self.file.name)
        empty = project.without_flow(self.dir)
        return Project(self.dir, said.key or empty.key, said, str(self.file))

    def _catalogue(self, opened: Project) -> Catalogue:
        return discovery.find(Search((*self.plugins, *opened.plugins)))

    def _merge(self, change: Change, base: str, now: Version, history: History) -> None:
        """Let a change pass that was meant for another text, where what it is about is the same there."""
        content = history.text(base) if base else None
        then = version_of(content, self.file)
        message = f"{self.file.name} changed since it was shown here"
        if base and content is None:
            raise FlowConflict(f"{message}. Load the page anew, and make the edit again.", now.text)
        is_same = then.facts is not None and same(
            touched(change, self._project(then.facts)), touched(change, self._project(now.facts or {}))
        )
        if not is_same:
            text = f"{message}, in what this edit is about. Nothing was written: look at what changed, and edit again."
            raise FlowConflict(text, _diff(then.text, now.text, self.file.name))

    def _write(self, history: History, content: bytes | None, after: bytes | None, edit: Edit) -> None:
        """Write the file, after what undoes it was kept."""
        try:
            facts = {"before": history.keep(content), "after": history.keep(after), "summary": edit.summary}
            history.put([*history.edits(), {**facts, "records": edit.records, "moves": edit.moves}])
        except OSError as err:
            reason = f"{history.folder} cannot be written: {err.strerror}"
            raise HostError(f"{reason}. {self.file.name} is as it was.") from err
        if after is None:
            self.file.unlink(missing_ok=True)
        else:
            whole_file.replace(self.file, after)

    def _undone(self, history: History, kept: KeptData, content: bytes | None) -> Applied:
        """Put back what the file said before the last edit."""
        done = history.edits()
        if not done:
            raise JobError([f"There is no edit of {self.file.name} to undo."])
        last = done[-1]
        if last["after"] != digest_of(content):
            text = f"{self.file.name} was changed by hand since the last edit, so that edit cannot be undone. "
            left = history.text(last["after"]) or b""
            diff = _diff(decoded(left)[0], decoded(content or b"")[0], self.file.name)
            raise FlowConflict(text + "Nothing was written.", diff)
        before = history.text(last["before"]) if last["before"] else None
        if before is None and last["before"]:
            raise JobError([f"What {self.file.name} said before the last edit is not kept any more."])
        kept.lock(last["records"], [(new, old) for old, new in last["moves"]])
        try:
            if before is None:
                self.file.unlink(missing_ok=True)
            else:
                whole_file.replace(self.file, before)
            kept.recover(digest_of(before))
        finally:
            kept.free()
        self._last = None
        return Applied(digest_of(before), Undo().command, f"Undone: {last['summary']}")


def _new_mistakes(found: Checked, earlier: Checked, renamed: dict[str, str]) -> list[str]:
    """The mistakes that were not there before an edit, those of steps with their name."""
    known = {frozenset(one.steps) for one in earlier.of_order}
    new = [one.text for one in found.of_order if {renamed.get(name, name) for name in one.steps} not in known]
    for step, mistakes in found.mistakes.items():
        before = earlier.mistakes.get(renamed.get(step, step), [])
        new += [f"step {step}: {mistake}" for mistake in mistakes if mistake not in before]
    return new


def _diff(before: str, now: str, name: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), f"{name} then", f"{name} now", lineterm="")
    return "\n".join(lines)
