"""What the in-memory `dataiku` knows: the job that this process runs, and how names become datasets and folders."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from minihost.dataiku_api.missing_names import misuse
from minihost.datasets.remote import forget, opened
from minihost.datasets.sql import is_sql
from minihost.errors import DataError
from minihost.folders import is_remote
from minihost.job import Job, Reference
from minihost.outputs import commits, stages, staging, tables

DATASET, FOLDER = "DATASET", "MANAGED_FOLDER"
WORDS = {DATASET: "dataset", FOLDER: "folder"}


class Session:
    """One job while it runs. `journal` is the file that tells the parent which outputs were begun here."""

    def __init__(self, job: Job, journal: Path | None = None) -> None:
        self.job = job
        self.journal = journal
        self.variables: dict[str, Any] = {"standard": dict(job.variables), "local": {}}
        self.begun: dict[str, stages.Stage] = {}
        self.unclosed: dict[str, None] = {}
        """The full names of datasets with a writer that is open, in the order they were opened."""
        self._guard = threading.RLock()

    def __reduce__(self) -> Any:
        """A dataset that is copied or sent to another process of the job belongs to the session there."""
        return current, ()

    def inputs_of(self, role: str | None) -> list[Reference]:
        """The inputs that fill a role, or all."""
        return [reference for reference in self.job.inputs if role is None or reference.role == role]

    def outputs_of(self, role: str | None) -> list[Reference]:
        """The outputs that fill a role, or all."""
        return [reference for reference in self.job.outputs if role is None or reference.role == role]

    def everything(self, kind: str) -> list[Reference]:
        """Every dataset or folder of the project, outputs first, each once."""
        found: dict[str, Reference] = {}
        for reference in (*self.job.outputs, *self.job.inputs, *self.job.others):
            if reference.type == kind:
                found.setdefault(reference.full_name, reference)
        return list(found.values())

    def find(self, lookup: str, kind: str, *, project_key: str | None = None, ignore_flow: bool = False) -> Reference:
        """Return what a short name, full name or id means; raises `DataError` for an unknown one, and inside a recipe,
        unless `ignore_flow`, for whatever is neither input nor output."""
        lookup = str(lookup)
        key, _, short = lookup.rpartition(".")
        names = {lookup, f"{project_key or self.job.project_key}.{lookup}"}
        for reference in self.everything(kind):
            if (
                reference.full_name in names
                or reference.name == lookup
                or (key == reference.project_key and short == reference.name)
            ):
                self._check_flow(reference, kind, ignore_flow)
                return reference
        if (
            kind == FOLDER
            and self.free(ignore_flow)
            and ("/" in lookup or (Path(self.job.project_dir) / lookup).is_dir())
        ):
            return self.add(FOLDER, Path(lookup).name.replace(".", "_"), Path(self.job.project_dir) / lookup)
        raise misuse(self._not_found(lookup, kind))

    def _not_found(self, lookup: str, kind: str) -> str:
        """What to say of a name that means nothing: whether it is the other kind of thing, and what there is."""
        other = DATASET if kind == FOLDER else FOLDER
        if any(lookup in (one.full_name, one.name) for one in self.everything(other)):
            use = "dataiku.Dataset" if other == DATASET else "dataiku.Folder"
            return f"{lookup!r} is a {WORDS[other]}, not a {WORDS[kind]}. Use {use}."
        from minihost.suggestions import did_you_mean

        names = [reference.name for reference in self.everything(kind)]
        near = did_you_mean(lookup.rpartition(".")[2], names)
        full_names = ", ".join(reference.full_name for reference in self.everything(kind)) or "none"
        return f"There is no {WORDS[kind]} {lookup!r} in this job.{near} Known: {full_names}."

    def free(self, ignore_flow: bool) -> bool:
        """Whether this process may touch the whole project: everything but a recipe, or a recipe that says so."""
        return ignore_flow or self.job.kind != "recipe"

    def _check_flow(self, reference: Reference, kind: str, ignore_flow: bool) -> None:
        declared = (*self.job.inputs, *self.job.outputs)
        if not self.free(ignore_flow) and all(reference.full_name != other.full_name for other in declared):
            raise misuse(
                f"The {WORDS[kind]} {reference.full_name!r} is neither an input nor an output of this recipe. "
                "Declare it as one, or open it with ignore_flow=True."
            )

    def add(self, kind: str, name: str, path: Path) -> Reference:
        """Make a dataset or folder known to this project."""
        reference = Reference(role="", type=kind, name=name, project_key=self.job.project_key, path=str(path))
        with self._guard:
            self.job.others.append(reference)
        return reference

    def create(self, kind: str, name: str) -> Reference:
        """Make a new managed folder or dataset: where flow.yaml says, else among the host's own data."""
        for reference in self.everything(kind):
            if reference.name == name:
                raise DataError(f"A {WORDS[kind]} called {name!r} exists already in project {self.job.project_key}.")
        safe = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in name).strip() or "unnamed"
        place = Path(self.job.project_dir, ".minihost", "data", safe if kind == FOLDER else f"{safe}.csv")
        if kind == FOLDER:
            place.mkdir(parents=True, exist_ok=True)
        return self.add(kind, safe, place)

    def stage(self, reference: Reference, *, ignore_flow: bool = False) -> stages.Stage | None:
        """Return the stage that writes to a reference go to, None for one that is written in place.

        Outputs of recipes are staged before the start; macros may write anywhere, and stage what they first write to.
        """
        if reference.stage:
            return stages.Stage(Path(reference.path), stages.kind_of(reference), Path(reference.stage))
        if reference in self.job.outputs:
            return None
        if not self.free(ignore_flow):
            raise misuse(f"{reference.full_name!r} is an input of this recipe; it cannot be written.")
        if self.job.kind not in ("recipe", "macro") and not self.is_sent(reference):
            if reference.type == DATASET:
                Path(reference.path).parent.mkdir(parents=True, exist_ok=True)
            return None
        with self._guard:
            if reference.path not in self.begun:
                self.begun[reference.path] = self._begin_once(reference)
            return self.begun[reference.path]

    def is_sent(self, reference: Reference) -> bool:
        """Return whether a dataset is written elsewhere first and then sent, each time that a writer is closed.

        Web apps have no end at which all they wrote would take its place. What they write to this disk is replaced
        there; a table of a database or an object in a bucket is not written piece by piece.
        """
        elsewhere = is_sql(reference.path) or is_remote(reference.path)
        return self.job.kind == "webapp" and reference.type == DATASET and elsewhere

    def settle(self, reference: Reference, *, keep: bool) -> None:
        """Send what a closed writer of a web app wrote, or drop it; nothing for datasets that are written in place."""
        with self._guard:
            stage = self.begun.pop(reference.path, None) if self.is_sent(reference) else None
        if stage is not None and keep:
            commits.commit([stage])
            forget(reference, self.fetched)
        elif stage is not None:
            stage.discard()

    @property
    def fetched(self) -> Path:
        """Where the copies of datasets in buckets are kept that this job reads."""
        return Path(self.job.work_dir, ".minihost-fetched")

    def _begin_once(self, reference: Reference) -> stages.Stage:
        """Begin a stage, or join the one that another process of this job has begun: the journal knows of both."""
        if self.journal is None or self.is_sent(reference):
            return self._begin(reference)
        with open(self.journal, "a+", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stage = self._begun_elsewhere(reference)
            if stage is not None:
                return stage
            stage = self._begin(reference)
            event = {"begun": dataclasses.asdict(reference), "place": str(stage.place)}
            stream.write(json.dumps(event) + "\n")
            return stage

    def _begun_elsewhere(self, reference: Reference) -> stages.Stage | None:
        """The stage that another process of this job has begun for a reference, None when there is none."""
        if self.journal is None or not self.journal.exists():
            return None
        for line in self.journal.read_text(encoding="utf-8").splitlines(keepends=True):
            event = json.loads(line) if '"begun"' in line and line.endswith("\n") else {}
            if event.get("begun", {}).get("path") == reference.path:
                return stages.Stage(Path(reference.path), stages.kind_of(reference), Path(event["place"]))
        return None

    def _begin(self, reference: Reference) -> stages.Stage:
        base = tables.target(reference) or (opened(reference) if is_remote(reference.path) else None)
        if base is not None:
            place = Path(self.job.work_dir).parent / "stages"
            return staging.begin_remote(reference, place / reference.name, base)
        facts = {
            "component": f"{self.job.plugin_id}/{self.job.component_id}",
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        what = f"The {WORDS[reference.type]} {reference.full_name!r}"
        return staging.begin(Path(reference.path), stages.kind_of(reference), facts, what=what)

    def current_stage(self, reference: Reference) -> stages.Stage | None:
        """Return the stage of a reference if it has one by now, for reading what this job wrote.

        A web app sees folders as DSS shows them: with what a run that goes on has written so far.
        """
        if reference.stage:
            return stages.Stage(Path(reference.path), stages.kind_of(reference), Path(reference.stage))
        if self.job.kind == "webapp":
            is_here = reference.type == FOLDER and not is_remote(reference.path)
            return stages.going_on(Path(reference.path)) if is_here else None
        if reference.path not in self.begun and self.job.kind == "macro" and not is_remote(reference.path):
            going_on = stages.place_of(Path(os.path.realpath(reference.path))).is_dir()
            return self._begun_elsewhere(reference) if going_on else None
        return self.begun.get(reference.path)

    def release(self) -> None:
        """Leave the outputs that were begun here to whoever puts them in place."""
        for stage in self.begun.values():
            if stage.lock is not None:
                stage.lock.free()


_current: list[Session] = []


def begin(session: Session) -> None:
    """Make a session the one that the `dataiku` modules of this process answer for."""
    _current[:] = [session]


def end() -> None:
    """Leave the `dataiku` modules of this process without a session."""
    _current.clear()


def current() -> Session:
    """The session of this process."""
    if not _current:
        raise DataError(
            "No job runs in this process, so `dataiku` has nothing to answer with. In a unit test, replace what the "
            'code calls: monkeypatch.setattr("dataiku.Dataset", …). The fixture minihost_project runs whole components.'
        )
    return _current[0]
