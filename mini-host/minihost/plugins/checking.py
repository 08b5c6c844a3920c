"""Says what is wrong with a plugin, for its author: by reading only, nothing of it is imported or run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from minihost.errors import counted
from minihost.lenient_json import LenientJsonError, read_object
from minihost.parameters.checks import check_parameters
from minihost.plugins import KINDS, Plugin
from minihost.plugins.code_checks import check_library
from minihost.plugins.component_checks import check_component
from minihost.plugins.findings import ERROR, NOTE, WARNING, Finding
from minihost.plugins.manifests import COMPONENT_ID, PLUGIN_FILE, parameters
from minihost.plugins.schema_checks import check_schema
from minihost.rules import LEVELS, RULES

__all__ = ["ERROR", "NOTE", "WARNING", "Finding", "check"]

INTERPRETERS = re.compile(r"PYTHON\d{2,3}")
SET_FILE = "parameter-set.json"


def check(plugin: Plugin) -> list[Finding]:
    """Everything that is wrong with a plugin: errors first, then warnings and notes, those of one rule together."""
    found = [*_check_json(plugin), *_check_manifest(plugin), *_check_code_env(plugin), *_check_layout(plugin)]
    found += check_library(plugin.python_lib)
    for name, descriptor in plugin.parameter_sets.items():
        where = f"parameter-sets/{name}/{SET_FILE}"
        found += check_schema(where, SET_FILE, descriptor)
        params = [*parameters(descriptor), *parameters(descriptor, "pluginParams")]
        found += [Finding(rule, where, text) for rule, text in check_parameters(params, plugin.parameter_sets, set())]
    for component in plugin.components:
        found += check_component(component, plugin)
    order = {rule: place for place, rule in enumerate(RULES)}
    return sorted(dict.fromkeys(found), key=lambda finding: (LEVELS.index(finding.level), order[finding.rule]))


def _check_json(plugin: Plugin) -> Iterator[Finding]:
    """Descriptors that cannot be read, or only by a lenient reader."""
    for path in _descriptors(plugin.root):
        where = path.relative_to(plugin.root).as_posix()
        try:
            document = read_object(path)
        except LenientJsonError as err:
            yield Finding("json-unreadable", where, str(err).removeprefix(f"{path}: "))
            continue
        if document.relaxations:
            first, *others = map(str, document.relaxations)
            more = f", and {counted(len(others), 'place')} more" if others else ""
            yield Finding("json-lenient", where, f"not strict JSON: {first}{more}")


def _descriptors(root: Path) -> Iterator[Path]:
    yield root / PLUGIN_FILE
    for folder, descriptor, _ in (*KINDS.values(), ("parameter-sets", SET_FILE, "")):
        yield from sorted(root.glob(f"{folder}/*/{descriptor}"))
    yield from sorted(root.glob("code-env/python/desc.json"))


def _check_manifest(plugin: Plugin) -> Iterator[Finding]:
    yield from check_schema(PLUGIN_FILE, PLUGIN_FILE, plugin.descriptor)
    for rule, text in check_parameters(parameters(plugin.descriptor), plugin.parameter_sets, set()):
        yield Finding(rule, PLUGIN_FILE, text)


def _check_code_env(plugin: Plugin) -> Iterator[Finding]:
    where = "code-env/python/desc.json"
    path = plugin.root / where
    if not path.is_file():
        return
    try:
        descriptor = read_object(path).value
    except LenientJsonError:
        return  # reported with the other descriptors
    interpreters = descriptor.get("acceptedPythonInterpreters")
    wrong = [name for name in interpreters or [] if not INTERPRETERS.fullmatch(str(name))]
    if not isinstance(interpreters, list) or wrong:
        text = f"acceptedPythonInterpreters {interpreters!r}: a list such as ['PYTHON311'] is expected"
        yield Finding("env-interpreters", where, text)
    if descriptor.get("installCorePackages") is not True:
        yield Finding("env-core-packages", where, "installCorePackages is not true")
    if not (plugin.root / "code-env/python/spec/requirements.txt").is_file():
        yield Finding("env-requirements", where, "there is no spec/requirements.txt beside it")


def _check_layout(plugin: Plugin) -> Iterator[Finding]:
    for kind, (name, descriptor, _) in KINDS.items():
        folder = plugin.root / name
        for item in sorted(folder.iterdir()) if folder.is_dir() else ():
            if (item / descriptor).is_file():
                if not COMPONENT_ID.fullmatch(item.name):
                    yield Finding("component-name", f"{name}/{item.name}", "the component is left out")
            elif item.is_dir() and not item.name.startswith((".", "__")):
                yield Finding("component-descriptor", f"{name}/{item.name}", f"no {descriptor}, so it is no {kind}")
    for kind_of_dss in dict.fromkeys(component.kind for component in plugin.foreign):
        ones = [component for component in plugin.foreign if component.kind == kind_of_dss]
        where = ones[0].folder.relative_to(plugin.root).parts[0]
        names = ", ".join(component.id for component in ones)
        yield Finding(
            "not-run-here", where, f"{kind_of_dss} {names}: only DSS runs {'it' if len(ones) == 1 else 'them'}"
        )
    if not plugin.components:
        yield Finding("not-run-here", PLUGIN_FILE, "the plugin has no recipe, macro or web app")
    for taken in ("dataiku", "dataiku.py", "dataikuapi", "dataikuapi.py"):
        if (plugin.python_lib / taken).exists():
            text = "hides the host's own module of that name from every component"
            yield Finding("library-hides-dataiku", f"python-lib/{taken}", text)
