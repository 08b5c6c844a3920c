"""Skeletons of plugins and components: rendered from templates, then written completely or not at all."""

from __future__ import annotations

import contextlib
import importlib.util
import keyword
import re
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from minihost.errors import HostError
from minihost.plugins.manifests import PLUGIN_FILE, read_plugin

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""What may be the id of something new: what both DSS and the host accept."""

FIRST_RECIPE = "number-rows"
"""The recipe that a new plugin has; its id begins with the plugin's, as those of most public plugins do."""

FILES: dict[str, dict[str, str]] = {
    "plugin": {
        "plugin.json": "plugin.json",
        "README.md": "README.md",
        "pytest.ini": "pytest.ini",
        ".gitignore": "gitignore",
        ".github/workflows/tests.yml": "tests.yml",
        "python-lib/__PACKAGE__/__init__.py": "package.py",
    },
    "recipe": {
        "custom-recipes/__ID__/recipe.json": "recipe.json",
        "custom-recipes/__ID__/recipe.py": "recipe.py",
        "python-lib/__PACKAGE__/__MODULE__.py": "module.py",
        "tests/test___MODULE__.py": "test.py",
    },
    "folders": {
        "custom-recipes/__ID__/recipe.json": "recipe.json",
        "custom-recipes/__ID__/recipe.py": "recipe.py",
        "python-lib/__PACKAGE__/__MODULE__.py": "module.py",
        "tests/test___MODULE__.py": "test.py",
    },
    "macro": {
        "python-runnables/__ID__/runnable.json": "runnable.json",
        "python-runnables/__ID__/runnable.py": "runnable.py",
        "tests/test___MODULE__.py": "test.py",
    },
    "webapp": {
        "webapps/__ID__/webapp.json": "webapp.json",
        "webapps/__ID__/backend.py": "backend.py",
        "webapps/__ID__/body.html": "body.html",
        "webapps/__ID__/app.js": "app.js",
        "webapps/__ID__/style.css": "style.css",
        "tests/test___MODULE__.py": "test.py",
    },
}
"""Kind (`folders` is a recipe from a folder to a folder) -> path in the plugin -> template.

`__NAME__` stands for a value in both, and for nothing else.
"""


def new_plugin(plugin_id: str, parent: Path) -> list[Path]:
    """Make a plugin with one recipe in a new folder of that name; return its files, sorted."""
    checked(plugin_id, "plugin")
    if (parent / PLUGIN_FILE).is_file():
        raise HostError(
            f"{parent} is a plugin itself. Go to another folder for a new one, or add a component to it: "
            "minihost new recipe ID"
        )
    root = parent / plugin_id
    if root.exists() and not (root.is_dir() and all(entry.name == ".git" for entry in root.iterdir())):
        raise HostError(f"{root} exists already, and nothing was changed. Choose another id, or another folder.")
    recipe = recipe_of(plugin_id)
    package = package_of(plugin_id)
    files = _rendered("plugin", plugin_id, package, RECIPE=recipe)
    files |= _rendered("recipe", recipe, package, plugin_id)
    return _written(root, files)


def recipe_of(plugin_id: str) -> str:
    """Return the id of the recipe that a new plugin has."""
    return f"{plugin_id[: 63 - len(FIRST_RECIPE)]}-{FIRST_RECIPE}"


def new_component(kind: str, component_id: str, root: Path) -> list[Path]:
    """Add a component of a kind in `FILES`, and its test, to the plugin in a folder; return the new files, sorted."""
    checked(component_id, "recipe" if kind == "folders" else kind)
    if not (root / PLUGIN_FILE).is_file():
        above = next((str(folder) for folder in root.resolve().parents if (folder / PLUGIN_FILE).is_file()), "")
        go = f" Go to {above} first." if above else " Go to the folder of a plugin, or make one: minihost new plugin ID"
        raise HostError(f"There is no {PLUGIN_FILE} in {root.resolve()}, so it is no plugin.{go}")
    plugin_id = read_plugin(root).id
    package = package_of(plugin_id)
    files = _rendered(kind, component_id, package, plugin_id)
    init = f"python-lib/{package}/__init__.py"
    if kind in ("recipe", "folders") and not (root / init).exists():
        files[init] = _rendered("plugin", plugin_id, package, RECIPE="")[init]
    return _written(root, files)


