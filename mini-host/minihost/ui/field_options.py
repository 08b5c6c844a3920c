"""What a form offers to choose from: names of the project, and the columns that its datasets really have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minihost.errors import DataError
from minihost.parameters.controls import Option
from minihost.plugins import Role
from minihost.projects.project import DATASET, FOLDER
from minihost.ui.workspace import Opened

KINDS = {"DATASET": "dataset", "DATASETS": "dataset", "FOLDER": "folder", "MANAGED_FOLDER": "folder"}
"""Type of a parameter -> the kind of node that it names."""

NODES = {"dataset": DATASET, "folder": FOLDER}


class FieldOptions:
    """Says for each parameter what there is to choose; `inputs` are role -> references, `values` the parameters.

    `answers` are choices that were asked for, by the identity of the parameter. Columns are read once.
    """

    def __init__(
        self,
        opened: Opened,
        inputs: Mapping[str, Sequence[str]],
        values: Mapping[str, Any],
        answers: Mapping[int, Sequence[Option]] | None = None,
    ) -> None:
        self.opened, self.inputs, self.values, self.answers = opened, inputs, values, answers or {}
        self._columns: dict[str, list[dict[str, Any]] | None] = {}

    def __call__(self, param: dict[str, Any]) -> Sequence[Option] | None:
        """The options of a parameter; None where nothing is known."""
        kind = str(param.get("type"))
        if id(param) in self.answers:
            return self.answers[id(param)]
        if kind in ("COLUMN", "COLUMNS"):
            return self._of_columns(param, self.inputs.get(str(param.get("columnRole")), ()))
        if kind in ("DATASET_COLUMN", "DATASET_COLUMNS"):
            named = self.values.get(str(param.get("datasetParamName")))
            return self._of_columns(param, [named] if isinstance(named, str) and named else ())
        if kind in KINDS:
            return [Option(name, name) for name in names(self.opened, KINDS[kind])] or None
        if kind in ("CONNECTION", "CONNECTIONS"):
            return [Option(name, name) for name in self.opened.project.flow.connections] or None
        return None

    def _of_columns(self, param: dict[str, Any], refs: Sequence[str]) -> list[Option] | None:
        allowed = param.get("allowedColumnTypes")
        found: dict[str, Option] = {}
        for ref in refs:
            columns = self._read(ref)
            if columns is None:
                return None
            for column in columns:
                if not isinstance(allowed, list) or not allowed or column.get("type", "string") in allowed:
                    name, kind = column["name"], column.get("type", "string")
                    found[name] = Option(name, name if kind == "string" else f"{name} ({kind})")
        return list(found.values()) or None

    def _read(self, ref: str) -> list[dict[str, Any]] | None:
        """The columns of a dataset; None where they are not known, as with one that is still to be made."""
        if ref not in self._columns:
            from minihost.datasets import table

            found = self.opened.project.find(DATASET, ref.removeprefix(f"{self.opened.project.key}."))
            try:
                self._columns[ref] = list(table(found.path, found.options).columns())
            except (DataError, OSError, UnicodeError, ValueError):
                self._columns[ref] = None
        return self._columns[ref]


def names(opened: Opened, kind: str) -> list[str]:
    """Every dataset or folder that the project knows, in the order of the flow: names, and paths that it uses."""
    others = {node.name for node in opened.graph.nodes if not node.is_step and node.kind != kind}
    found = [node.name for node in opened.graph.nodes if node.kind == kind]
    found += [name for name in opened.project.names(NODES[kind]) if name not in others]
    return list(dict.fromkeys(found))


def for_role(opened: Opened, role: Role) -> list[Option]:
    """What can fill a role: datasets, folders, or both in groups of their own."""
    accepted = {"dataset": role.accepts_dataset, "folder": role.accepts_folder}
    kinds = [kind for kind in accepted if accepted[kind]]
    titles = {"dataset": "Datasets", "folder": "Folders"} if len(kinds) > 1 else {}
    return [Option(name, name, titles.get(kind, "")) for kind in kinds for name in names(opened, kind)]
