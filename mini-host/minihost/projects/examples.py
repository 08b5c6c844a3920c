"""Examples that plugins bring along: folders `examples/NAME` with a flow.yaml, from which a new project can start."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minihost.errors import HostError, JobError
from minihost.plugins.discovery import Catalogue
from minihost.projects import flow
from minihost.projects.project import FLOW


@dataclass(frozen=True)
class Example:
    """A flow to start from: `name` as plugins call it, `title` the first comment of its file, `file` its flow.yaml."""

    name: str
    title: str
    file: Path


def examples(catalogue: Catalogue) -> list[Example]:
    """Return the examples of every plugin in reach, of those with one name the first."""
    found: dict[str, Example] = {}
    for plugin in catalogue.plugins:
        for file in sorted((plugin.root / "examples").glob(f"*/{FLOW}")):
            found.setdefault(file.parent.name, Example(file.parent.name, _title(file), file))
    return list(found.values())


def start(example: Example, folder: Path) -> None:
    """Put an example's flow.yaml into a project; its plugins are found from there too.

    Raises `JobError` where the project has a flow.yaml already, `HostError` where it cannot be written.
    """
    target = folder / FLOW
    text = example.file.read_text(encoding="utf-8")
    for place in flow.read(example.file).plugins:
        absolute = (example.file.parent / place).resolve()
        near = absolute.is_relative_to(folder.resolve())
        text = _replaced(text, place, os.path.relpath(absolute, folder) if near else str(absolute))
    try:
        with open(target, "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as err:
        raise JobError([f"{target} exists already. Start the example in an empty folder."]) from err
    except OSError as err:
        raise HostError(f"{target} cannot be written: {err.strerror}. Choose another --project.") from err


def _replaced(text: str, place: str, new: str) -> str:
    """The text of a flow.yaml with another path for a plugin, which stands in the line of `plugins:`."""
    return re.sub(rf"(?m)^(plugins:.*?){re.escape(place)}", lambda match: match[1] + new, text, count=1)


def _title(file: Path) -> str:
    """The first sentence of the comment at the top of a flow.yaml."""
    lines = " ".join(_comment(file))
    return re.split(r"(?<=[.!?])\s", lines, maxsplit=1)[0]


def _comment(file: Path) -> Iterator[str]:
    with open(file, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if not line.startswith("#") or not line.strip("# \n"):
                return
            yield line.strip("# \n")
