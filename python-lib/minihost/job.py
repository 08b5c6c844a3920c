"""A job as data: everything a child process needs to run one component, written as JSON for it to read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Reference:
    """An input or output of a job: what role it fills, what it is called, where it lies.

    `type` is DATASET or MANAGED_FOLDER. `path` is where the child reads; for outputs, where it writes (a staging place
    that the parent commits afterwards). `options` are what flow.yaml declares (format, schema …).
    """

    role: str
    type: str
    name: str
    project_key: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`PROJECT.name`, as components see it."""
        return f"{self.project_key}.{self.name}"


@dataclass
class Job:
    """One run of one component, with parameters resolved and references filled."""

    plugin_id: str
    plugin_root: str
    component_id: str
    kind: str
    runner: str
    project_key: str
    project_dir: str
    work_dir: str
    config: dict[str, Any] = field(default_factory=dict)
    plugin_config: dict[str, Any] = field(default_factory=dict)
    inputs: list[Reference] = field(default_factory=list)
    outputs: list[Reference] = field(default_factory=list)
    others: list[Reference] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    streams_only: bool = False
    secrets: list[str] = field(default_factory=list)
    """Values that must not appear in any log or message."""

    def write(self, path: Path) -> None:
        """Write the job as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=True), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Job:
        """Read a job that `write` wrote."""
        facts = json.loads(path.read_text(encoding="utf-8"))
        for side in ("inputs", "outputs", "others"):
            facts[side] = [Reference(**reference) for reference in facts[side]]
        return cls(**facts)
