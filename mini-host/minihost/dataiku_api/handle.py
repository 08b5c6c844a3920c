"""What `dataiku.Dataset` and `dataiku.Folder` have in common: a name, and what it stands for in the project."""

from __future__ import annotations

from typing import ClassVar

from minihost.dataiku_api import session
from minihost.dataiku_api.missing_names import Telling
from minihost.errors import DataError
from minihost.job import Reference


class Handle(Telling):
    """A handle on a dataset or folder. Outside recipes it may be made before the thing exists: it is looked up when it
    is used, so that macros can ask, create it, and go on with the same handle."""

    _kind: ClassVar[str]

    def __init__(self, lookup, project_key=None, ignore_flow=False):
        self._session = session.current()
        self._asked = (str(lookup), project_key)
        self._ignore_flow = ignore_flow
        self._known: Reference | None = None
        self.name = lookup
        try:
            known = self._reference
        except DataError:
            if not self._session.free(ignore_flow):
                raise
            key, _, short = str(lookup).rpartition(".")
            self.project_key, self.short_name = project_key or key or self._session.job.project_key, short
        else:
            self.project_key, self.short_name = known.project_key, known.name
        self.full_name = f"{self.project_key}.{self.short_name}"

    @property
    def _reference(self) -> Reference:
        """What the name stands for; raises `DataError` where it does not exist, or is not for this recipe."""
        if self._known is None:
            lookup, key = self._asked
            self._known = self._session.find(lookup, self._kind, project_key=key, ignore_flow=self._ignore_flow)
        return self._known

    @property
    def _is_output(self) -> bool:
        return self._known is not None and self._known in self._session.job.outputs

    @property
    def _partitions(self) -> list[str]:
        return list(self._known.partitions) if self._known is not None else []
