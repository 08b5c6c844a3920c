"""flow.yaml: the plugins, folders, datasets and steps of a project, checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minihost.errors import JobError
from minihost.suggestions import did_you_mean, one_of

LIMIT = 4 << 20
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
_FOLDER = {
    "type": ["string", "object", "null"],
    "additionalProperties": False,
    "properties": {"path": {"type": "string"}, "in_place": {"type": "boolean"}, "partitioning": _PARTITIONING},
}
_DATASET = {
    "type": ["string", "object", "null"],
    "additionalProperties": False,
    "properties": {
        "path": {"type": "string"},
        "format": {"enum": ["csv", "parquet", "tsv", "xlsx"]},
        "separator": {"type": "string", "minLength": 1, "maxLength": 1},
        "encoding": {"type": "string"},
        "sheet": {"type": "string", "minLength": 1},
        "append": {"type": "boolean"},
        "partitioning": _PARTITIONING,
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
        "variables": {"type": "object"},
        "steps": {"type": "array", "items": _STEP},
    },
}
"""What a flow.yaml may hold, as JSON Schema."""


@dataclass(frozen=True)
class Step:
    """One run of a flow: `inputs` and `outputs` are (role, reference) pairs, `creates` what a macro fills."""

    name: str
    kind: str
    component: str
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    creates: tuple[str, ...] = ()
    partition: str = ""

    @property
    def makes(self) -> tuple[str, ...]:
        """The references that the step writes."""
        return (*(ref for _role, ref in self.outputs), *self.creates)


@dataclass(frozen=True)
class Flow:
    """What a flow.yaml says; datasets and folders are name -> options, among them `path`."""

    key: str = ""
    plugins: tuple[str, ...] = ()
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)

    def made(self) -> list[str]:
        """Every reference that a step writes, in order."""
        return list(dict.fromkeys(ref for step in self.steps for ref in step.makes))


def read(path: Path) -> Flow:
    """Read a flow.yaml; raises `JobError` with everything that is wrong with it."""
    facts = _facts(path)
    mistakes = [f"{path.name}: {mistake}" for mistake in _mistakes(facts)]
    if mistakes:
        raise JobError(mistakes)
    steps = tuple(_steps(facts))
    found = Flow(
        key=str(facts.get("project", "")).upper(),
        plugins=tuple(facts.get("plugins") or ()),
        folders=_options(facts.get("folders")),
        datasets=_options(facts.get("datasets")),
        variables=dict(facts.get("variables") or {}),
        steps=steps,
        kinds={name: "MANAGED_FOLDER" for step in steps for name in step.creates},
    )
    mistakes = [f"{path.name}: {mistake}" for mistake in (*_shared(found), *_cycles(found))]
    if mistakes:
        raise JobError(mistakes)
    return found


def _facts(path: Path) -> dict[str, Any]:
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Plain YAML, in which a key that is given twice is a mistake."""

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _value in node.value:
            name = loader.construct_object(key, deep=True)
            if isinstance(name, str) and name in seen:
                raise JobError([f"{path.name}: line {key.start_mark.line + 1}: {name!r} is given twice."])
            seen.add(name if isinstance(name, str) else id(key))
        made: dict[Any, Any] = loader.construct_mapping(node, deep=True)
        return made

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        text = path.read_bytes()
        if len(text) > LIMIT:
            raise JobError([f"{path} has {len(text) >> 20} MiB; a flow has at most {LIMIT >> 20}."])
        facts = yaml.load(text, Loader=Loader)
    except yaml.YAMLError as err:
        raise JobError([f"{path} is not YAML: {err}"]) from err
    except (OSError, RecursionError) as err:
        raise JobError([f"{path} cannot be read: {err}"]) from err
    if not isinstance(facts or {}, dict):
        raise JobError([f"{path.name}: a flow is a mapping with steps, folders, datasets; got {type(facts).__name__}."])
    return {key: value for key, value in (facts or {}).items() if value is not None}


def _mistakes(facts: dict[str, Any]) -> Iterator[str]:
    from jsonschema import Draft202012Validator

    for error in sorted(
        Draft202012Validator(SCHEMA).iter_errors(facts), key=lambda error: list(map(str, error.absolute_path))
    ):
        yield from _explained(error)
    for number, step in enumerate(facts.get("steps") or [], start=1):
        if isinstance(step, dict) and ("recipe" in step) == ("macro" in step):
            yield f"step {number} needs a `recipe:` or a `macro:`, one of them."
        if isinstance(step, dict) and "macro" in step and (step.get("inputs") or step.get("outputs")):
            yield f"step {number}: a macro has no inputs and outputs; the folders that it fills go under `creates:`."
    both = set(facts.get("folders") or {}) & set(facts.get("datasets") or {})
    for name in sorted(map(str, both)):
        yield f"{name!r} is declared as a folder and as a dataset."


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
    return {
        str(name): {"path": options} if isinstance(options, str) else dict(options or {})
        for name, options in (declared or {}).items()
    }


def _steps(facts: dict[str, Any]) -> Iterator[Step]:
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


def _shared(flow: Flow) -> Iterator[str]:
    makers: dict[str, str] = {}
    for step in flow.steps:
        for ref in dict.fromkeys(step.makes):
            if ref in makers:
                yield f"{ref!r} is written by two steps, {makers[ref]} and {step.name}; each thing has one maker."
            makers.setdefault(ref, step.name)


def _cycles(flow: Flow) -> Iterator[str]:
    if ordered(flow) is None:
        waiting = _rest(flow)
        yield f"the steps {' -> '.join(step.name for step in waiting)} wait for each other in a circle."


def needs(flow: Flow, step: Step) -> list[Step]:
    """Return the steps whose outputs a step reads, itself left out."""
    wanted = {ref for _role, ref in step.inputs}
    if step.kind == "macro":
        wanted |= {value for value in step.params.values() if isinstance(value, str)}
    return [other for other in flow.steps if other is not step and wanted & set(other.makes)]


def ordered(flow: Flow) -> list[Step] | None:
    """Return the steps in an order in which they can run, None when some wait for each other."""
    done: list[Step] = []
    while len(done) < len(flow.steps):
        ready = [step for step in flow.steps if step not in done and all(need in done for need in needs(flow, step))]
        if not ready:
            return None
        done.append(ready[0])
    return done


def _rest(flow: Flow) -> list[Step]:
    """The steps of one circle."""
    done: list[Step] = []
    while ready := [
        step for step in flow.steps if step not in done and all(need in done for need in needs(flow, step))
    ]:
        done += ready
    step = next(step for step in flow.steps if step not in done)
    path: list[Step] = []
    while step not in path:
        path.append(step)
        step = next(need for need in needs(flow, step) if need not in done)
    return [*path[path.index(step) :], step][::-1]
