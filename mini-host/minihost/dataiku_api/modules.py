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
from minihost.dataiku_api.missing_names import MissingModule, missing, sentence
from minihost.errors import HostError

KNOWN = "minihost.dataiku_api.small_modules"
BASES = "minihost.dataiku_api.component_bases"
MODULES: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "dataiku": ("minihost.dataiku_api.package_api", None),
    "dataiku.customrecipe": ("minihost.dataiku_api.customrecipe", None),
    "dataiku.runnables": ("minihost.dataiku_api.runnables", None),
    "dataiku.customwebapp": (KNOWN, ("get_webapp_config",)),
    "dataiku.connector": (BASES, ("Connector", "CustomDatasetWriter")),
    "dataiku.exporter": (BASES, ("Exporter",)),
    "dataiku.fsprovider": (BASES, ("FSProvider",)),
    "dataiku.customformat": (BASES, ("FormatExtractor", "Formatter", "OutputFormatter")),
    "dataiku.cluster": (BASES, ("Cluster",)),
    "dataiku.pandasutils": (KNOWN, ("audit", "to_datetime")),
    "dataiku.code_env_resources": (KNOWN, ("clear_all_env_vars", "set_env_path", "set_env_var")),
    "dataiku.base": (KNOWN, ()),
    "dataiku.base.utils": (KNOWN, ("safe_exception", "safe_unicode_str")),
    "dataiku.core": ("minihost.dataiku_api.package_api", ("default_project_key",)),
    "dataiku.core.dkujson": (
        KNOWN,
        ("DKUJSONEncoder", "dump", "dump_to_filepath", "dumps", "load", "load_from_filepath", "loads"),
    ),
    "dataiku.core.schema_handling": ("minihost.dataiku_api.schema_handling", None),
    "dataiku.core.sql": ("minihost.dataiku_api.sql_executor", ("SQLExecutor2",)),
    "dataiku.core.dataset": ("minihost.dataiku_api.dataset", ("Dataset", "Schema")),
    "dataiku.core.dataset_write": ("minihost.dataiku_api.writer", ("DatasetWriter",)),
    "dataiku.core.managed_folder": ("minihost.dataiku_api.folder", ("Folder",)),
    "dataiku.core.metrics": ("minihost.dataiku_api.metrics", ("ComputedMetrics",)),
    "dataikuapi": (KNOWN, ()),
    "dataikuapi.utils": (KNOWN, ("DataikuException",)),
    "dataikuapi.dss": (KNOWN, ()),
}
"""Module -> where its contents are, and which of them (None: all that is public there)."""

STUBS = {
    "dataiku.sql": "",
    "dataiku.core.sql": "",
    "dataiku.core.plugin": "",
    "dataiku.core.base": "",
    "dataiku.core.intercom": "",
    "dataiku.core.model_provider": "",
    "dataiku.core.schema_handling": "",
    "dataiku.core.message_sender": "",
    "dataiku.core.model_evaluation_store": "",
    "dataiku.core.project": "",
    "dataiku.core.saved_model": "",
    "dataiku.core.streaming_endpoint": "",
    "dataiku.core.continuous_write": "",
    "dataiku.core.knowledge_bank": "",
    "dataiku.core.vector_stores": "",
    "dataiku.base.java_link": "",
    "dataiku.snowpark": "",
    "dataiku.bigframes": "",
    "dataiku.dbconnect": "",
    "dataiku.doctor": "",
    "dataiku.apinode": "",
    "dataiku.insights": "",
    "dataiku.exporter": "",
    "dataiku.fsprovider": "",
    "dataiku.customstep": "get_plugin_config get_step_config get_step_resource",
    "dataiku.customtrigger": "get_plugin_config get_trigger_config get_trigger_resource",
    "dataiku.metric": "",
    "dataiku.scenario": "BuildFlowItemsStepDefHelper Scenario Trigger",
    "dataiku.spark": "",
    "dataiku.langchain": "",
    "dataiku.llm": "",
    "dataikuapi.dss": "",
    "dataikuapi.dssclient": "DSSClient",
    "dataikuapi.fmclient": "",
    "dataikuapi.fm": "",
    "dataikuapi.govern": "",
    "dataikuapi.govern_client": "",
    "dataikuapi.apinode_client": "APINodeClient",
    "dataikuapi.apinode_admin": "",
    "dataikuapi.apinode_admin_client": "",
    "dataikuapi.dss_plugin_mlflow": "",
}
"""Modules (with all below them) that can be imported and fail clearly when something of them is called; for some, the
names that `from … import *` brings. One that is in the table above too has more names in DSS than there."""

