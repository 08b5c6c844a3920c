"""What a job needs of storages before it starts: inputs that exist, and copies of what its process cannot open."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from minihost.datasets.remote import opened
from minihost.errors import HostError
from minihost.folders import is_remote
from minihost.folders.urls import PACKAGES, PROTOCOLS, secrets_in
from minihost.job import Job, Reference


def secrets(job: Job) -> list[str]:
    """Return what no log may show of the URLs of a job and their options."""
    everything = (*job.inputs, *job.outputs, *job.others)
    return [secret for one in everything for secret in secrets_in(one.path, one.options.get("options"))]


def missing(job: Job) -> list[str]:
    """Return what the storages say against the inputs of a job: one sentence for each."""
    mistakes = []
    for reference in job.inputs:
        try:
            remote: Any = opened(reference) if is_remote(reference.path) else None
            if hasattr(remote, "check_input"):
                remote.check_input()
        except HostError as err:
            mistakes.append(f"Input {reference.role} ({reference.name}): {err}")
    return mistakes


def output(reference: Reference) -> Any:
    """Return what takes the output of a URL at the end, None for a local path; raises `DataError` where it cannot."""
    base: Any = opened(reference) if is_remote(reference.path) else None
    if hasattr(base, "check_output"):
        base.check_output()
    return base


def for_child(job: Job, folder: Path, python: str | None) -> Job:
    """Return the job as another process runs it: what it could not open is copied to the folder of the job.

    That is everything at `memory://`, which this process alone can see, and inputs and outputs at storages whose
    packages a code environment lacks.
    """

    def seen(reference: Reference, number: int) -> Reference:
        storage = PROTOCOLS.get(reference.path.partition("://")[0].lower(), "")
        if not storage:
            return reference
        if storage != "memory" and (python is None or not reference.role or _has(python, storage)):
            return reference
        copy = folder / "copies" / str(number)
        remote = opened(reference)
        if hasattr(remote, "download_all"):
            remote.download_all(copy)
        elif hasattr(remote, "fetched"):
            copy = remote.fetched(copy).path
        else:
            return reference  # a host plugin opens it, and says itself what it needs
        return dataclasses.replace(reference, options={**reference.options, "copied_to": str(copy)})

    sides = (job.inputs, job.outputs, job.others)
    numbers = iter(range(sum(map(len, sides))))
    inputs, outputs, others = ([seen(one, next(numbers)) for one in side] for side in sides)
    return dataclasses.replace(job, inputs=inputs, outputs=outputs, others=others)


def original(facts: dict[str, Any]) -> Reference:
    """Return a reference that a child wrote down, as it was before `for_child`."""
    reference = Reference(**facts)
    reference.options.pop("copied_to", None)
    return reference


def _has(python: str, storage: str) -> bool:
    """Whether a code environment has the packages that open a storage."""
    places = Path(python).parent.parent.glob("lib*/python3*/site-packages")
    return any(all((place / name).is_dir() for name in PACKAGES[storage]) for place in places)
