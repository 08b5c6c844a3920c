"""The packages `dataiku` and `dataikuapi` in memory: made by an import hook in the process that runs a component."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

from minihost.dataiku_api import session, unavailable
from minihost.errors import HostError

KNOWN = "minihost.dataiku_api.small_modules"
MODULES: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "dataiku": ("minihost.dataiku_api.package_api", None),
    "dataiku.customrecipe": ("minihost.dataiku_api.customrecipe", None),
    "dataiku.runnables": ("minihost.dataiku_api.runnables", None),
    "dataiku.customwebapp": (KNOWN, ("get_webapp_config",)),
    "dataiku.connector": (KNOWN, ("Connector",)),
    "dataiku.pandasutils": (KNOWN, ("audit", "to_datetime")),
    "dataiku.code_env_resources": (KNOWN, ("clear_all_env_vars", "set_env_path", "set_env_var")),
    "dataiku.base": (KNOWN, ()),
    "dataiku.base.utils": (KNOWN, ("safe_exception", "safe_unicode_str")),
    "dataiku.core": (KNOWN, ()),
    "dataiku.core.dkujson": (KNOWN, ("dump", "dump_to_filepath", "dumps", "load", "load_from_filepath", "loads")),
    "dataiku.core.dataset": ("minihost.dataiku_api.dataset", ("Dataset", "Schema")),
    "dataiku.core.dataset_write": ("minihost.dataiku_api.writer", ("DatasetWriter",)),
    "dataiku.core.managed_folder": ("minihost.dataiku_api.folder", ("Folder",)),
    "dataiku.core.metrics": ("minihost.dataiku_api.metrics", ("ComputedMetrics",)),
    "dataikuapi": (KNOWN, ()),
    "dataikuapi.utils": (KNOWN, ("DataikuException",)),
    "dataikuapi.dss": (KNOWN, ()),
}
"""Module -> where its contents are, and which of them (None: all that is public there)."""

STUBS = (
    "dataiku.sql",
    "dataiku.core.sql",
    "dataiku.core.plugin",
    "dataiku.core.base",
    "dataiku.core.intercom",
    "dataiku.core.model_provider",
    "dataiku.core.schema_handling",
    "dataiku.core.message_sender",
    "dataiku.core.model_evaluation_store",
    "dataiku.core.project",
    "dataiku.core.saved_model",
    "dataiku.snowpark",
    "dataiku.doctor",
    "dataiku.apinode",
    "dataiku.insights",
    "dataiku.exporter",
    "dataiku.fsprovider",
    "dataiku.metric",
    "dataiku.scenario",
    "dataiku.spark",
    "dataiku.langchain",
    "dataiku.llm",
    "dataikuapi.dss",
    "dataikuapi.apinode_client",
)
"""Modules (with all below them) that can be imported and fail clearly when something of them is called."""

REFUSAL = (
    "A package called {name!r} is importable here ({place}), and the mini-host never takes the place of the real one. "
    "Run the component where that package came from, or in a Python environment without it (see `python -m venv`)."
)


class RealPackageFound(HostError):
    """A real `dataiku` is importable: the run is refused."""


def check_no_real_package() -> None:
    """Raise `RealPackageFound` when Python would find a package called `dataiku` on its path."""
    if any(isinstance(finder, MemoryModules) for finder in sys.meta_path):
        return
    found = importlib.util.find_spec("dataiku")
    if found is not None:
        raise RealPackageFound(
            REFUSAL.format(name="dataiku", place=found.origin or list(found.submodule_search_locations or []))
        )


class MemoryModules:
    """Finds and makes the modules of the tables above; `dataikuapi` only where no real one is installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for modules that this host makes."""
        if fullname.partition(".")[0] not in ("dataiku", "dataikuapi"):
            return None
        if fullname in MODULES or fullname == "dataiku.core.flow" or _is_stub(fullname):
            loader: Any = self
            return importlib.machinery.ModuleSpec(fullname, loader, origin="minihost, in memory", is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        """Make a stub, or leave it to Python."""
        return unavailable.module(spec.name) if spec.name not in MODULES and _is_stub(spec.name) else None

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill the module."""
        if module.__name__ == "dataiku.core.flow":
            module.FLOW = flow(session.current())  # type: ignore[attr-defined]
        elif module.__name__ in MODULES:
            _fill(module, *MODULES[module.__name__])


def _is_stub(name: str) -> bool:
    return any(name == stub or name.startswith(stub + ".") for stub in STUBS)


def _fill(module: types.ModuleType, source: str, names: tuple[str, ...] | None) -> None:
    contents: Any = importlib.import_module(source)
    public = list(contents.__all__ if names is None else names)
    late = getattr(contents, "__getattr__", None)
    for name in public:
        if name in vars(contents):
            setattr(module, name, getattr(contents, name))
    if names is None and late is not None:
        module.__getattr__ = _delegate(module.__name__, late)  # type: ignore[method-assign]
    module.__all__ = public  # type: ignore[attr-defined]


def _delegate(package: str, late: Callable[[str], Any]) -> Callable[[str], Any]:
    """Attributes that are computed when asked for; some submodules are there without an import of their own."""

    def answer(name: str) -> Any:
        if f"{package}.{name}" in MODULES and not name.startswith("_"):
            return importlib.import_module(f"{package}.{name}")
        return late(name)

    return answer


def flow(now: session.Session) -> dict[str, list[dict[str, Any]]]:
    """Return `dataiku.core.flow.FLOW`: the inputs and outputs of the job with their partitions."""
    return {
        side: [
            {
                "fullName": reference.full_name,
                "smartName": reference.name,
                "projectKey": reference.project_key,
                "type": reference.type,
                "role": reference.role,
                "partitions": list(reference.partitions) or [""],
            }
            for reference in references
        ]
        for side, references in (("in", now.job.inputs), ("out", now.job.outputs))
    }


def install(now: session.Session) -> None:
    """Make `import dataiku` work in this process, for this session; raises `RealPackageFound`."""
    check_no_real_package()
    session.begin(now)
    if any(isinstance(finder, MemoryModules) for finder in sys.meta_path):
        return
    # A real `dataikuapi` (the public client package) is left alone: the path finders are asked before this one.
    finder: Any = MemoryModules()
    sys.meta_path.append(finder)


def uninstall() -> None:
    """Take the modules out of this process again (for runs inside a test)."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, MemoryModules)]
    for name in [name for name in sys.modules if name.partition(".")[0] in ("dataiku", "dataikuapi")]:
        del sys.modules[name]
