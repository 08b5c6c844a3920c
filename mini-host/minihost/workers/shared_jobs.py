"""The jobs of a run that is shared out: one for every shard, and the one that makes the whole of what they left."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minihost.errors import DataError
from minihost.folders import listing
from minihost.job import Job, Reference
from minihost.parameters.resolving import Given
from minihost.plugins import Component, Plugin
from minihost.plugins.worker_section import PARAMETERS, WorkerSection
from minihost.projects.planning import resolve_params
from minihost.workers.parts import Parts
from minihost.workers.shards import JOINING, Shard


class SharedJobs:
    """Makes the jobs of a run out of the job that one process alone would do.

    `list_file` is the listing of the folder that is shared out. Parts of datasets are Parquet files.
    """

    def __init__(self, component: Component, section: WorkerSection, job: Job, parts: Parts, list_file: Path) -> None:
        self.section, self.parts = section, parts
        self.caches = {role.name for role in component.outputs if role.is_cache}
        self.job = self._with_options(job, {listing.OPTION: str(list_file)})
        shared = next(reference for reference in job.inputs if reference.role == section.folder)
        self._tells_facts = listing.is_bucket(shared)
        self._alone = job if self._tells_facts else self.job

    def shard(self, number: int, rows: Sequence[listing.Row]) -> Shard:
        """Return a shard with these files; it writes to the draft of its part, apart from caches.

        It is given what a storage said of the files when it listed them, so that nobody asks again.
        """
        folder = self.parts.draft(number)
        outputs = [
            reference if reference.role in self.caches else self._in_part(reference, place, folder)
            for place, reference in enumerate(self.whole().outputs)
        ]
        config = {**self.job.config, **dict(zip(PARAMETERS, (number, self.parts.shards), strict=True))}
        job = dataclasses.replace(self.job, work_dir=str(folder / "work"), config=config, outputs=outputs)
        if self._tells_facts:
            job = self._with_options(job, {listing.KNOWN: list(rows)})
        return Shard(number, job, folder, len(rows))

    def _with_options(self, job: Job, options: dict[str, Any]) -> Job:
        """A job with more options of the folder that is shared out."""
        inputs = [
            dataclasses.replace(one, options={**one.options, **options}) if one.role == self.section.folder else one
            for one in job.inputs
        ]
        return dataclasses.replace(job, inputs=inputs)

    def keep(self, shard: Shard) -> None:
        """Make a whole part of what a shard left; raises `DataError` where a required output or the disk lacks.

        A folder into which the shard put nothing is a part, too.
        """
        written = [reference for reference in shard.job.outputs if reference.role in self.section.parts]
        try:
            for folder in (Path(one.path) for one in written if one.type == "MANAGED_FOLDER"):
                folder.mkdir(parents=True, exist_ok=True)
            if missing := [one for one in written if one.required and not Path(one.path).exists()]:
                names = ", ".join(f"{one.role} ({one.name})" for one in missing)
                raise DataError(f"Shard {shard.number}: the component finished without writing its output {names}.")
            self.parts.keep(shard.number)
        except OSError as err:
            raise DataError(
                f"Part {shard.number} cannot be kept in {self.parts.folder}: {err.strerror}. "
                "Free some space, or choose another --project."
            ) from err

    def whole(self) -> Job:
        """Return the job as one process alone does it, with a temporary cache where the shards fill one and the user
        named none.

        It lists a bucket once more, a request for 1000 objects, rather than asking about each object that it opens.
        """
        cache = self.section.cache
        if not cache or any(reference.role == cache for reference in self.job.outputs):
            return self._alone
        place = self.parts.folder / "cache"
        made = Reference(
            cache, "MANAGED_FOLDER", "minihost_cache", self.job.project_key, str(place), {"in_place": True}
        )
        return dataclasses.replace(self._alone, outputs=[*self.job.outputs, made])

    def joining(self, component: Component, plugin: Plugin) -> Shard:
        """Return the job that joins the parts, for a worker."""
        folder = self.parts.draft(JOINING)
        return Shard(
            JOINING, dataclasses.replace(self.merging(component, plugin), work_dir=str(folder / "work")), folder
        )

    def merging(self, component: Component, plugin: Plugin) -> Job:
        """Return the job that joins the parts in the outputs of the run."""
        inputs = [reference for reference in self.job.inputs if reference.role == self.section.folder]
        outputs = []
        for place, reference in enumerate(self.job.outputs):
            if roles := self.section.parts.get(reference.role):
                inputs += self._parts_of(reference, place, roles.parts)
                outputs.append(dataclasses.replace(reference, role=roles.merged))
        return dataclasses.replace(
            self.job,
            component_id=component.id,
            runner=str(component.runner),
            descriptor=component.descriptor,
            config=resolve_params(component, plugin, Given()).config,
            inputs=inputs,
            outputs=outputs,
        )

    def _parts_of(self, reference: Reference, place: int, role: str) -> Sequence[Reference]:
        """The parts of an output, in the order of the shards; a shard that did not write an optional one has none."""
        found = [
            dataclasses.replace(
                self._in_part(reference, place, self.parts.place(number)),
                role=role,
                name=f"{reference.name}_part_{number}",
            )
            for number in range(1, self.parts.shards + 1)
        ]
        return [one for one in found if Path(one.path).exists()]

    @staticmethod
    def _in_part(reference: Reference, place: int, folder: Path) -> Reference:
        name = f"output_{place}" + ("" if reference.type == "MANAGED_FOLDER" else ".parquet")
        return dataclasses.replace(reference, path=str(folder / name), options={}, stage="", partitions=[])
