"""Asks a plugin's own Python for a parameter's choices, `do(payload, config, plugin_config, inputs)`, in a child."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.job import Job
from minihost.parameters.forms import Form, as_shown, form_of, named
from minihost.plugins import Component
from minihost.suggestions import did_you_mean

TIMEOUT = 60.0
"""Seconds that a plugin's Python has to say its choices."""


class NoChoices(HostError):
    """The choices could not be had; the message says why."""

    exit_code = 1


@dataclass(frozen=True)
class Choice:
    """One entry of a menu."""

    value: Any
    label: str
    group: str = ""


def is_dynamic(param: dict[str, Any]) -> bool:
    """Whether a parameter's choices come from Python."""
    return bool(param.get("getChoicesFromPython")) and form_of(param) in (Form.CHOICE, Form.CHOICES)


def ask(param: dict[str, Any], job: Job, timeout: float = TIMEOUT) -> list[Choice]:
    """The choices of one parameter when a form holds the job's configuration and inputs; raises `NoChoices`."""
    setup = job.descriptor.get("paramsPythonSetup")
    resource = Path(job.plugin_root, "resource")
    runner = resource / str(setup)
    if not setup or not runner.resolve().is_relative_to(resource.resolve()) or not runner.is_file():
        raise NoChoices(f"{job.component_id} has no file under resource/ to ask: paramsPythonSetup is {setup!r}.")
    payload = {
        "parameterName": param["name"],
        "parameterType": param.get("type"),
        "customChoices": True,
        "rootModel": job.config,
    }
    from minihost.runs import running
    from minihost.runs.progress import Silent

    with _temporary_folder() as folder:
        asked = replace(job, kind="choices", runner=str(runner), payload=payload, project_dir=folder)
        asked = replace(asked, outputs=[], others=[*job.others, *job.outputs])  # a form writes nothing
        try:
            answer = running.run(asked, running.Options(timeout=timeout, reporter=Silent())).answer
        except HostError as err:
            where = f"{runner.name}{_line(err.log, runner)}"
            raise NoChoices(f"{where} gave no choices for {param['name']!r}: {err}") from err
    return _read(answer, param["name"])


def _line(log: Path | None, runner: Path) -> str:
    """Return the line of the plugin's Python that a failure came from, by the traceback in the log; empty if none.

    The log goes with the temporary folder, so this is what is left of it.
    """
    text = log.read_text(encoding="utf-8", errors="replace") if log is not None and log.is_file() else ""
    lines = re.findall(rf'^  File "{re.escape(str(runner))}", line (\d+)', text, re.MULTILINE)
    return f", line {lines[-1]}," if lines else ""


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="minihost-choices-", ignore_cleanup_errors=True)
    except OSError as err:
        raise NoChoices(f"There is no temporary folder to ask in: {err.strerror}. Set TMPDIR to another one.") from err


def unusual(job: Job, component: Component, given: set[str]) -> list[str]:
    """Warnings for given values that are not among their parameter's choices, or whose choices cannot be had."""
    warnings: list[str] = []
    for param in named(component.params):
        value = job.config.get(param["name"])
        if not is_dynamic(param) or param["name"] not in given or value is None or value == param.get("defaultValue"):
            continue
        try:
            offered = [choice.value for choice in ask(param, job, timeout=20)]
        except NoChoices as err:
            warnings.append(str(err))
            continue
        listing = f"`minihost show {component.id} --choices` lists them all"  # the component itself says what is meant
        for item in value if isinstance(value, list) else [value]:
            if item not in offered:
                near = did_you_mean(as_shown(item), map(as_shown, offered))
                warnings.append(
                    f"Parameter {param['name']!r}: {as_shown(item)!r} is not among the choices.{near} {listing}."
                )
    return warnings


def _read(answer: Any, name: str) -> list[Choice]:
    """Choices out of `{"choices": […]}`, a bare list, or nothing; entries that are no choice are left out."""
    found = answer.get("choices") if isinstance(answer, dict) else answer
    if found is None:
        return []
    if not isinstance(found, list):
        raise NoChoices(f"The choices of {name!r} are {type(found).__name__}; a list is expected.")
    listed = [item for item in found if isinstance(item, dict) and "value" in item]
    return [
        Choice(item["value"], str(item.get("label") or as_shown(item["value"])), str(item.get("group") or ""))
        for item in listed
    ]
