"""What the parts of a run depend on, as a short sum: parts of another fingerprint are never used."""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minihost.job import Job
from minihost.plugins import Component, Plugin
from minihost.plugins.worker_section import PARAMETERS, WorkerSection
from minihost.projects import fingerprints


def fingerprint(
    job: Job, component: Component, plugin: Plugin, section: WorkerSection, files: Sequence[Any], python: str | None
) -> str:
    """Return the sum of a job's component, code, parameters and inputs; `files` are facts about the shared folder.

    The packages of the code environment count too, by the date of their folder.
    """
    config = {name: value for name, value in job.config.items() if name not in PARAMETERS}
    inputs = [[one.role, one.name, one.path, one.options, one.partitions] for one in job.inputs]
    listed = fingerprints.of_rows(files)
    data = [listed if one.role == section.folder else fingerprints.of_data(one) for one in job.inputs]
    outputs = [[one.role, one.type, one.name] for one in job.outputs]
    facts = [component.full_id, config, job.plugin_config, job.variables, job.streams_only, inputs, data, outputs]
    packages = [str(place) for place in _packages(python)], [fingerprints.stamp(place) for place in _packages(python)]
    return fingerprints.of_facts([facts, packages, fingerprints.of_plugin(plugin, component)])


def _packages(python: str | None) -> list[Path]:
    """The folders of the packages that a component can import."""
    if python is None:
        return [Path(sysconfig.get_paths()["purelib"])]
    return sorted(Path(python).parent.parent.glob("lib*/python3*/site-packages"))