def checked(new_id: str, kind: str) -> str:
    """Return the id when it is usable; raises `HostError` with the rule and an id that would be."""
    if ID.fullmatch(new_id):
        return new_id
    near = re.sub(r"[^A-Za-z0-9_-]+", "-", new_id).strip("-_")[:64]
    hint = f" For example: {near}" if near else ""
    raise HostError(
        f"{new_id!r} cannot be the id of a {kind}: letters, digits, '_' and '-' are allowed, at most 64 of them, "
        f"and the first is a letter or a digit.{hint}"
    )


def package_of(plugin_id: str) -> str:
    """Return the name of a plugin's package: its id as an identifier, which hides no module of Python or a package."""
    name = module_of(plugin_id)
    taken = name in sys.stdlib_module_names or name in ("dataiku", "dataikuapi") or _is_installed(name)
    return f"{name}_plugin" if taken else name


def module_of(new_id: str) -> str:
    """Return an id as an identifier in small letters: `Count-words` is `count_words`."""
    text = new_id.lower().replace("-", "_")
    text = f"_{text}" if text[0].isdigit() else text
    return f"{text}_" if keyword.iskeyword(text) else text


def label_of(new_id: str) -> str:
    """Return an id as a label: `count-words` is `Count words`."""
    text = re.sub(r"[_-]+", " ", new_id).strip()
    return text[:1].upper() + text[1:]


def own_part(component_id: str, plugin_id: str) -> str:
    """Return a component's id without the plugin's id in front of it."""
    begins = component_id.lower().startswith((f"{plugin_id.lower()}-", f"{plugin_id.lower()}_"))
    return component_id[len(plugin_id) + 1 :] if begins and len(component_id) > len(plugin_id) + 1 else component_id


def _is_installed(name: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(name) is not None
    return False


def _rendered(kind: str, new_id: str, package: str, plugin_id: str = "", **more: str) -> dict[str, str]:
    """Return path -> text of a skeleton. Values are identifiers, ids and labels: they need no quoting anywhere."""
    own = own_part(new_id, plugin_id)
    values = {"ID": new_id, "LABEL": label_of(own), "PACKAGE": package, "MODULE": module_of(own)}
    values |= more
    folder = resources.files("minihost.plugins") / "templates" / kind
    return {
        filled(path, values): filled((folder / f"{name}.template").read_text(encoding="utf-8"), values)
        for path, name in FILES[kind].items()
    }


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return a template with each `__NAME__` replaced by its value; `__init__` and the like are left as they are."""
    return re.sub(r"__([A-Z]+)__", lambda found: values[found[1]], template)


def _written(root: Path, files: Mapping[str, str]) -> list[Path]:
    """Write new files; when one exists, or cannot be written, all that was made so far goes again."""
    existing = [path for path in files if (root / path).exists()]
    if existing:
        exist = "exists already" if len(existing) == 1 else "exist already"
        raise HostError(f"{', '.join(existing)}: {exist}, and nothing was changed. Choose another id.")
    made: list[Path] = []
    try:
        for path, text in files.items():
            target = root / path
            if not target.parent.resolve().is_relative_to(root.resolve()):
                raise HostError(f"{target.parent} leads out of {root}, and nothing was made. Replace that link.")
            for folder in [folder for folder in reversed([target, *target.parents][1:]) if not folder.exists()]:
                folder.mkdir()
                made.append(folder)
            with open(target, "x", encoding="utf-8", newline="\n") as stream:
                made.append(target)
                stream.write(text)
    except BaseException as err:
        for one in reversed(made):
            with contextlib.suppress(OSError):
                one.rmdir() if one.is_dir() else one.unlink()
        if isinstance(err, OSError):
            raise HostError(f"{err.filename or root} cannot be written: {err.strerror}. Nothing was made.") from err
        raise
    return sorted(root / path for path in files)
