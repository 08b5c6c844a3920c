"""Plugins and components as data: what their JSON says, nothing of them imported or run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KINDS = {
    "recipe": ("custom-recipes", "recipe.json", "recipe.py"),
    "macro": ("python-runnables", "runnable.json", "runnable.py"),
    "webapp": ("webapps", "webapp.json", "backend.py"),
}
"""Kind of component -> (folder in the plugin, descriptor, runner)."""


@dataclass(frozen=True)
class Role:
    """A named place for inputs or outputs of a recipe.

    `is_cache` marks an output that only saves work: it is written in place, several steps of a flow may share it, and
    nothing is ever out of date because of it.
    """

    name: str
    label: str = ""
    description: str = ""
    required: bool = False
    many: bool = False
    accepts_dataset: bool = True
    accepts_folder: bool = False
    accepts_model: bool = False
    is_cache: bool = False


@dataclass(frozen=True)
class Described:
    """Something in a plugin with a descriptor of its own, which was read from `folder`."""

    plugin_id: str
    id: str
    kind: str
    folder: Path
    descriptor: dict[str, Any]

    @property
    def full_id(self) -> str:
        """`plugin/component`, unique in the host."""
        return f"{self.plugin_id}/{self.id}"

    @property
    def label(self) -> str:
        """What people call the component."""
        return str(self.meta.get("label") or self.id)

    @property
    def meta(self) -> dict[str, Any]:
        """What the descriptor says for people; empty where it says nothing usable."""
        found = self.descriptor.get("meta")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Component(Described):
    """One recipe, macro or web app of a plugin: its descriptor as read, and where its files lie."""

    inputs: tuple[Role, ...] = ()
    outputs: tuple[Role, ...] = ()
    params: tuple[dict[str, Any], ...] = ()

    @property
    def runner(self) -> Path:
        """The Python file that the host runs."""
        return self.folder / KINDS[self.kind][2]


@dataclass(frozen=True)
class ForeignComponent(Described):
    """A component of a kind that this host names but does not run; `kind` is what DSS calls it."""


@dataclass(frozen=True)
class Plugin:
    """A plugin folder (a zip is unpacked to one first): its descriptor, components, parameter sets and warnings.

    `foreign` are the components that only DSS runs.
    """

    id: str
    version: str
    root: Path
    descriptor: dict[str, Any]
    components: tuple[Component, ...] = ()
    parameter_sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    foreign: tuple[ForeignComponent, ...] = ()

    @property
    def python_lib(self) -> Path:
        """The folder put first on the module path of every component."""
        return self.root / "python-lib"

    @property
    def resource(self) -> Path:
        """Read-only files of the plugin."""
        return self.root / "resource"


@dataclass(frozen=True)
class Search:
    """What to look at: `places` (folders or zips named by the user or the project), and whether also elsewhere."""

    places: tuple[Path, ...] = ()
    only_places: bool = False
