"""Says what is wrong with a plugin, for its author: by reading only, nothing of it is imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minihost.lenient_json import LenientJsonError, read_object, read_text
from minihost.parameters.checks import check_parameters
from minihost.plugins import KINDS, Component, Plugin, host_section
from minihost.plugins.manifests import DATASET_FLAG, FOLDER_FLAG, PLUGIN_FILE, parameters
from minihost.suggestions import did_you_mean

ERROR, WARNING = "error", "warning"
DSS_ID = re.compile(r"[A-Za-z0-9_-]+")
VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
ICON = re.compile(r"(icon|fas?|far|fab|dku-icon)-[a-z0-9-]+|fa[srb]? fa-[a-z0-9-]+")
RESULT_TYPES = {"HTML", "RESULT_TABLE", "URL", "NONE", "FILE", "FOLDER_FILE", "JSON_OBJECT", "JSON"}
INTERPRETERS = re.compile(r"PYTHON\d{2,3}")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: `error` means that it will not work, `warning` that it may not or that it is unusual."""

    level: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.text}"


def check(plugin: Plugin) -> list[Finding]:
    """Everything that is wrong with a plugin, errors first."""
    found = [*_check_json(plugin), *_check_manifest(plugin), *_check_code_env(plugin), *_check_layout(plugin)]
    for name, descriptor in plugin.parameter_sets.items():
        where = f"parameter-sets/{name}/parameter-set.json"
        found += _check_meta(where, descriptor)
        found += [
            Finding(*facts) for facts in check_parameters(where, parameters(descriptor), plugin.parameter_sets, set())
        ]
    for component in plugin.components:
        found += _check_component(component, plugin)
    return sorted(found, key=lambda finding: finding.level)


def _check_json(plugin: Plugin) -> Iterator[Finding]:
    """Descriptors that cannot be read, or only by a lenient reader."""
    for path in _descriptors(plugin.root):
        where = path.relative_to(plugin.root).as_posix()
        try:
            document = read_object(path)
        except LenientJsonError as err:
            yield Finding(ERROR, where, str(err).removeprefix(f"{path}: "))
            continue
        for relaxation in document.relaxations[:5]:
            yield Finding(WARNING, where, f"not strict JSON: {relaxation}")


def _descriptors(root: Path) -> Iterator[Path]:
    yield root / PLUGIN_FILE
    for folder, descriptor, _ in (*KINDS.values(), ("parameter-sets", "parameter-set.json", "")):
        yield from sorted(root.glob(f"{folder}/*/{descriptor}"))
    yield from sorted(root.glob("code-env/python/desc.json"))


def _check_manifest(plugin: Plugin) -> Iterator[Finding]:
    if not DSS_ID.fullmatch(plugin.id):
        yield Finding(ERROR, PLUGIN_FILE, f"id {plugin.id!r}: DSS takes letters, digits, '_' and '-' only")
    version = plugin.descriptor.get("version")
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        yield Finding(ERROR, PLUGIN_FILE, f"version {version!r}: three numbers such as '1.0.0' are expected")
    meta = plugin.descriptor.get("meta")
    yield from _check_meta(PLUGIN_FILE, plugin.descriptor)
    for key in ("author", "licenseInfo", "tags"):
        if isinstance(meta, dict) and not meta.get(key):
            yield Finding(WARNING, PLUGIN_FILE, f"meta has no {key!r}")
    for facts in check_parameters(PLUGIN_FILE, parameters(plugin.descriptor), plugin.parameter_sets, set()):
        yield Finding(*facts)


