"""A project: a folder with, perhaps, a flow.yaml; what its names mean, and where the host keeps its own files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minihost.datasets import SPREADSHEETS, TABLES, WRITTEN, format_of
from minihost.datasets.sql import is_sql
from minihost.errors import JobError
from minihost.folders import is_remote
from minihost.folders.urls import without_password
from minihost.job import Reference
from minihost.outputs import commits
from minihost.plugins import Role
from minihost.projects import flow, sql_tables
from minihost.projects.reference_names import ENDINGS, check_place, endings, is_path, name_of
from minihost.runs.live_folders import own_folder
from minihost.suggestions import did_you_mean, one_of

DATASET, FOLDER = "DATASET", "MANAGED_FOLDER"
OWN = ".minihost"
FLOW = "flow.yaml"


@dataclass
class Project:
    """A folder, the flow it holds, and the names that are known there."""

    dir: Path
    key: str
    flow: flow.Flow = field(default_factory=flow.Flow)
    flow_file: str = FLOW
    pending: set[str] = field(default_factory=set)
    """References that a build makes on the way: as inputs they need not exist yet."""
    _listed: tuple[object, list[dict[str, Any]]] | None = field(default=None, repr=False, compare=False)
    """What `recipes` answered for a flow: a build asks for each of its steps."""

    @property
    def plugins(self) -> list[Path]:
        """The plugins that the flow names, as absolute paths."""
        for place in self.flow.plugins:
            check_place(place)
        return [Path(os.path.realpath(self.dir / place)) for place in self.flow.plugins]

    @property
    def variables(self) -> dict[str, Any]:
        """The project's variables."""
        return dict(self.flow.variables)

    @property
    def own(self) -> Path:
        """The host's folder in the project; made when asked for, and ignored by git."""
        return own_folder(self.dir)

    def names(self, kind: str) -> list[str]:
        """Every dataset or folder that has a name: declared, made by a step, or found among the host's own data."""
        declared = self.flow.datasets if kind == DATASET else self.flow.folders
        return list(dict.fromkeys([*declared, *self._managed(kind)]))

    def recipes(self) -> list[dict[str, Any]]:
        """Return the recipes of the flow as the platform's API lists them: name, type, what fills each role."""
        if self._listed is None or self._listed[0] is not self.flow:
            self._listed = (self.flow, self._recipes())
        return self._listed[1]

    def _recipes(self) -> list[dict[str, Any]]:
        def items(pairs: Iterable[tuple[str, str]], more: dict[str, Any]) -> dict[str, Any]:
            roles: dict[str, Any] = {}
            for role, ref in pairs:
                name = ref if ref in named else name_of(ref)
                roles.setdefault(role, {"items": []})["items"].append({"ref": name, **more})
            return roles

        named = {*self.names(DATASET), *self.names(FOLDER)}
        return [
            {
                "projectKey": self.key,
                "name": step.name,
                "type": f"CustomCode_{step.component.rpartition('/')[2]}",
                "inputs": items(step.inputs, {"deps": []}),
                "outputs": items(step.outputs, {"appendMode": False}),
                "params": {"customConfig": dict(step.params)},
            }
            for step in self.flow.steps
            if step.kind == "recipe"
        ]

    def reference(self, role: Role, ref: str, *, output: bool = False) -> Reference:
        """Return what a path or name means in a role; raises `JobError` saying why it cannot fill it."""
        side = "output" if output else "input"
        if not any(ref in self.names(one) for one in (DATASET, FOLDER)):
            check_place(ref)
        kind = self._kind(role, ref, side)
        found = self.find(kind, ref, role.name)
        found.required = role.required
        if output and kind == FOLDER and role.is_cache:
            found.options.setdefault("in_place", True)
        if is_sql(found.path):
            if not output and ref not in self.pending:
                sql_tables.check_input(found)
            return found
        if output and kind == DATASET:
            self._check_written(found, ref)
        if not output and ref not in self.pending and not is_remote(found.path):
            self._check_input(found, ref, side)
        return found

    def find(self, kind: str, ref: str, role: str = "") -> Reference:
        """Return the dataset or folder that a name or path means; a path is relative to the project."""
        return self._found(kind, ref, role, is_name=ref in self.names(kind))

    def _found(self, kind: str, ref: str, role: str = "", *, is_name: bool) -> Reference:
        options: dict[str, Any] = {}
        if is_name:
            declared = (self.flow.datasets if kind == DATASET else self.flow.folders).get(ref)
            options = dict(declared or {})
            path = sql_tables.path_of(ref, options, self.flow.connections, self.dir)
            path = path or str(options.pop("path", "") or self._managed_path(kind, ref, options))
            name = ref
        else:
            path, name = ref, name_of(ref)
        if is_sql(path):
            path, own = sql_tables.resolved(path, self.dir, role)
            name = name if name == ref else own
        elif not is_remote(path):
            check_place(path)
            path = os.path.realpath(self.dir / os.path.expanduser(path))
        return Reference(role, kind, name, self.key, path, options)

    def others(self, inputs: Iterable[Reference], outputs: Iterable[Reference]) -> list[Reference]:
        """Return every named dataset and folder of the project that a job does not have yet; names of the job are
        made unique on the way (`pictures`, `pictures_2`)."""
        taken: dict[tuple[str, str], str] = {}
        for reference in (*inputs, *outputs):
            stem, number = reference.name, 2
            while taken.get((reference.type, reference.name), reference.path) != reference.path:
                reference.name, number = f"{stem}_{number}", number + 1
            taken[reference.type, reference.name] = reference.path
        names = [(kind, name) for kind in (DATASET, FOLDER) for name in self._certain(kind)]
        found = [self._found(kind, name, is_name=True) for kind, name in names]
        return [reference for reference in found if (reference.type, reference.name) not in taken]

    def places_in(self, params: Iterable[dict[str, Any]], config: dict[str, Any]) -> list[Reference]:
        """Return the datasets and folders that parameters name, and put their names in place of paths.

        A folder parameter takes a path as well as a name. Text parameters that are about files (`…_file`, `…_path`) get
        the absolute path of a file that exists, since components run in a working directory of their own. A link stays
        one: what lies beside it belongs to it.
        """
        found: list[Reference] = []
        for param in params:
            name, kind = param.get("name"), param.get("type")
            value = config.get(str(name))
            if not isinstance(value, str) or not value:
                continue
            if kind in ("FOLDER", "MANAGED_FOLDER", "DATASET"):
                reference = self.find(
                    DATASET if kind == "DATASET" else FOLDER, value.removeprefix(f"{self.key}."), str(name)
                )
                found.append(reference)
            elif kind == "STRING" and str(name).endswith(("_file", "_path")) and (self.dir / value).exists():
                config[str(name)] = os.path.abspath(self.dir / value)  # a link keeps its own folder
        self.others([], found)
        for reference in found:
            config[reference.role] = reference.name
        return found

    def recover(self, references: Iterable[Reference]) -> None:
        """Finish what a killed run was about to put in place, so that nobody reads half of it."""
        for reference in references:
            if not is_remote(reference.path) and not is_sql(reference.path):
                commits.recover_unlocked(Path(reference.path))

    def _kind(self, role: Role, ref: str, side: str) -> str:
        """Whether a reference is a dataset or a folder; raises `JobError` where the role does not take it."""
        kinds = [
            kind for kind, accepted in ((DATASET, role.accepts_dataset), (FOLDER, role.accepts_folder)) if accepted
        ]
        if not kinds:
            raise JobError([f"The {side} role {role.name!r} takes a saved model, which exists only in DSS."])
        named = [kind for kind in (DATASET, FOLDER) if ref in self.names(kind)]
        if named and not set(named) & set(kinds):
            raise self._wrong(role, ref, side, "a dataset" if named == [DATASET] else "a folder")
        if named:
            return next(kind for kind in named if kind in kinds)
        if is_sql(ref):
            if DATASET in kinds:
                return DATASET
            raise self._wrong(role, ref, side, "a dataset")
        if is_remote(ref) and len(kinds) == 1:
            return kinds[0]
        looks = DATASET if ref.lower().endswith(ENDINGS) and not (self.dir / ref).is_dir() else FOLDER
        if looks in kinds:
            return looks
        if kinds == [DATASET]:
            what = "a folder" if (self.dir / ref).is_dir() else "not such a file"
            names = self.names(DATASET)
            hint = did_you_mean(ref, names) if not is_path(ref) else ""
            if ref.lower().endswith(SPREADSHEETS):
                hint = " Save the spreadsheet as .xlsx or as CSV UTF-8."
            known = f" Names: {one_of(names)}." if names and not is_path(ref) else ""
            takes = f"takes a dataset (a {endings(output=side == 'output')} file, or a name from {FLOW})"
            given = without_password(ref)
            raise JobError([f"The {side} role {role.name!r} {takes}, and {given!r} is {what}.{hint}{known}"])
        raise self._wrong(role, ref, side, "a dataset")

    def _wrong(self, role: Role, ref: str, side: str, what: str) -> JobError:
        wanted = "a folder" if what == "a dataset" else "a dataset"
        return JobError([f"The {side} role {role.name!r} takes {wanted}, and {without_password(ref)!r} is {what}."])

    def _check_input(self, found: Reference, ref: str, side: str) -> None:
        path = Path(found.path)
        commits.recover_unlocked(path)
        what = "folder" if found.type == FOLDER else "dataset"
        is_file = found.type == DATASET and not found.options.get("partitioning")
        if path.exists() and path.is_dir() != is_file:
            return
        wrong = (
            f"is a {'folder, not a file' if is_file else 'file, not a folder'}" if path.exists() else "does not exist"
        )
        near = self._near(ref, path, found.type)
        raise JobError([f"The {side} role {found.role!r}: the {what} {ref!r} {wrong} ({path}).{near}"])

    def _check_written(self, found: Reference, ref: str) -> None:
        """Raise `JobError` for an output in a format that is only read."""
        if (name := format_of(Path(found.path), found.options)) in TABLES and name not in WRITTEN:
            can = endings(output=True)
            raise JobError(
                [f"The output role {found.role!r}: {ref!r} can be read, but not written. Choose a {can} file."]
            )

    def _near(self, ref: str, path: Path, kind: str) -> str:
        """A suggestion out of the names of the project and what lies where the path points."""
        beside = []
        if path.parent.is_dir():
            beside = [
                one.name
                for one in path.parent.iterdir()
                if one.is_dir() == (kind == FOLDER) and not one.name.startswith(".")
            ]
        if is_path(ref):
            return did_you_mean(path.name, beside, os.path.join(os.path.dirname(ref.rstrip("/")), ""))
        return did_you_mean(ref, [name for name in (*self.names(kind), *beside) if name != ref])

    def _managed(self, kind: str) -> list[str]:
        """The names that the host keeps data for: made by a step of the flow, or found on disk."""
        made = (ref for ref in self.flow.managed if self.flow.kinds.get(ref, kind) == kind)
        return list(dict.fromkeys([*made, *self._on_disk(kind)]))

    def _on_disk(self, kind: str) -> list[str]:
        found = sorted((self.dir / OWN / "data").glob("[!.]*"))
        if kind == DATASET:
            return [path.stem for path in found if path.suffix in ENDINGS and path.is_file()]
        return [path.name for path in found if path.is_dir()]

    def _certain(self, kind: str) -> list[str]:
        """The names of which it is known that they are datasets, or folders; what a step makes may not be known yet."""
        doubtful = {ref for ref in self.flow.made if ref not in self.flow.kinds}
        doubtful -= {*self.flow.datasets, *self.flow.folders, *self._on_disk(kind)}
        return [name for name in self.names(kind) if name not in doubtful]

    def _managed_path(self, kind: str, name: str, options: dict[str, Any]) -> Path:
        check_place(name)
        store = self.dir / OWN / "data"
        if kind == FOLDER or options.get("partitioning"):
            return store / name
        written = next((store / f"{name}{ending}" for ending in ENDINGS if (store / f"{name}{ending}").exists()), None)
        return written or store / f"{name}.{options.get('format', 'csv')}"


def open(folder: Path, file: Path | None = None) -> Project:  # `project.open(dir)` is what it does
    """Open the project in a folder, or that of a flow file; without a flow it has no names.

    Raises `JobError` with every mistake of the flow.
    """
    place = (file.parent if file is not None else folder).resolve()
    if not place.is_dir():
        raise JobError([f"The project folder {place} does not exist."])
    source = file or place / FLOW
    if file is not None and not file.is_file():
        raise JobError([f"There is no flow {file}."])
    found = flow.read(source) if os.path.lexists(source) else flow.Flow()
    return Project(place, found.key or _key_of(place.name), found, str(source))


def without_flow(folder: Path) -> Project:
    """Return the project in a folder as if it had no flow.yaml: for those who show one that is broken."""
    place = folder.resolve()
    return Project(place, _key_of(place.name), flow.Flow(), str(place / FLOW))


def _key_of(name: str) -> str:
    key = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return key or "PROJECT"
