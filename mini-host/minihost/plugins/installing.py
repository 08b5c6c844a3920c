"""Puts a plugin's zip into the user's own store of plugins: whole or not at all, the old version kept until then."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from minihost.errors import HostError
from minihost.locks import Lock
from minihost.plugins import Plugin, archives, checking
from minihost.plugins.manifests import PLUGIN_FILE, NotAPlugin, read_plugin
from minihost.user_folders import ASIDE


@dataclass(frozen=True)
class Offer:
    """What would be installed, for the user to look at before anything is kept."""

    plugin: Plugin
    archive: Path
    sha256: str
    files: int
    size: int
    replaces: str
    """The version that is installed now; empty when there is none."""
    errors: tuple[str, ...]


def install(path: Path, store: Path, is_wanted: Callable[[Offer], bool]) -> Path | None:
    """Check a zip, show what it is, and on a yes install it; answer its folder, None on a no.

    Everything is unpacked and read beside its final place; nothing of it is imported or run.
    """
    with archives.opened(path) as archive, archives.fresh_folder(store) as stage:
        if PLUGIN_FILE not in archive.zip.namelist():
            raise archive.refused(f"it has no {PLUGIN_FILE} at its root{_where_else(archive)}")
        archive.unpack(stage)
        try:
            plugin = read_plugin(stage)
        except NotAPlugin as err:
            raise archive.refused(str(err).replace(f"{stage}", "it")) from err
        target = store / plugin.id
        offer = Offer(
            plugin=plugin,
            archive=path,
            sha256=archive.sha256,
            files=len(archive.files),
            size=archive.size,
            replaces=_version(target),
            errors=tuple(str(finding) for finding in checking.check(plugin) if finding.level == checking.ERROR),
        )
        if not is_wanted(offer):
            return None
        with Lock(store / ".lock", f"The store of plugins {store}", {}):
            _swap(stage, target)
        return target


def recover(store: Path) -> None:
    """Put back what a crash in the middle of a swap left aside, and remove what it left behind."""
    for aside in store.glob(f"{ASIDE}*"):
        target = store / aside.name.removeprefix(ASIDE)
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.rename(target)


def _swap(stage: Path, target: Path) -> None:
    """Rename the new folder into place; the old one is put aside before, and back when that fails."""
    aside = target.with_name(ASIDE + target.name)
    try:
        recover(target.parent)
        if target.exists():
            target.rename(aside)
        try:
            stage.rename(target)
        except OSError:
            if aside.exists():
                aside.rename(target)
            raise
    except OSError as err:
        raise HostError(f"{target} could not be replaced: {err.strerror or err}. What was there is unchanged.") from err
    shutil.rmtree(aside, ignore_errors=True)


def _version(target: Path) -> str:
    try:
        return read_plugin(target).version
    except NotAPlugin:
        return ""


def _where_else(archive: archives.Archive) -> str:
    inner = [name for name in archive.zip.namelist() if name.endswith(f"/{PLUGIN_FILE}")]
    return f" ({inner[0]} is one: zip the content of that folder)" if inner else ""
