"""flow.yaml: the plugins, folders, datasets and steps of a project, as its text says them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from minihost.datasets.sql import guarded, is_sql
from minihost.errors import JobError
from minihost.folders import is_remote
from minihost.projects import sql_tables
from minihost.projects.reference_names import is_path
from minihost.projects.yaml_file import mapping_of
from minihost.suggestions import did_you_mean, one_of

_REFS = {
    "oneOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    ]
}
_PARTITIONING = {
    "type": "object",
    "required": ["dimensions"],
    "additionalProperties": False,
    "properties": {
        "dimensions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {"name": {"type": "string"}, "type": {"enum": ["time", "value"]}},
            },
        }
    },
}
_URL = {"url": {"type": "string", "minLength": 1}, "options": {"type": "object"}}
"""Where a folder or dataset lies that is no local path, and how its storage is opened."""

_FOLDER = {
    "type": ["string", "object", "null"],
    "additionalProperties": False,
    "properties": {
        "path": {"type": "string"},
        **_URL,
        "in_place": {"type": "boolean"},
        "partitioning": _PARTITIONING,
        "customFields": {"type": "object"},
    },
}
_DATASET = {
    "type": ["string", "object", "null"],
    "additionalProperties": False,
    "properties": {
        "path": {"type": "string"},
        **_URL,
        "format": {"enum": ["csv", "parquet", "tsv", "xlsx"]},
        "separator": {"type": "string", "minLength": 1, "maxLength": 1},
        "encoding": {"type": "string"},
        "sheet": {"type": "string", "minLength": 1},
        "append": {"type": "boolean"},
        "connection": {"type": "string", "minLength": 1},
        "table": {"type": "string", "minLength": 1},
        "schema": {"type": "string", "minLength": 1},
        "partitioning": _PARTITIONING,
        "customFields": {"type": "object"},
    },
}
_STEP = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "recipe": {"type": "string", "minLength": 1},
        "macro": {"type": "string", "minLength": 1},
        "inputs": {"type": "object", "additionalProperties": _REFS},
        "outputs": {"type": "object", "additionalProperties": _REFS},
        "params": {"type": "object"},
        "creates": _REFS,
        "partition": {"type": "string"},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "project": {"type": "string", "pattern": "^[A-Za-z0-9_]+$"},
        "plugins": {"type": "array", "items": {"type": "string"}},
        "folders": {"type": "object", "additionalProperties": _FOLDER},
        "datasets": {"type": "object", "additionalProperties": _DATASET},
        "connections": {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
        "variables": {"type": "object"},
        "settings": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
        "steps": {"type": "array", "items": _STEP},
    },
}
"""What a flow.yaml may hold, as JSON Schema."""


@dataclass(frozen=True)
class Step:
    """One run of a flow: `inputs` and `outputs` are (role, reference) pairs, `creates` what a macro fills.

    `caches` are the output roles whose folders only save work; a build learns them from the plugin.
    """

    name: str
    kind: str
    component: str
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    creates: tuple[str, ...] = ()
    partition: str = ""
    caches: frozenset[str] = frozenset()

    @property
    def writes(self) -> tuple[str, ...]:
        """The references that the step writes, caches too."""
        return (*(ref for _role, ref in self.outputs), *self.creates)

    @property
    def makes(self) -> tuple[str, ...]:
        """The references that the step is there to make: those that it writes, without caches."""
        return (*(ref for role, ref in self.outputs if role not in self.caches), *self.creates)


@dataclass(frozen=True)
class Flow:
    """What a flow.yaml says; datasets and folders are name -> options, among them `path`."""

    key: str = ""
    plugins: tuple[str, ...] = ()
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)

    @cached_property
    def made(self) -> tuple[str, ...]:
        """Every reference that a step writes, in order."""
        return tuple(dict.fromkeys(ref for step in self.steps for ref in step.writes))

    @cached_property
    def managed(self) -> tuple[str, ...]:
        """The names that steps write and that nothing declares: the host keeps their data."""
        return tuple(
            ref for ref in self.made if not is_path(ref) and ref not in self.datasets and ref not in self.folders
        )


def read(path: Path) -> Flow:
    """Read a flow.yaml; raises `JobError` with everything that is wrong with it."""
    return of_facts(mapping_of(path), path.name)


def of_facts(said: dict[str, Any], name: str) -> Flow:
    """Return the flow that a file of that name says; raises `JobError` with everything that is wrong with it."""
    facts = _guarded(_without_empty_keys(said))
    mistakes = [f"{name}: {mistake}" for mistake in _mistakes(facts)]
    if mistakes:
        raise JobError(mistakes)
    steps = tuple(steps_of(facts))
    return Flow(
        key=str(facts.get("project", "")).upper(),
        plugins=tuple(facts.get("plugins") or ()),
        folders=_options(facts.get("folders")),
        datasets=_options(facts.get("datasets")),
        connections=dict(facts.get("connections") or {}),
        variables=dict(facts.get("variables") or {}),
        settings={name: dict(values or {}) for name, values in (facts.get("settings") or {}).items()},
        steps=steps,
        kinds={name: _kind_of(name, facts) for step in steps for name in step.creates},
    )


def _without_empty_keys(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts without known keys that hold nothing, as `steps:` alone in its line does."""
    return {key: value for key, value in facts.items() if value is not None or key not in SCHEMA["properties"]}


