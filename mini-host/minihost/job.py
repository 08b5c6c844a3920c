"""A job as data: everything a child process needs to run one component, written as JSON for it to read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Reference:
    """An input or output of a job: what role it fills, what it is called, where it lies.

    `type` is DATASET or MANAGED_FOLDER. `path` is where it lies; `stage` is set for outputs while they are written (see
    `minihost.outputs.stages`). `options` are what flow.yaml declares: format, separator, partitioning and the like.
    `partitions` are those to read, or the one to write.
    """

    role: str
    type: str
    name: str
    project_key: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)
    required: bool = False
    stage: str = ""
    partitions: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """`PROJECT.name`, as components see it."""
        return f"{self.project_key}.{self.name}"


@dataclass
class Job:
    """One run of one component, with parameters resolved and references filled.

    `kind` is recipe, macro or choices (`runner` is then the file with `do`, called with `payload`). `others` are the
    other datasets and folders of the project. `secrets` are values that no log may show. `descriptor` is the
    component's own, `plugins` the root folder of every plugin whose python-lib may be asked for, by id, `recipes` those
    of the project's flow as the platform's API describes them. `step` is the step of the flow that it runs, if any.
    """

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
    payload: dict[str, Any] = field(default_factory=dict)
    descriptor: dict[str, Any] = field(default_factory=dict)
    plugins: dict[str, str] = field(default_factory=dict)
    recipes: list[dict[str, Any]] = field(default_factory=list)
    step: str = ""

    @property
    def platform_home(self) -> Path:
        """The folder that stands for the platform's data folder, `DIP_HOME`."""
        return Path(self.project_dir, ".minihost", "home")

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of the platform that components read."""
        return {"DIP_HOME": str(self.platform_home), "DKU_CURRENT_PROJECT_KEY": self.project_key}

    def write(self, path: Path) -> None:
        """Write the job as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=True), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Job:
        """Read a job that `write` wrote."""
        return cls.of(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Job:
        """Return the job that these facts, read from JSON, describe."""
        for side in ("inputs", "outputs", "others"):
            facts[side] = [Reference(**reference) for reference in facts.get(side, [])]
        return cls(**facts)