FLOW = "dataiku.core.flow"

REFUSAL = (
    "A package called {name!r} is importable here ({place}), and the mini-host never takes the place of the real one. "
    "Run the component where that package came from, or in a Python environment without it (see `python -m venv`)."
)


class RealPackageFound(HostError):
    """A real `dataiku` is importable: the run is refused."""


def check_no_real_package() -> None:
    """Raise `RealPackageFound` when Python would find a package called `dataiku` on its path."""
    if are_importable():
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
        """Answer for modules that this host makes; raise `MissingModule` for any other below them."""
        if fullname.partition(".")[0] not in ("dataiku", "dataikuapi"):
            return None
        if _is_known(fullname):
            loader: Any = self
            return importlib.machinery.ModuleSpec(fullname, loader, origin="minihost, in memory", is_package=True)
        owner, _, name = fullname.rpartition(".")
        if name.startswith("_"):
            return None
        raise MissingModule(sentence(owner, name, _names_of(owner)))

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        """Make a stub, or leave it to Python."""
        if spec.name in MODULES or not _is_stub(spec.name):
            return None
        return unavailable.module(spec.name, STUBS.get(spec.name, "").split())

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill the module."""
        if module.__name__ == FLOW:
            module.FLOW = flow(session.current())  # type: ignore[attr-defined]
            module.__all__ = ["FLOW"]  # type: ignore[attr-defined]
            module.__getattr__ = _late(FLOW, None)  # type: ignore[method-assign]
        elif module.__name__ in MODULES:
            _fill(module, *MODULES[module.__name__])


def _is_known(name: str) -> bool:
    return name in MODULES or name == FLOW or _is_stub(name)


def _is_stub(name: str) -> bool:
    return any(name == stub or name.startswith(stub + ".") for stub in STUBS)


def _fill(module: types.ModuleType, source: str, names: tuple[str, ...] | None) -> None:
    contents: Any = importlib.import_module(source)
    public = list(contents.__all__ if names is None else names)
    for name in public:
        if name in vars(contents):
            setattr(module, name, getattr(contents, name))
    module.__getattr__ = _late(  # type: ignore[method-assign]
        module.__name__, contents if names is None and hasattr(contents, "__getattr__") else None
    )
    module.__all__ = public  # type: ignore[attr-defined]


def _late(package: str, contents: Any) -> Callable[[str], Any]:
    """What is looked up when a module lacks a name: what `contents` computes, a submodule that was not imported yet,
    what DSS alone has; else `MissingName` says that there is no such thing."""

    def answer(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if contents is not None and name in contents.__all__:
            return getattr(contents, name)
        from minihost.dataiku_api.dss_names import ONLY_IN_DSS

        if _is_known(f"{package}.{name}") and package not in STUBS:
            return importlib.import_module(f"{package}.{name}")
        if _is_stub(package) or name in ONLY_IN_DSS.get(package, ()):
            return unavailable.unavailable(f"{package}.{name}")
        raise missing(package, name, _names_of(package))

    return answer


def _names_of(package: str) -> list[str]:
    """The names in a module of this host, and its submodules."""
    known = [*MODULES, *STUBS, FLOW]
    below = {one.removeprefix(package + ".").partition(".")[0] for one in known if one.startswith(package + ".")}
    return [*below, *getattr(sys.modules.get(package), "__all__", ())]


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
    make_importable()
    session.begin(now)


def make_importable() -> None:
    """Make `import dataiku` work in this process, without a session that answers; raises `RealPackageFound`."""
    check_no_real_package()
    if are_importable():
        return
    # A real `dataikuapi` (the public client package) is left alone: the path finders are asked before this one.
    finder: Any = MemoryModules()
    sys.meta_path.append(finder)


def are_importable() -> bool:
    """Whether this process makes the modules."""
    return any(isinstance(finder, MemoryModules) for finder in sys.meta_path)


def uninstall() -> None:
    """Take the modules out of this process again (for runs inside a test)."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, MemoryModules)]
    for name in [name for name in sys.modules if name.partition(".")[0] in ("dataiku", "dataikuapi")]:
        del sys.modules[name]
