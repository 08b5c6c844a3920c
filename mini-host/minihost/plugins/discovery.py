"""Finds plugins: named ones, the project's, installed ones, and the one that the host came with."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from minihost.errors import HostError, JobError
from minihost.hookspecs import hookimpl
from minihost.host import hooks
from minihost.plugins import Component, ForeignComponent, Plugin, Search
from minihost.plugins.foreign_kinds import why_not_run
from minihost.plugins.manifests import LEFT_OUT, PLUGIN_FILE, NotAPlugin, read_plugin
from minihost.suggestions import did_you_mean, one_of
from minihost.user_folders import ASIDE, plugin_store, zip_cache

SHARE = Path("share") / "minihost" / "plugins"
"""Where a pip distribution puts its plugins, under the data prefix of the installation."""

WORDS = {"recipe": "recipe", "macro": "macro", "webapp": "web app"}
"""Kind of component -> what messages call it."""

FEW = 10
"""So many components are named in a message about one that there is not."""


@dataclass(frozen=True)
class Catalogue:
    """The plugins that were found, one for each id, and what was wrong on the way."""

    plugins: tuple[Plugin, ...]
    problems: tuple[str, ...] = ()

    @property
    def components(self) -> tuple[Component, ...]:
        """Every component of every plugin, plugin by plugin."""
        return tuple(component for plugin in self.plugins for component in plugin.components)

    def plugin(self, plugin_id: str) -> Plugin:
        """The plugin of that id; raises `JobError` naming those that there are."""
        by_id = {plugin.id: plugin for plugin in self.plugins}
        if plugin_id not in by_id:
            raise JobError(
                [f"There is no plugin {plugin_id!r}.{did_you_mean(plugin_id, by_id)} Known: {one_of(by_id)}."]
            )
        return by_id[plugin_id]

    @property
    def foreign(self) -> tuple[ForeignComponent, ...]:
        """Every component that only DSS runs."""
        return tuple(component for plugin in self.plugins for component in plugin.foreign)

    def foreign_component(self, name: str) -> ForeignComponent | None:
        """The component of that name that only DSS runs, where there is no other of that name."""
        runs = any(name in (one.id, one.full_id) for one in self.components)
        return next((one for one in self.foreign if not runs and name in (one.id, one.full_id)), None)

    def component(self, name: str, kinds: tuple[str, ...] = ("recipe", "macro", "webapp")) -> Component:
        """Find `plugin/component`, or `component` where that is unique; raises `JobError` otherwise."""
        candidates = [component for component in self.components if component.kind in kinds]
        found = [component for component in candidates if name in (component.id, component.full_id)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(f"{component.full_id} ({component.kind})" for component in found)
            raise JobError(
                [f"{name!r} is the name of {len(found)} components: {names}. Say which, as plugin/component."]
            )
        if foreign := self.foreign_component(name):
            raise JobError([why_not_run(foreign)])
        if other := self._of_another_kind(name, kinds) or self._left_out(name):
            raise JobError([other])
        near = [component.full_id if "/" in name else component.id for component in candidates]
        what = "component" if len(kinds) > 1 else WORDS[kinds[0]]
        known = f"Known: {one_of(near)}." if len(near) <= FEW else "`minihost list` shows what there is."
        if not self.plugins:
            known = "No plugin was found: go to the folder of one, or name it with --plugin PATH."
        raise JobError([f"There is no {what} {name!r}.{did_you_mean(name, near)} {known}"])

    def _of_another_kind(self, name: str, kinds: tuple[str, ...]) -> str:
        """What to do with a component of that name, which has another kind than those; empty where there is none."""
        for one in self.components:
            if name in (one.id, one.full_id) and one.kind not in kinds:
                start = {"webapp": "webapp", "macro": "run", "recipe": "run"}[one.kind]
                use = f" Write `macro: {name}`." if (kinds, one.kind) == (("recipe",), "macro") else ""
                use = f" Write `recipe: {name}`." if (kinds, one.kind) == (("macro",), "recipe") else use
                use = use or f" Start it by: minihost {start} {name}"
                return f"{name!r} is a {WORDS[one.kind]}, not a {' or '.join(WORDS[kind] for kind in kinds)}.{use}"
        return ""

    def _left_out(self, name: str) -> str:
        """Why a component of that name could not be read; empty where there is none."""
        plugin_id, _, own = name.rpartition("/")
        for plugin in self.plugins:
            for problem in plugin.problems:
                if LEFT_OUT in problem and f"/{own}/" in problem and plugin_id in ("", plugin.id):
                    return f"{name!r} of {plugin.id} cannot be read: {problem.replace(LEFT_OUT, '')}."
        return ""


def find(search: Search | None = None) -> Catalogue:
    """Find every plugin; a place that a user named must be one, any other that is not becomes a problem."""
    search = search or Search()
    found: dict[str, Plugin] = {}
    problems: list[str] = []
    named = {place.resolve() for place in search.places}
    for places in hooks().minihost_find_plugins(search=search):
        for place in places:
            try:
                plugin = load(place)
            except HostError as err:
                if place.resolve() in named:
                    raise
                problems.append(str(err))
                continue
            # The first of an id wins: what the user names hides what is installed.
            found.setdefault(plugin.id, plugin)
    return Catalogue(tuple(found.values()), tuple(problems))


def load(place: Path) -> Plugin:
    """Read the plugin in a folder or zip; a zip is checked and unpacked to the cache first."""
    if place.is_dir():
        root = place.resolve()
    elif place.is_file():
        from minihost.plugins.archives import unpack_cached

        root = unpack_cached(place, zip_cache())
    else:
        raise NotAPlugin(f"There is no plugin at {place}: no such folder or zip.")
    plugin = read_plugin(root)
    answers = hooks().minihost_find_components(plugin=plugin)
    return replace(plugin, components=tuple(component for answer in answers for component in answer))


@hookimpl(tryfirst=True)
def minihost_find_plugins(search: Search) -> list[Path]:
    """Named places first, then the current folder where it is a plugin, the checkout that the host runs from, installed
    plugins, those of pip distributions."""
    if search.only_places:
        return list(search.places)
    here = [Path.cwd()] if Path(PLUGIN_FILE).is_file() else []
    return [*search.places, *here, *checkout_plugin(), *installed_plugins(), *bundled_plugins()]


@hookimpl(tryfirst=True)
def minihost_find_components(plugin: Plugin) -> list[Component]:
    """The components whose descriptors lie in the plugin's folder."""
    return list(plugin.components)


