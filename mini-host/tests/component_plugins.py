"""Writes plugins whose components do something, for tests of the host."""

import json
import textwrap
from pathlib import Path

from minihost.plugins import Search, discovery
from minihost.projects import project
from minihost.projects.building import Build


def role(name, *, folder=False, many=False, required=True, **more):
    return {
        **more,
        "name": name,
        "arity": "NARY" if many else "UNARY",
        "required": required,
        "acceptsDataset": not folder,
        "acceptsManagedFolder": folder,
    }


def write_components(root: Path, recipes=None, macros=None, files=None, plugin_id="sample", **more) -> Path:
    """A plugin; `recipes` and `macros` are name -> (descriptor, code), `files` further files of it, path -> text."""
    put(root / "plugin.json", json.dumps({"id": plugin_id, "version": "1.0.0", "meta": {"label": "Sample"}, **more}))
    for name, (descriptor, code) in (recipes or {}).items():
        folder = root / "custom-recipes" / name
        put(folder / "recipe.json", json.dumps({"kind": "PYTHON", "meta": {"label": name}, **descriptor}))
        put(folder / "recipe.py", code)
    for name, (descriptor, code) in (macros or {}).items():
        folder = root / "python-runnables" / name
        put(
            folder / "runnable.json",
            json.dumps({"meta": {"label": name}, "params": [], "resultType": "HTML", **descriptor}),
        )
        put(folder / "runnable.py", code)
    for path, text in (files or {}).items():
        put(root / path, text)
    return root


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def opened(place):
    """Return the build of the project in a folder, with the plugins that its flow names and no others."""
    found = project.open(place)
    return Build(found, discovery.find(Search(tuple(found.plugins), only_places=True)))