def _check_meta(where: str, descriptor: dict[str, Any]) -> Iterator[Finding]:
    meta = descriptor.get("meta")
    if not isinstance(meta, dict):
        yield Finding(WARNING, where, "no 'meta' object with label, description and icon")
        return
    for key in ("label", "description", "icon"):
        if not meta.get(key):
            yield Finding(WARNING, where, f"meta has no {key!r}")
    icon = meta.get("icon")
    if icon and not (isinstance(icon, str) and ICON.fullmatch(icon.strip())):
        yield Finding(WARNING, where, f"icon {icon!r} is no FontAwesome class such as 'icon-picture'")


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
        yield Finding(
            WARNING, where, f"acceptedPythonInterpreters {interpreters!r}: a list such as ['PYTHON311'] is expected"
        )
    if descriptor.get("installCorePackages") is not True:
        yield Finding(WARNING, where, "installCorePackages is not true: dataiku and pandas would be missing in DSS")
    if not (plugin.root / "code-env/python/spec/requirements.txt").is_file():
        yield Finding(WARNING, where, "there is no spec/requirements.txt beside it")


def _check_layout(plugin: Plugin) -> Iterator[Finding]:
    for kind, (name, descriptor, _) in KINDS.items():
        folder = plugin.root / name
        for item in sorted(folder.iterdir()) if folder.is_dir() else ():
            if item.is_dir() and not (item / descriptor).is_file() and not item.name.startswith((".", "__")):
                yield Finding(WARNING, f"{name}/{item.name}", f"no {descriptor}, so it is no {kind}")
    if not plugin.components:
        yield Finding(WARNING, PLUGIN_FILE, "the plugin has no recipe, macro or web app that this host can run")
    library = plugin.python_lib
    for taken in ("dataiku", "dataiku.py", "dataikuapi", "dataikuapi.py"):
        if (library / taken).exists():
            yield Finding(ERROR, f"python-lib/{taken}", "hides the host's own module of that name from every component")


def _check_component(component: Component, plugin: Plugin) -> Iterator[Finding]:
    where = f"{component.folder.parent.name}/{component.id}/{KINDS[component.kind][1]}"
    if not DSS_ID.fullmatch(component.id):
        yield Finding(ERROR, where, f"id {component.id!r}: DSS takes letters, digits, '_' and '-' only")
    yield from _check_meta(where, component.descriptor)
    yield from _CHECKS[component.kind](where, component)
    setup = component.descriptor.get("paramsPythonSetup")
    if setup and not _is_inside(plugin.resource, str(setup)):
        yield Finding(ERROR, where, f"paramsPythonSetup {setup!r} is not a file under resource/")
    elif setup:
        yield from _check_python(plugin.resource / str(setup), f"resource/{setup}", "do")
    roles = {role.name for role in component.inputs}
    for level, place, text in check_parameters(where, component.params, plugin.parameter_sets, roles):
        yield Finding(level, place, text)
    yield from (Finding(ERROR, where, text) for text in host_section.mistakes(component, plugin))
    dynamic = [param.get("name") for param in component.params if param.get("getChoicesFromPython")]
    if dynamic and not setup:
        yield Finding(ERROR, where, f"{dynamic[0]!r} gets its choices from Python, but there is no paramsPythonSetup")


def _check_recipe(where: str, component: Component) -> Iterator[Finding]:
    kind = component.descriptor.get("kind")
    if kind != "PYTHON":
        yield Finding(ERROR, where, f"kind {kind!r}: only PYTHON recipes run here")
    yield from _check_python(component.runner, f"{component.folder.parent.name}/{component.id}/{component.runner.name}")
    for side in ("inputRoles", "outputRoles"):
        yield from _check_roles(where, side, component.descriptor.get(side))
    names = [role.name for role in component.inputs]
    for key in ("selectableFromDataset", "selectableFromFolder"):
        chosen = component.descriptor.get(key)
        if chosen is not None and chosen not in names:
            yield Finding(WARNING, where, f"{key} names no input role: {chosen!r}.{did_you_mean(str(chosen), names)}")


