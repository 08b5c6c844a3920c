"""Whether what a step makes is up to date: there at all, and made of what its inputs, parameters and plugin are now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minihost.datasets import table
from minihost.datasets.remote import opened
from minihost.datasets.sql import is_sql
from minihost.errors import HostError
from minihost.folders import is_remote
from minihost.folders.local import LocalFolder
from minihost.job import Reference
from minihost.plugins.discovery import Catalogue
from minihost.projects import fingerprints
from minihost.projects.flow import Step
from minihost.projects.planning import Plan
from minihost.projects.project import Project
from minihost.projects.step_states import FRESH, MISSING, STALE


class Freshness:
    """Compares steps that are planned with the records of their last runs."""

    def __init__(self, project: Project, catalogue: Catalogue) -> None:
        self.project, self.catalogue = project, catalogue

    def judged(self, step: Step, planned: Plan, record: dict[str, Any]) -> tuple[str, str]:
        """The state of a step and why; one whose data cannot be reached may be out of date for all that is known."""
        try:
            return self._compared(step, planned, record)
        except HostError as err:
            return STALE, f"it cannot be seen whether its data changed: {err}"

    def _compared(self, step: Step, planned: Plan, record: dict[str, Any]) -> tuple[str, str]:
        missing = [ref for ref, one in self.made(step, planned) if not has_data(one)]
        if missing:
            return MISSING, f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there"
        if "finished" not in record:
            return STALE, "it was never built here"
        now = self.facts(step, planned)
        for key, why in (
            ("component", "another component"),
            ("params", "its parameters changed"),
            ("plugin", "the plugin changed"),
        ):
            if now[key] != record.get(key):
                return STALE, why
        was = record.get("inputs", {})
        changed = [name for name, found in now["inputs"].items() if was.get(name) != found]
        if changed or set(was) != set(now["inputs"]):
            return STALE, f"{', '.join(changed) or 'an input'} changed"
        return FRESH, ""

    def facts(self, step: Step, planned: Plan) -> dict[str, Any]:
        """What a step's result depends on, as sums."""
        job = planned.job
        outputs = [one for one in job.outputs if one.role not in step.caches]
        roles = [[one.role, one.name, one.path, one.options, one.partitions] for one in (*job.inputs, *outputs)]
        plugin = self.catalogue.plugin(job.plugin_id)
        read = {one.name: one for one in job.inputs}
        if step.kind == "macro":
            made = {one.path for _ref, one in self.made(step, planned)}
            read |= {one.name: one for one in job.others if one.role and one.path not in made}
        return {
            "component": planned.component.full_id,
            "params": fingerprints.of_facts([job.config, job.plugin_config, job.variables, roles, step.creates]),
            "plugin": fingerprints.of_plugin(plugin, planned.component),
            "inputs": {name: fingerprints.of_data(one) for name, one in read.items()},
        }

    def made(self, step: Step, planned: Plan) -> list[tuple[str, Reference]]:
        """What a step is there to make, as (reference as written, reference)."""
        pairs = zip(step.outputs, _in_order(step, planned.job.outputs), strict=True)
        made = [(ref, one) for (role, ref), one in pairs if role not in step.caches]
        return made + [(ref, self.project.find(self.project.flow.kinds[ref], ref)) for ref in step.creates]


def _in_order(step: Step, outputs: list[Reference]) -> list[Reference]:
    """The outputs of a job in the order in which the step names them."""
    left = list(outputs)
    ordered = []
    for role, _ref in step.outputs:
        one = next(reference for reference in left if reference.role == role)
        left.remove(one)
        ordered.append(one)
    return ordered


def has_data(reference: Reference) -> bool:
    """Whether a dataset has its file, or a folder something in it."""
    if is_sql(reference.path):
        return bool(table(reference.path).exists())
    if is_remote(reference.path):
        remote: Any = opened(reference)
        return bool(remote.sums()) if hasattr(remote, "sums") else True
    path = Path(reference.path)
    return LocalFolder(path).has_files() if path.is_dir() else path.exists()
