"""Kinds of components that DSS runs and this host does not: it names them, and says so in one sentence."""

from __future__ import annotations

import re
from pathlib import Path

from minihost.lenient_json import LenientJsonError, read_object
from minihost.plugins import Described, ForeignComponent

KINDS: dict[str, str] = {
    "python-connectors": "custom dataset",
    "python-exporters": "exporter",
    "python-formats": "file format",
    "python-fs-providers": "filesystem provider",
    "python-steps": "scenario step",
    "python-triggers": "scenario trigger",
    "python-probes": "metric probe",
    "python-checks": "metric check",
    "python-clusters": "cluster",
    "python-prediction-algos": "prediction algorithm",
    "python-processors": "preparation processor",
    "jython-processors": "Jython preparation processor",
    "python-agent-tools": "agent tool",
    "python-agents": "agent",
    "python-llms": "LLM",
    "python-guardrails": "guardrail",
    "java-formats": "Java file format",
    "java-exporters": "Java exporter",
    "java-processors": "Java preparation processor",
    "sample-datasets": "sample dataset",
    "custom-fields": "set of custom fields",
    "web-app-templates": "web app template",
    "apps": "application",
}
"""Folder of a plugin -> what DSS calls the components in it."""

LANGUAGES = {"R": "R", "PYSPARK": "PySpark", "SPARK_SCALA": "Scala", "JAVA": "Java"}
"""Kind of a recipe -> its language."""

_FOLDER = re.compile(r"(python|jython|java|r|scala|custom|code-studio)-[a-z-]+")
_NOT_COMPONENTS = {"python-lib", "python-runnables", "custom-recipes", "java-lib", "r-lib"}


def foreign_components(root: Path, plugin_id: str) -> list[ForeignComponent]:
    """The components of a plugin's folder that are of none of the kinds that this host runs, by kind and name.

    In a folder of a kind that is not known here, what has a descriptor with `meta` counts; the folder gives the name.
    """
    found: list[ForeignComponent] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        named = folder.name in KINDS or (_FOLDER.fullmatch(folder.name) and folder.name not in _NOT_COMPONENTS)
        kind = KINDS.get(folder.name, f"component of {folder.name}/")
        pattern = "*/*/*.json" if folder.name == "web-app-templates" else "*/*.json"
        files = sorted(folder.glob(pattern)) if named else []
        for place in dict.fromkeys(file.parent for file in files):
            descriptor = _descriptor(next(file for file in files if file.parent == place))
            if folder.name in KINDS or "meta" in descriptor:
                found.append(ForeignComponent(plugin_id, place.name, kind, place, descriptor))
    return found


def _descriptor(path: Path) -> dict[str, object]:
    """The descriptor as far as it can be read: it is shown only."""
    try:
        return dict(read_object(path).value)
    except LenientJsonError:
        return {}


def kind_of(component: Described) -> str:
    """What to call a component: `recipe`, `R recipe`, `macro`, `web app`, `BOKEH web app`."""
    if component.kind == "recipe":
        language = LANGUAGES.get(str(component.descriptor.get("kind")), "")
        return f"{language} recipe".lstrip()
    if component.kind == "webapp":
        base = str(component.descriptor.get("baseType") or "STANDARD")
        return "web app" if base == "STANDARD" else f"{base} web app"
    return component.kind


def why_not_run(component: Described) -> str:
    """The sentence for a component that this host does not run; empty for all others."""
    kind = kind_of(component)
    if kind in ("recipe", "macro", "web app"):
        return ""
    article = "an" if kind[0] in "aeiouLR" else "a"
    return (
        f"{component.full_id} is {article} {kind}, which the mini-host does not run: "
        "it runs Python recipes, macros and web apps of type STANDARD."
    )