def _check_roles(where: str, side: str, roles: Any) -> Iterator[Finding]:
    if not isinstance(roles, list):
        yield Finding(WARNING, where, f"no list of {side}")
        return
    seen: set[str] = set()
    for role in roles:
        name = role.get("name") if isinstance(role, dict) else None
        if not isinstance(name, str) or not name:
            yield Finding(ERROR, where, f"{side} holds something without a name: {str(role)[:60]}")
            continue
        if name in seen:
            yield Finding(ERROR, where, f"{side} has {name!r} twice")
        seen.add(name)
        absent = [key for key in ("required", DATASET_FLAG, FOLDER_FLAG) if not isinstance(role.get(key), bool)]
        if absent:
            yield Finding(WARNING, where, f"role {name!r} does not say {', '.join(absent)} (true or false)")
        if role.get("arity") not in (None, "UNARY", "NARY"):
            yield Finding(ERROR, where, f"role {name!r}: arity {role['arity']!r} is neither UNARY nor NARY")


def _check_macro(where: str, component: Component) -> Iterator[Finding]:
    runner = f"{component.folder.parent.name}/{component.id}/{component.runner.name}"
    yield from _check_python(component.runner, runner, "class ")
    result = component.descriptor.get("resultType")
    if result not in RESULT_TYPES:
        allowed = ", ".join(sorted(RESULT_TYPES))
        yield Finding(WARNING, where, f"resultType {result!r}; one of {allowed} is expected")
    if not isinstance(component.descriptor.get("impersonate"), bool):
        yield Finding(WARNING, where, "does not say impersonate (true or false)")
    names = {param.get("name") for param in component.params}
    roles = component.descriptor.get("macroRoles")
    for role in roles if isinstance(roles, list) else ():
        keys = [role.get("targetParamsKey"), *(role.get("targetParamsKeys") or ())] if isinstance(role, dict) else []
        for key in keys:
            if key is not None and key not in names:
                yield Finding(WARNING, where, f"a macro role fills the parameter {key!r}, which is not declared")


def _check_webapp(where: str, component: Component) -> Iterator[Finding]:
    if str(component.descriptor.get("hasBackend")).lower() == "true":
        yield from _check_python(
            component.runner, f"{component.folder.parent.name}/{component.id}/{component.runner.name}"
        )
    if component.descriptor.get("baseType") not in ("STANDARD", "BOKEH", "DASH", "SHINY", "STREAMLIT"):
        yield Finding(WARNING, where, f"baseType {component.descriptor.get('baseType')!r} is unknown")
    if component.descriptor.get("baseType") == "STANDARD" and not (component.folder / "body.html").is_file():
        yield Finding(WARNING, where, "there is no body.html beside it: the page is empty")


_CHECKS: dict[str, Callable[[str, Component], Iterator[Finding]]] = {
    "recipe": _check_recipe,
    "macro": _check_macro,
    "webapp": _check_webapp,
}


def _check_python(path: Path, where: str, needed: str = "") -> Iterator[Finding]:
    """A Python file that is missing, does not compile, or lacks the `do` function or the class it must have."""
    if not path.is_file():
        yield Finding(ERROR, where, "there is no such file")
        return
    try:
        tree = ast.parse(read_text(path), filename=where)
    except (SyntaxError, ValueError, RecursionError, LenientJsonError) as err:
        line = f" in line {err.lineno}" if isinstance(err, SyntaxError) else ""
        yield Finding(ERROR, where, f"does not compile: {getattr(err, 'msg', err)}{line}")
        return
    if needed == "do" and not any(isinstance(node, ast.FunctionDef) and node.name == "do" for node in ast.walk(tree)):
        yield Finding(ERROR, where, "has no function do(payload, config, plugin_config, inputs)")
    if needed == "class " and not any(isinstance(node, ast.ClassDef) for node in tree.body):
        yield Finding(ERROR, where, "has no class (a subclass of dataiku.runnables.Runnable)")


def _is_inside(folder: Path, name: str) -> bool:
    path = (folder / name).resolve()
    return path.is_relative_to(folder.resolve()) and path.is_file()
