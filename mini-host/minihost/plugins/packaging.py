"""Makes the zip that DSS installs: `plugin.json` at its root, only what DSS reads, the same bytes every time."""

from __future__ import annotations

import configparser
import fnmatch
import os
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minihost.errors import HostError
from minihost.plugins import Plugin, archives, checking
from minihost.plugins.manifests import PLUGIN_FILE

FOLDERS = ("apps", "code-env", "custom-*", "java-*", "js", "jython-*", "parameter-sets", "python-*", "resource",
           "sample-datasets", "web-app-templates", "webapps")  # fmt: skip
"""Top-level folders of a plugin that DSS reads."""

FILES = (PLUGIN_FILE, "requirements.json", "LICENSE*", "LICENCE*", "NOTICE*", "README*", "CHANGELOG*")
"""Top-level files that go along."""

LEFT_OUT = (".*", "__pycache__", "*.pyc", "*.pyo", "*.egg-info", "node_modules")
"""Names that are left out wherever they stand."""

SECTION = "minihost:package"
"""The section of setup.cfg whose `exclude` lists more to leave out: one pattern a line, relative to the plugin."""

EPOCH = (1980, 1, 1, 0, 0, 0)


class NotPackaged(HostError):
    """A plugin that was not packaged; the message says why."""


@dataclass(frozen=True)
class Package:
    """A zip that was written and read back by the same rules as `install` has."""

    path: Path
    sha256: str
    files: int
    size: int


def package(plugin: Plugin, folder: Path) -> Package:
    """Write `dss-plugin-<id>-<version>.zip` into a folder, complete or not at all; raise `NotPackaged`."""
    errors = [str(finding) for finding in checking.check(plugin) if finding.level == checking.ERROR]
    if errors:
        raise NotPackaged("\n".join([*errors, f"{plugin.id} is not packaged: fix its errors first."]))
    target = folder / f"dss-plugin-{plugin.id}-{plugin.version}.zip"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".new-", suffix=".zip", dir=folder)
    except OSError as err:
        raise NotPackaged(f"Nothing can be written in {folder}: {err.strerror or err}.") from err
    stage = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            for path in sorted(contents(plugin.root), key=lambda path: path.as_posix()):
                _add(archive, plugin.root, path)
        with archives.opened(stage) as checked:
            made = Package(target, checked.sha256, len(checked.files), stage.stat().st_size)
        stage.chmod(0o644)
        stage.replace(target)
    except archives.BadArchive as err:
        raise NotPackaged(str(err).replace(str(stage), f"The zip of {plugin.id}")) from err
    except OSError as err:
        raise NotPackaged(f"{target} could not be written: {err}.") from err
    finally:
        stage.unlink(missing_ok=True)
    return made


def contents(root: Path) -> Iterator[Path]:
    """The files that go into the zip, relative to the plugin's folder."""
    patterns = exclusions(root)
    for item in sorted(root.iterdir()):
        wanted = FOLDERS if item.is_dir() else FILES
        if any(fnmatch.fnmatchcase(item.name, pattern) for pattern in wanted):
            yield from _walk(root, item, patterns)


def exclusions(root: Path) -> tuple[str, ...]:
    """What setup.cfg says to leave out, as patterns of paths relative to the plugin."""
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read(root / "setup.cfg", encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as err:
        raise NotPackaged(f"{root / 'setup.cfg'} cannot be read: {err}") from err
    listed = config.get(SECTION, "exclude", fallback="").splitlines()
    return tuple(line.strip().rstrip("/") for line in listed if line.strip())


def _walk(root: Path, item: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    relative = item.relative_to(root).as_posix()
    if any(fnmatch.fnmatchcase(item.name, pattern) for pattern in LEFT_OUT):
        return
    if any(fnmatch.fnmatchcase(relative, pattern) for pattern in patterns):
        return
    if item.is_symlink():
        raise NotPackaged(
            f"{relative} is a link; a zip for DSS holds files only. Copy what it points at, or leave it out."
        )
    if item.is_dir():
        for child in sorted(item.iterdir()):
            yield from _walk(root, child, patterns)
    elif item.is_file():
        yield item.relative_to(root)
    else:
        raise NotPackaged(f"{relative} is not a regular file; leave it out (setup.cfg, [{SECTION}] exclude).")


def _add(archive: zipfile.ZipFile, root: Path, relative: Path) -> None:
    info = zipfile.ZipInfo(relative.as_posix(), EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    archive.writestr(info, (root / relative).read_bytes(), compresslevel=9)
