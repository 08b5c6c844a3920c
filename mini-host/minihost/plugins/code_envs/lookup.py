"""Which Python the components of a plugin run with, and what is said about it."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from minihost.plugins.code_envs.core_packages import MODULES_OF_BASE, REQUIREMENTS, SHARED
from minihost.user_folders import code_env_store, plugin_store

if TYPE_CHECKING:
    from minihost.plugins.code_envs.spec import EnvironmentSpec

PANDAS_OF_DSS = "2"
COMMAND_FOR_BASE = "minihost env --base"


def python_for(plugin_id: str, root: Path) -> tuple[str | None, str]:
    """Return the Python that a plugin's components run with, None for the host's own, and a warning (or nothing)."""
    if (root / REQUIREMENTS).is_file():
        from minihost.plugins.code_envs.spec import spec_of

        python, warning = _built(spec_of(plugin_id, root), command_for(plugin_id, root))
    elif (code_env_store() / SHARED).is_dir():
        from minihost.plugins.code_envs.spec import shared_spec

        python, warning = _built(shared_spec(), COMMAND_FOR_BASE)
    else:
        python, warning = None, ""
    return python, warning if python or warning else other_pandas()


def _built(spec: EnvironmentSpec | None, command: str) -> tuple[str | None, str]:
    from minihost.plugins.code_envs import records

    if spec is not None and records.read(spec.place) is not None:
        return str(spec.python), ""
    if spec is not None and any(spec.place.parent.glob("[!.]*")):
        return None, (
            f"The code environment of {spec.plugin_id} was built from other requirements or is not complete, so it is "
            f"not used. Build it again: {command}"
        )
    return None, ""


def other_pandas() -> str:
    """Return a warning where the host's pandas is another than that of DSS, else nothing. Imports nothing."""
    spec = importlib.util.find_spec("pandas")
    if spec is None or spec.origin is None:
        return ""
    beside = Path(spec.origin).parents[1].glob("pandas-*.dist-info")
    version = next((found.name.removesuffix(".dist-info").partition("-")[2] for found in beside), "")
    if not version or version.partition(".")[0] == PANDAS_OF_DSS:
        return ""
    return (
        f"This host has pandas {version}, but DSS has pandas {PANDAS_OF_DSS}: components may answer differently here. "
        f"To change it: {shlex.quote(sys.executable)} -m pip install 'pandas>=2.2,<3'"
    )


def missing_module_hint(plugin_id: str, root: Path, reason: str) -> str:
    """Return the command that would help a run which failed without its environment because it lacks a module.

    Empty where the reason is another, or where neither the plugin nor DSS says that the module is there.
    """
    found = re.search(r"ModuleNotFoundError: No module named '([^']+)'", reason)
    if found is None:
        return ""
    if (root / REQUIREMENTS).is_file():
        command = command_for(plugin_id, root)
        return f"{found[1]} may be part of the plugin's code environment, which is not built: {command}"
    if found[1].partition(".")[0] not in MODULES_OF_BASE:
        return ""
    return f"{found[1]} is in the built-in environment of DSS; one like it can be built here: {COMMAND_FOR_BASE}"


def command_for(plugin_id: str, root: Path) -> str:
    """The command that builds a plugin's environment: by its id where it is installed, else by its folder."""
    return f"minihost env {plugin_id if root.parent == plugin_store() else shlex.quote(str(root))}"
