"""The text of a flow.yaml as plain data: no key twice, no dates, no objects, nothing endless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minihost.errors import JobError
from minihost.regular_files import open_regular

LIMIT = 4 << 20
"""The largest file that is read, in bytes."""

MOST = 200_000
"""The most values that a file holds, those of an alias (`*name`) counted where it stands."""

_MERGE = "tag:yaml.org,2002:merge"


def mapping_of(path: Path) -> dict[str, Any]:
    """Return what the file says; raises `JobError` where it is too large, not YAML, or no mapping."""
    try:
        with open_regular(path) as stream:
            text = stream.read(LIMIT + 1)
    except OSError as err:
        raise JobError([f"{path} cannot be read: {err}"]) from err
    return mapping_in(text, path)


def mapping_in(text: bytes, path: Path) -> dict[str, Any]:
    """Return what the text of the file says; raises `JobError` as `mapping_of` does."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Plain YAML, in which a key that is given twice is a mistake, and dates are texts, as in JSON."""

        yaml_implicit_resolvers = {
            first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
            for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _value in node.value:
            if key.tag == _MERGE:  # `<<: *name` takes over the values of another mapping
                continue
            name = loader.construct_object(key, deep=True)
            if isinstance(name, str) and name in seen:
                raise JobError([f"{path.name}: line {key.start_mark.line + 1}: {name!r} is given twice."])
            seen.add(name if isinstance(name, str) else id(key))
        made: dict[Any, Any] = loader.construct_mapping(node, deep=True)
        return made

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    try:
        if len(text) > LIMIT:
            raise JobError([f"{path} has {len(text) >> 20} MiB; a flow has at most {LIMIT >> 20}."])
        loader = Loader(text)
        node = loader.get_single_node()
        if _values_in(node, {}) > MOST:
            raise JobError([f"{path} holds more than {MOST:,} values, those of an alias counted where it stands."])
        facts = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as err:
        raise JobError([f"{path} is not YAML: {_explained(err, text)}."]) from err
    except RecursionError as err:
        raise JobError([f"{path} cannot be read: {err}"]) from err
    if not isinstance(facts or {}, dict):
        raise JobError([f"{path.name}: a flow is a mapping with steps, folders, datasets; got {type(facts).__name__}."])
    return dict(facts or {})


def _explained(err: Any, text: bytes) -> str:
    """An error of the YAML reader in one line: where it stopped, and why."""
    mark = getattr(err, "problem_mark", None)
    if mark is None:
        return str(err).replace("\n", "; ")
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else b""
    tab = "; YAML is indented with spaces, not tabs" if line[: mark.column + 1].lstrip(b" ").startswith(b"\t") else ""
    what = ", ".join(filter(None, (err.context, err.problem)))
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}{tab}"


def _values_in(node: Any, known: dict[int, int]) -> int:
    """How many values a node of YAML stands for; `known` holds those that were counted, and 0 for those that are being
    counted, as one that holds itself is (PyYAML refuses it)."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = 0
    inner = node.value if isinstance(getattr(node, "value", None), list) else []
    nodes = [one for pair in inner for one in (pair if isinstance(pair, tuple) else (pair,))]
    known[id(node)] = 1 + sum(_values_in(one, known) for one in nodes)
    return known[id(node)]