def _guarded(facts: Any) -> Any:
    """The facts without passwords in the URLs of databases (see `minihost.datasets.sql.guarded`)."""
    if isinstance(facts, dict):
        return {key: _guarded(value) for key, value in facts.items()}
    if isinstance(facts, list):
        return [_guarded(value) for value in facts]
    return guarded(facts) if isinstance(facts, str) else facts


def _kind_of(name: str, facts: dict[str, Any]) -> str:
    """Return what a macro creates under a name: a folder, unless a dataset is declared by it."""
    return "DATASET" if name in (facts.get("datasets") or {}) else "MANAGED_FOLDER"


def _mistakes(facts: dict[str, Any]) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(SCHEMA).iter_errors(facts)
    found = sorted(errors, key=lambda error: list(map(str, error.absolute_path)))
    for error in found:
        yield from _explained(error)
    steps, folders, datasets = (facts.get(key) for key in ("steps", "folders", "datasets"))
    for number, step in enumerate(steps if isinstance(steps, list) else [], start=1):
        if isinstance(step, dict) and ("recipe" in step) == ("macro" in step):
            yield f"step {number} needs a `recipe:` or a `macro:`, one of them."
        if isinstance(step, dict) and "macro" in step and (step.get("inputs") or step.get("outputs")):
            yield f"step {number}: a macro has no inputs and outputs; the folders that it fills go under `creates:`."
    yield from _wrong_urls("folders", folders)
    yield from _wrong_urls("datasets", datasets)
    both = set(folders) & set(datasets) if isinstance(folders, dict) and isinstance(datasets, dict) else set()
    for name in sorted(map(str, both)):
        yield f"{name!r} is declared as a folder and as a dataset."
    if not found:
        yield from sql_tables.mistakes(facts)


def _wrong_urls(kind: str, declared: Any) -> Iterator[str]:
    for name, options in declared.items() if isinstance(declared, dict) else ():
        url = options.get("url") if isinstance(options, dict) else None
        if url is None:
            continue
        if "path" in options:
            yield f"{kind} > {name}: give `path` or `url`, not both."
        is_database = kind == "datasets" and (is_sql(str(url)) or str(url).startswith("${"))
        if not is_remote(str(url)) and not is_database:
            or_database = " or a database such as postgresql://USER@HOST/DATABASE" if kind == "datasets" else ""
            yield (f"{kind} > {name}: `url` is no URL of a storage such as s3://bucket/key{or_database}; got {url!r}.")


def _explained(error: Any) -> Iterator[str]:
    where = _place(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.schema.get("additionalProperties"), bool):
        allowed = error.schema["properties"]
        for name in error.instance:
            if name not in allowed:
                yield f"{where}there is no {name!r}.{did_you_mean(str(name), allowed)} Known: {one_of(allowed)}."
    elif error.validator == "oneOf":
        yield f"{where}a name or path, or a list of them, is wanted; got {error.instance!r}."
    else:
        yield f"{where}{error.message}."


def _place(path: Any) -> str:
    words = [
        f"step {part + 1}" if place == 1 and isinstance(part, int) else str(part) for place, part in enumerate(path)
    ]
    if words[:1] == ["steps"] and len(words) > 1:
        words = words[1:]
    return " > ".join(words) + ": " if words else ""


def _options(declared: Any) -> dict[str, dict[str, Any]]:
    found = {}
    for name, options in (declared or {}).items():
        found[str(name)] = {"path": options} if isinstance(options, str) else dict(options or {})
        if is_remote(str(found[str(name)].get("url", ""))):
            found[str(name)]["path"] = found[str(name)].pop("url")
    return found


def steps_of(facts: dict[str, Any]) -> Iterator[Step]:
    """Yield the steps, each with its name: its own, or that of its component with a number where that is taken."""
    names: set[str] = set()
    for step in facts.get("steps") or []:
        kind = "recipe" if "recipe" in step else "macro"
        name = stem = str(step.get("name") or step[kind].rpartition("/")[2])
        number = 2
        while name in names:
            name, number = f"{stem}-{number}", number + 1
        names.add(name)
        yield Step(
            name=name,
            kind=kind,
            component=step[kind],
            inputs=_pairs(step.get("inputs")),
            outputs=_pairs(step.get("outputs")),
            params=dict(step.get("params") or {}),
            creates=tuple(ref for _role, ref in _pairs({"": step["creates"]} if step.get("creates") else None)),
            partition=str(step.get("partition", "")),
        )


def _pairs(roles: Any) -> tuple[tuple[str, str], ...]:
    found = []
    for role, refs in (roles or {}).items():
        found += [(str(role), ref) for ref in ([refs] if isinstance(refs, str) else refs)]
    return tuple(found)
