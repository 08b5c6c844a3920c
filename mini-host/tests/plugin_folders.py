"""Writes small plugins for tests."""

import json
import zipfile
from pathlib import Path

RECIPE = {
    "meta": {"label": "Copy rows", "description": "Copies", "icon": "icon-copy"},
    "kind": "PYTHON",
    "inputRoles": [
        {
            "name": "input_dataset",
            "arity": "UNARY",
            "required": True,
            "acceptsDataset": True,
            "acceptsManagedFolder": False,
        }
    ],
    "outputRoles": [
        {
            "name": "output_dataset",
            "arity": "UNARY",
            "required": True,
            "acceptsDataset": True,
            "acceptsManagedFolder": False,
        }
    ],
    "params": [],
}
MACRO = {
    "meta": {"label": "Greet", "description": "Greets", "icon": "icon-bell"},
    "impersonate": False,
    "permissions": [],
    "resultType": "HTML",
    "resultLabel": "Greeting",
    "params": [],
}
META = {
    "label": "Sample",
    "description": "A sample",
    "author": "someone",
    "icon": "icon-cogs",
    "licenseInfo": "Apache",
    "tags": ["t"],
    "url": "https://example.org",
}


def write(path: Path, content) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
    return path


def write_plugin(root: Path, plugin_id="sample", version="1.0.0", recipes=(), macros=(), sets=None, **more) -> Path:
    """A plugin with a recipe per name or (name, descriptor) pair, each with a runner that compiles."""
    write(root / "plugin.json", {"id": plugin_id, "version": version, "meta": META, "params": [], **more})
    for item in recipes:
        name, descriptor = item if isinstance(item, tuple) else (item, RECIPE)
        write(root / "custom-recipes" / name / "recipe.json", descriptor)
        write(root / "custom-recipes" / name / "recipe.py", "import dataiku\n")
    for item in macros:
        name, descriptor = item if isinstance(item, tuple) else (item, MACRO)
        write(root / "python-runnables" / name / "runnable.json", descriptor)
        write(
            root / "python-runnables" / name / "runnable.py",
            "from dataiku.runnables import Runnable\n\n\nclass Greet(Runnable):\n    pass\n",
        )
    for name, params in (sets or {}).items():
        write(
            root / "parameter-sets" / name / "parameter-set.json",
            {"meta": META, "defaultDefinableInline": True, "params": params},
        )
    return root


def zip_folder(root: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(root).as_posix())
    return target
