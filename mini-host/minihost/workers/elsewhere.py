"""A shard on another machine: what must be there, and the job as it runs there."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import itertools
import json
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from minihost.errors import JobError
from minihost.folders import is_remote, listing
from minihost.folders.paths import OWN
from minihost.job import Job, Reference
from minihost.plugins.manifests import PLUGIN_FILE
from minihost.workers.shards import Work

SAMPLE = 20
"""So many files of a folder are compared, to see that two machines mean the same folder by a path."""

SHARD, WORK = Path("/minihost-shard"), "work"
"""The folder that a job writes to while it is under way between two machines, and its working directory there."""

Seen = list[tuple[str, int]]


@dataclass(frozen=True)
class Needs:
    """What a worker needs to run shards of a run, whichever machine it is on.

    `local` are the inputs and caches with a local path, each with some of its files and their sizes.
    """

    plugin_id: str
    plugin_version: str
    plugin_root: str
    environment: dict[str, str]
    host_version: str
    local: dict[str, tuple[str, Seen]] = field(default_factory=dict)


@contextlib.contextmanager
def needs_of(work: Work) -> Iterator[Needs]:
    """Yield what the shards of a run need, as it is on this machine. Caches hold a file to know them by meanwhile."""
    job, folder = work.shards[0].job, work.shards[0].folder
    local, marks = {}, []
    for reference in job.inputs:
        if not is_remote(reference.path):
            local[f"Input {reference.role} ({reference.name})"] = (reference.path, files_in(Path(reference.path)))
    for reference in job.outputs:
        path = Path(reference.path)
        if not is_remote(reference.path) and not path.is_relative_to(folder):
            mark = path / f"{OWN}seen-{secrets.token_hex(8)}"
            path.mkdir(parents=True, exist_ok=True)
            mark.touch()
            marks.append(mark)
            local[f"Output {reference.role} ({reference.name})"] = (reference.path, [(mark.name, 0)])
    version = version_of(Path(job.plugin_root)) or ""
    try:
        yield Needs(job.plugin_id, version, job.plugin_root, work.environment, host_version(), local)
    finally:
        for mark in marks:
            mark.unlink(missing_ok=True)


def files_in(path: Path) -> Seen:
    """Return some files of a folder, or the file itself, with their sizes in bytes."""
    if path.is_file():
        return [("", path.stat().st_size)]
    inside = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
    some = itertools.islice((file for file in inside if file.is_file()), SAMPLE)
    return [(str(file.relative_to(path)), file.stat().st_size) for file in some]


def root_here(needs: Needs) -> Path:
    """Return the folder of the plugin on this machine; raises `JobError` with all that is missing or other here."""
    mistakes = []
    if host_version() != needs.host_version:
        mistakes.append(f"the host is version {host_version()} there and {needs.host_version} here")
    root = Path(needs.plugin_root)
    found = version_of(root)
    if found is None:
        from minihost.plugins import discovery

        roots = [plugin.root for plugin in discovery.find().plugins if plugin.id == needs.plugin_id]
        root = roots[0] if roots else root
        found = version_of(root) if roots else None
    if found is None:
        mistakes.append(f"plugin {needs.plugin_id} is not installed there")
    elif found != needs.plugin_version:
        mistakes.append(f"plugin {needs.plugin_id} is version {found} there and {needs.plugin_version} here")
    if mistakes:
        install = f"Install the same versions on every machine: {needs.plugin_id} {needs.plugin_version}."
        raise JobError([f"On {socket.gethostname()}: {'; '.join(mistakes)}. {install}"])
    for name, (path, files) in needs.local.items():
        if problem := _differs(Path(path), files):
            mistakes.append(
                f"{name}: {path} {problem} on {socket.gethostname()}. Put it on a disk that all machines share under "
                "the same path, or name it by URL (s3://…)."
            )
    if mistakes:
        raise JobError(mistakes)
    return root


def _differs(path: Path, files: Seen) -> str:
    """What is other about a path on this machine; empty where it is the same."""
    if not path.exists():
        return "does not exist"
    sizes = {name: (path / name if name else path) for name, _ in files}
    for name, size in files:
        try:
            same = sizes[name].stat().st_size == size
        except OSError:
            same = False
        if not same:
            return "is something else" if not name else f"has another {name}, or none,"
    return ""


def host_version() -> str:
    """The version of this host, empty where it was not installed."""
    try:
        return importlib.metadata.version("dss-minihost")
    except importlib.metadata.PackageNotFoundError:
        return ""


def version_of(root: Path) -> str | None:
    """Return the version that a plugin's folder says, None where there is no plugin."""
    try:
        return str(json.loads((root / PLUGIN_FILE).read_text(encoding="utf-8")).get("version", ""))
    except (OSError, ValueError, AttributeError):
        return None


def moved(job: Job, folder: Path, root: Path, list_file: Path) -> Job:
    """Return a job that is under way as it runs on this machine: it writes to `folder`, its plugin is in `root`, the
    listing of its folder is in `list_file`."""

    def there(reference: Reference) -> Reference:
        options, path = dict(reference.options), Path(reference.path)
        if listing.OPTION in options:
            options[listing.OPTION] = str(list_file)
        if "copied_to" in options and not Path(options["copied_to"]).exists():
            del options["copied_to"]  # this machine opens the URL itself
        place = str(folder / path.relative_to(SHARD)) if path.is_relative_to(SHARD) else reference.path
        return dataclasses.replace(reference, path=place, options=options)

    return dataclasses.replace(
        job,
        plugin_root=str(root),
        runner=str(root / Path(job.runner).relative_to(job.plugin_root)),
        work_dir=str(folder / WORK),
        plugins={**job.plugins, job.plugin_id: str(root)},
        inputs=[there(reference) for reference in job.inputs],
        outputs=[there(reference) for reference in job.outputs],
    )