def installed_plugins() -> Iterator[Path]:
    """The folders of plugins that `minihost install` put into the user's data directory.

    One that a crash left aside in the middle of an update counts as long as nothing has taken its place.
    """
    store = plugin_store()
    yield from _plugin_folders(store)
    for aside in sorted(store.glob(f"{ASIDE}*")):
        if not (store / aside.name.removeprefix(ASIDE)).exists():
            yield aside


def checkout_plugin() -> Iterator[Path]:
    """The plugin whose `mini-host/` this module lies in, when the host runs from a checkout."""
    distribution = Path(__file__).resolve().parents[2]
    if distribution.name == "mini-host" and (distribution.parent / PLUGIN_FILE).is_file():
        yield distribution.parent


def bundled_plugins() -> Iterator[Path]:
    """The plugins that came with pip distributions: any may drop a folder into `share/minihost/plugins`."""
    prefixes = dict.fromkeys(
        sysconfig.get_path("data", scheme) for scheme in (sysconfig.get_default_scheme(), _user_scheme())
    )
    for prefix in prefixes:
        yield from _plugin_folders(Path(prefix) / SHARE)


def _user_scheme() -> str:
    return sysconfig.get_preferred_scheme("user")


def _plugin_folders(parent: Path) -> Iterator[Path]:
    if parent.is_dir():
        folders = (folder for folder in parent.iterdir() if not folder.name.startswith("."))
        yield from sorted(folder for folder in folders if (folder / PLUGIN_FILE).is_file())
